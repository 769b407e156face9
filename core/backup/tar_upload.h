// TarUpload: packs a file set into tar parts and stores them.
//
//   planner -> unit -> slices --parallel--> open, pread, check pages, CRC-32C, tar --> OrderedCompressor -> storage
//
// With a concatenable compressor (or none) one part is open at a time and all workers make slices of it; a part that
// is full finishes in the background while the next one fills. With other compressors as many parts as workers are
// open at once, each encoded by one thread. Either way nothing touches the local disk, and memory is a few slices.
//
// THREADS: one at a time; it starts its own threads and joins them before Pack returns.
#pragma once

#include <fcntl.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/backup/composer.h"
#include "core/io/throttle.h"
#include "core/layout/files_metadata.h"
#include "core/layout/proof.h"
#include "core/pgdata/file_set.h"
#include "core/pgdata/page_reader.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/ordered_compressor.h"
#include "core/pipeline/progress.h"
#include "core/pipeline/tar_entry.h"
#include "walrig/storage.h"

namespace walrig {

struct TarUploadOptions {
  std::string backup_name;
  size_t workers = 1;
  size_t parts_finishing_max = 2;
  uint64_t part_bytes_max = 1073741823;
  uint64_t slice_bytes = 4u << 20;        // a multiple of 128 KiB, and so of every block size
  TarComposer composer = TarComposer::kRegular;
  uint64_t disk_rate_bytes_per_s = 0;     // 0 unlimited
  PageCheck pages;
  uint32_t relation_segment_blocks = 131072;
  bool store_all_corrupt_blocks = false;  // else at most ten numbers a file
  bool sha256 = false;                    // of every file besides its CRC-32C
};

struct MemberBytes {
  TarEntry header;  // size_bytes is set by the callee
  std::string body;
};

// How a file of the data directory is opened to be packed, and what is said when that is forbidden.
inline constexpr int kPackedFileFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
Status PackedFileHint(Status status);

class TarUpload {
 public:
  // All must outlive it. `progress` may be null.
  TarUpload(FileSet& files, Storage& storage, const Codec& codec, ProgressCounters* progress, TarUploadOptions options);
  ~TarUpload();

  // Stores all files of the set but pg_control. What became of each stands in its FileOutcome; a file that vanished
  // before it was opened is not stored. On failure no part that was not committed stays visible.
  Status Pack(const Context& ctx);
  // Stores one small tar of members in memory; it takes a part number, as in WAL-G.
  Status PutTar(const Context& ctx, const std::string& tar_name, std::vector<MemberBytes> members);

  // Objects stored so far, with names relative to the backup's folder, in the order in which they were done.
  const std::vector<ProofObject>& objects() const { return objects_; }
  // "part_001.tar.zst".
  std::string PartFileName(uint32_t part) const;
  uint32_t parts() const { return last_part_; }
  uint64_t payload_bytes() const { return payload_bytes_.load(std::memory_order_relaxed); }  // bodies as stored
  uint64_t stored_bytes() const;
  uint64_t pages_checked() const { return pages_checked_.load(std::memory_order_relaxed); }
  uint64_t corrupt_pages() const { return corrupt_pages_.load(std::memory_order_relaxed); }
  // The entry of a file as it was stored: with the size and time at its opening where these count, of a file that is not a
  // relation's and was rewritten since the walk.
  FileEntry Stored(size_t index) const;
  // By index in the set.
  const std::map<size_t, CorruptBlocks>& corrupt_blocks() const { return corrupt_; }
  // The digest of a stored file. REQUIRES: options.sha256.
  const std::array<uint8_t, 32>& Sha256Of(size_t index) const { return digests_[index]; }

 private:
  class Lane;
  struct BigFile;

  TarEntry HeaderOf(const FileEntry& entry) const;
  RangeRead RangeOf(const FileEntry& entry, const std::string& path, int fd) const;
  Status PackRun(const Context& ctx, const TarUnit& unit, const Emit& emit);
  Result<FileEntry> EntryNow(size_t index, int fd);
  Status PackFile(const Context& ctx, size_t index, MutableByteSpan buffer, const Emit& emit);
  Status PackRange(const Context& ctx, BigFile& file, size_t range, const Emit& emit);
  Status HashInTurn(const Context& ctx, BigFile& file, size_t range, ByteSpan bytes, const Emit& emit);
  void Finish(const Context& ctx, BigFile& file);
  void Record(const Context& ctx, size_t index, const FileEntry& entry, uint32_t crc32c, std::vector<uint32_t> corrupt);
  void Shrank(const Context& ctx, const FileEntry& entry);
  void Vanished(const Context& ctx, size_t index, const std::string& path);
  Status RunLanes(const Context& ctx);
  void Done(const std::string& tar_name, const ObjectStats& stats);
  Buffer TakeBuffer();
  void GiveBuffer(Buffer buffer);

  FileSet& files_;
  Storage& storage_;
  const Codec codec_;
  ProgressCounters* const progress_;
  const TarUploadOptions options_;
  TokenBucket disk_;
  TarPlanner planner_;
  ReadLimit limit_;
  std::vector<std::array<uint8_t, 32>> digests_;
  std::atomic<uint64_t> payload_bytes_{0}, pages_checked_{0}, corrupt_pages_{0};
  std::atomic<uint32_t> last_part_{0};
  mutable std::mutex mutex_;
  std::vector<Buffer> buffers_;               // guarded by mutex_
  std::vector<ProofObject> objects_;          // guarded by mutex_ while Pack runs
  std::map<size_t, CorruptBlocks> corrupt_;   // guarded by mutex_ while Pack runs
  std::map<size_t, FileEntry> rewritten_;     // guarded by mutex_ while Pack runs; files that differ from the walk
  uint64_t warnings_ = 0;                     // guarded by mutex_
};

}  // namespace walrig
