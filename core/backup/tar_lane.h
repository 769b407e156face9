// What TarUpload is made of inside: a lane, which has one part open at a time, and a big file, which is packed as slices.
//
// THREADS: a lane, one at a time; the slices of its part run in the threads of its pool.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/backup/tar_upload.h"
#include "core/base/checksum.h"
#include "core/base/fd.h"
#include "core/pipeline/ordered_compressor.h"
#include "core/pipeline/worker_pool.h"

namespace walrig {

// A file that is packed as several slices. Opened before the first of them, so that it can no longer vanish.
struct TarUpload::BigFile {
  size_t index = 0;
  FileEntry entry;                   // as it is stored: of its opening, where that counts
  std::string path;
  Fd fd;
  std::vector<uint32_t> crcs;        // by range; each written by its own slice
  std::mutex mutex;
  std::condition_variable turn;
  size_t left = 0;                   // ranges not done; guarded by mutex
  std::vector<uint32_t> corrupt;     // guarded by mutex
  size_t next_hash = 0;              // range whose bytes the digest wants next; guarded by mutex
  bool failed = false;               // guarded by mutex
  bool shrank = false;               // guarded by mutex
  std::optional<Sha256> sha256;      // belongs to the slice whose turn it is
};

// One open part at a time, and those before it that are still finishing.
class TarUpload::Lane {
 public:
  static Result<std::unique_ptr<Lane>> New(TarUpload& upload, size_t workers) {
    WALRIG_ASSIGN(auto pool, SliceWorkers::New(upload.codec_, workers));
    return std::unique_ptr<Lane>(new Lane(upload, std::move(pool)));
  }
  ~Lane() {
    // Slices and finishers point at what the caller owns.
    if (part_ != nullptr) part_->Abort();
    for (auto& finishing : finishing_) finishing->part->Abort();
    finishing_.clear();
  }

  Status Run(const Context& ctx, const WorkerPool* siblings);

 private:
  struct Finishing {
    std::unique_ptr<OrderedCompressor> part;
    std::string name;
    Status status;
    std::atomic<bool> failed{false};  // set after `status`
    std::jthread thread;  // last: joined before the rest goes
  };

  Lane(TarUpload& upload, std::unique_ptr<SliceWorkers> pool) : upload_(upload), pool_(std::move(pool)) {}

  Status Open(const Context& ctx);
  Status Close(const Context& ctx);
  Status WaitOldest();
  Status CheckFinishing();
  Status Submit(const Context& ctx, const TarUnit& unit);
  Status SubmitBig(const Context& ctx, size_t index);

  TarUpload& upload_;
  std::unique_ptr<SliceWorkers> pool_;
  std::unique_ptr<OrderedCompressor> part_;
  uint32_t number_ = 0;
  uint32_t group_ = 0;
  uint64_t payload_ = 0;
  std::deque<std::unique_ptr<Finishing>> finishing_;
};

}  // namespace walrig
