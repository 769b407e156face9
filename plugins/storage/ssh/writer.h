// ObjectWriter: an object being written over SFTP.
//
// Writes to a temporary name beside the object, many pieces under way at once; Commit waits for all of them, syncs the
// file, gives it its name at once and syncs the folder. Until then nothing is visible.
//
// A connection that breaks meanwhile is a resumable error: the next call takes another connection, reads back what the
// server had acknowledged, since a server that crashed may have lost it, and goes on with the pieces that it had not.
//
// OWNS: its share of a connection. THREADS: one at a time; the folders must outlive it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/ssh/running_hash.h"
#include "plugins/storage/ssh/folders.h"
#include "plugins/storage/ssh/sftp.h"
#include "walrig/storage.h"
#include "walrig/stream.h"

namespace walrig::ssh {

class ObjectWriter final : public Sink {
 public:
  using Connect = std::function<Result<SftpPool::Lease>(const Context&)>;

  // `in_flight_bytes`: how much may be sent and not yet acknowledged; so much is kept, too. `connect` finds another
  // connection when one breaks; without it nothing is resumable.
  // FAILS WITH: kAlreadyExists, kNameInvalid (a folder has that name), kNotSupported (only_if_absent, and the server has
  // no hardlink@openssh.com), kPermission, kNoSpace.
  static Result<std::unique_ptr<ObjectWriter>> New(const Context& ctx, Folders& folders, SftpPool::Lease sftp,
                                                   std::string_view key, const PutOptions& options,
                                                   uint64_t in_flight_bytes, Connect connect);
  ~ObjectWriter() override;

  // FAILS WITH: kCorruption when what the server had acknowledged is not there after a connection broke.
  Status Write(const Context& ctx, ByteSpan bytes) override;
  // Takes `size_bytes` of an open file of the same connection without moving them through us.
  Status CopyFrom(const Context& ctx, const std::string& handle, uint64_t size_bytes);
  // FAILS WITH: kInvalidArgument when the count differs from options.size_bytes; kAlreadyExists; resumably, with
  // outcome_unknown, when the connection broke while the name was given or its folder was synced: the next call looks
  // whether it was given, and syncs. A new name whose folder cannot be synced is taken away again.
  Status Commit(const Context& ctx) override;
  void Abort() noexcept override;

  Sftp& sftp() { return *sftp_; }

 private:
  void Withdraw();
  ObjectWriter(Folders& folders, SftpPool::Lease sftp, std::string_view key, const PutOptions& options,
               uint64_t in_flight_bytes, Connect connect);
  struct Piece {
    uint64_t offset = 0;
    std::vector<uint8_t> bytes;
    uint32_t id = 0;
    bool asked = false;  // `id` is a request of the present connection
  };

  Status Open(const Context& ctx);
  Status CheckTarget(const AnswerPacket& found);
  Status Take(const Context& ctx, ByteSpan bytes);
  Status SendGathered(const Context& ctx);
  Status Ask(Piece& piece);
  Status Resumably(Status status);
  Status Reconnect(const Context& ctx);
  Status CheckAcknowledged(const Context& ctx);
  // Whether an object of this key has the bytes that were acknowledged.
  Result<bool> HasAcknowledged(const Context& ctx, const std::string& key);
  Status Complete(const Context& ctx);
  Status Name(const Context& ctx);
  Status SyncName(const Context& ctx);
  Status AwaitOne(const Context& ctx);
  Status FlushAll(const Context& ctx);
  Status CloseFile(const Context& ctx);
  Status GiveName(const Context& ctx);
  Status Link(const Context& ctx);
  Status Announced(uint64_t more_bytes) const;

  Folders& folders_;
  SftpPool::Lease sftp_;
  const Connect connect_;
  std::string key_, folder_, name_, temp_, temp_path_, handle_;
  bool open_ = false;
  bool lost_ = false;            // the connection broke; the next call goes on with another
  bool naming_ = false;          // the file is complete, and the name may have been given
  bool replaces_ = false;        // there was an object of this name
  size_t piece_bytes_ = 0;
  uint64_t size_expected_;
  bool only_if_absent_;
  uint64_t in_flight_max_bytes_;
  uint64_t in_flight_bytes_ = 0;
  uint64_t sent_bytes_ = 0;
  uint64_t acknowledged_bytes_ = 0;
  RunningHash acknowledged_;          // hash of them
  size_t taken_bytes_ = 0;       // of the call that failed resumably
  std::deque<Piece> pieces_;
  std::vector<std::vector<uint8_t>> spare_;
  std::vector<uint8_t> gathered_;  // small writes, until they make a piece
};

}  // namespace walrig::ssh
