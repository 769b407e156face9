// ObjectReader: a range of an object being read over SFTP, many pieces asked for ahead.
//
// OWNS: its share of a connection. THREADS: one at a time.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "plugins/storage/ssh/folders.h"
#include "plugins/storage/ssh/sftp.h"
#include "walrig/storage.h"
#include "walrig/stream.h"

namespace walrig::ssh {

class ObjectReader final : public Source {
 public:
  // FAILS WITH: kNotFound, kPermission; kConfig when the storage's root is not there.
  static Result<std::unique_ptr<ObjectReader>> Open(const Context& ctx, SftpPool::Lease sftp, const Folders& folders,
                                                    std::string key, const GetOptions& options,
                                                    uint64_t in_flight_bytes);
  ~ObjectReader() override;

  // FAILS WITH: kTruncated when the file became shorter.
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override;

  const std::string& handle() const noexcept { return handle_; }
  uint64_t size_bytes() const noexcept { return end_ - begin_; }
  Sftp& sftp() { return *sftp_; }
  // Another share of the same connection.
  SftpPool::Lease ShareLease() const { return sftp_.Share(); }

 private:
  ObjectReader(SftpPool::Lease sftp, std::string key, uint64_t in_flight_bytes)
      : sftp_(std::move(sftp)), key_(std::move(key)), in_flight_max_bytes_(in_flight_bytes) {}
  struct Piece {
    uint32_t id;
    uint64_t offset;
    uint32_t size_bytes;
  };

  Status Ask(uint64_t offset, uint64_t length, bool in_front);
  Status AskAhead();
  Status Next(const Context& ctx);

  SftpPool::Lease sftp_;
  std::string key_, handle_;
  uint64_t in_flight_max_bytes_;
  uint64_t begin_ = 0, end_ = 0;  // of the range
  uint64_t asked_ = 0;       // up to where pieces were asked for
  uint64_t in_flight_bytes_ = 0;
  uint64_t window_bytes_ = 0;  // grows as long as the reader keeps up
  std::deque<Piece> pieces_;
  AnswerPacket answer_;
  ByteSpan rest_;  // of answer_, not given yet
};

}  // namespace walrig::ssh
