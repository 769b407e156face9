// ObjectWriter: an object being written over SFTP.
//
// Writes to a temporary name beside the object, many pieces under way at once; Commit waits for all of them, syncs the
// file, gives it its name at once and syncs the folder. Until then nothing is visible.
//
// OWNS: its share of a connection. THREADS: one at a time; the folders must outlive it.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/storage/ssh/folders.h"
#include "plugins/storage/ssh/sftp.h"
#include "walrig/storage.h"
#include "walrig/stream.h"

namespace walrig::ssh {

class ObjectWriter final : public Sink {
 public:
  // `in_flight_bytes`: how much may be sent and not yet acknowledged.
  // FAILS WITH: kAlreadyExists, kNameInvalid (a folder has that name), kNotSupported (only_if_absent, and the server has
  // no hardlink@openssh.com), kPermission, kNoSpace.
  static Result<std::unique_ptr<ObjectWriter>> New(const Context& ctx, Folders& folders, SftpPool::Lease sftp,
                                                   std::string_view key, const PutOptions& options,
                                                   uint64_t in_flight_bytes);
  ~ObjectWriter() override;

  Status Write(const Context& ctx, ByteSpan bytes) override;
  // Takes `size_bytes` of an open file of the same connection without moving them through us.
  Status CopyFrom(const Context& ctx, const std::string& handle, uint64_t size_bytes);
  // FAILS WITH: kInvalidArgument when the count differs from options.size_bytes; kAlreadyExists; kUnavailable with
  // outcome_unknown when the connection broke while the name was given.
  Status Commit(const Context& ctx) override;
  void Abort() noexcept override;

  Sftp& sftp() { return *sftp_; }

 private:
  ObjectWriter(Folders& folders, SftpPool::Lease sftp, std::string_view key, const PutOptions& options,
               uint64_t in_flight_bytes);
  struct Piece {
    uint32_t id;
    size_t size_bytes;
  };

  Status Open(const Context& ctx);
  Status CheckTarget(const AnswerPacket& found) const;
  Status Send(const Context& ctx, ByteSpan piece);
  Status AwaitOne(const Context& ctx);
  Status FlushAll(const Context& ctx);
  Status CloseFile(const Context& ctx);
  Status GiveName(const Context& ctx);
  Status Link(const Context& ctx);
  Status Announced(uint64_t more_bytes) const;

  Folders& folders_;
  SftpPool::Lease sftp_;
  std::string key_, folder_, name_, temp_path_, handle_;
  uint64_t size_expected_;
  bool only_if_absent_;
  uint64_t in_flight_max_bytes_;
  uint64_t in_flight_bytes_ = 0;
  uint64_t sent_bytes_ = 0;
  std::deque<Piece> pieces_;
  std::vector<uint8_t> gathered_;  // small writes, until they make a piece
};

}  // namespace walrig::ssh
