#include "plugins/storage/ssh/writer.h"

#include <algorithm>
#include <new>
#include <tuple>

#include "plugins/storage/fs/names.h"
#include "plugins/storage/ssh/reader.h"
#include "walrig/sdk/call.h"
#include "walrig/sdk/guard.h"

namespace walrig::ssh {
namespace {

// Somebody may remove the folder as empty between our making it and our using it; he must lose interest some time.
constexpr int kOpenAttemptsMax = 16;
constexpr uint64_t kInFlightMinBytes = 256 * 1024;
constexpr uint64_t kCopyPieceBytes = 64u << 20;
constexpr uint64_t kAbortMs = 2000;

}  // namespace

ObjectWriter::ObjectWriter(Folders& folders, SftpPool::Lease sftp, std::string_view key, const PutOptions& options,
                           uint64_t in_flight_bytes, Connect connect)
    : folders_(folders),
      sftp_(std::move(sftp)),
      connect_(std::move(connect)),
      key_(key),
      size_expected_(options.size_bytes),
      only_if_absent_(options.only_if_absent),
      in_flight_max_bytes_(std::max(kInFlightMinBytes, std::min(in_flight_bytes, options.memory_budget_bytes / 2))) {
  std::tie(folder_, name_) = fs::SplitKey(key);
}

ObjectWriter::~ObjectWriter() { Abort(); }

Result<std::unique_ptr<ObjectWriter>> ObjectWriter::New(const Context& ctx, Folders& folders, SftpPool::Lease sftp,
                                                        std::string_view key, const PutOptions& options,
                                                        uint64_t in_flight_bytes, Connect connect) {
  if (options.only_if_absent && !sftp->extensions().hardlink) {
    return NotSupported("object " + std::string(key) + ": this sftp server has no atomic way to store only if absent")
        .Hint("it needs hardlink@openssh.com, as OpenSSH's sftp-server has it; set WALRIG_STORAGE=ssh,put_if_absent=false if no "
              "two writers share this directory: one would replace the other's objects unnoticed");
  }
  std::unique_ptr<ObjectWriter> writer(new ObjectWriter(folders, std::move(sftp), key, options, in_flight_bytes,
                                                        std::move(connect)));
  WALRIG_TRY(writer->Open(ctx));
  return writer;
}

Status ObjectWriter::CheckTarget(const AnswerPacket& found) {
  if (found.IsStatus()) return OkStatus();
  WALRIG_ASSIGN(const Attributes attributes, found.ReadAttributes());
  if (attributes.IsFolder()) return NameInvalid("object " + key_ + ": other objects lie below this name");
  if (only_if_absent_) return AlreadyExists("object " + key_ + " exists");
  replaces_ = true;
  return OkStatus();
}

Status ObjectWriter::Open(const Context& ctx) {
  const std::string target = folders_.PathOf(key_);
  for (int attempt = 0;; ++attempt) {
    const std::string temp = (folder_.empty() ? "" : folder_ + "/") + fs::TempName(name_, ctx.clock->WallNs());
    WALRIG_ASSIGN(const uint32_t look, sftp_->Start(Request::kLstat, [&](PacketBuilder& p) { p.Text(target); }));
    const std::string temp_path = folders_.PathOf(temp);
    WALRIG_ASSIGN(const AnswerPacket opened, sftp_->Call(ctx, Request::kOpen, [&](PacketBuilder& p) {
                    p.Text(temp_path).U32(kOpenWrite | kOpenCreate | kOpenExclusive).U32(0);
                  }));
    if (!opened.IsStatus()) {
      // From here on the file is ours to remove.
      temp_ = temp;
      temp_path_ = temp_path;
      WALRIG_ASSIGN(handle_, opened.ReadHandle());
      open_ = true;
      piece_bytes_ = sftp_->write_bytes_max();
    }
    WALRIG_ASSIGN(const AnswerPacket found, sftp_->Await(ctx, look));
    WALRIG_TRY(CheckTarget(found));
    if (!opened.IsStatus()) return OkStatus();
    std::string text;
    WALRIG_ASSIGN(const Fx code, opened.ReadStatus(&text));
    if (code != Fx::kNoSuchFile || attempt == kOpenAttemptsMax) {
      return folders_.Explain(ctx, *sftp_, StatusOf(code, text, "create object " + key_));
    }
    WALRIG_TRY(folders_.Make(ctx, *sftp_, folder_));
  }
}

Status ObjectWriter::Announced(uint64_t more_bytes) const {
  const uint64_t total = sent_bytes_ + gathered_.size();
  if (size_expected_ == kUnknownSize || more_bytes <= size_expected_ - std::min(size_expected_, total)) return OkStatus();
  return InvalidArgument("object " + key_ + ": more than the announced " + std::to_string(size_expected_) + " bytes");
}

Status ObjectWriter::Write(const Context& ctx, ByteSpan bytes) {
  if (!open_) return Internal("write to object " + key_ + " after commit or abort");
  WALRIG_TRY(sdk::PollStop(ctx));
  bytes = bytes.subspan(std::min(taken_bytes_, bytes.size()));
  WALRIG_TRY(Announced(bytes.size()));
  Status status = lost_ ? Reconnect(ctx) : OkStatus();
  if (status.ok()) status = Take(ctx, bytes);
  if (!status.ok()) return Resumably(std::move(status));
  taken_bytes_ = 0;
  return status;
}

// Counts in taken_bytes_ what need not come again.
Status ObjectWriter::Take(const Context& ctx, ByteSpan bytes) {
  while (true) {
    if (gathered_.size() == piece_bytes_) WALRIG_TRY(SendGathered(ctx));
    if (bytes.empty()) return OkStatus();
    if (gathered_.capacity() < piece_bytes_ && !spare_.empty()) {
      spare_.back().assign(gathered_.begin(), gathered_.end());
      gathered_ = std::move(spare_.back());
      spare_.pop_back();
    }
    const size_t take = std::min(bytes.size(), piece_bytes_ - gathered_.size());
    gathered_.insert(gathered_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(take));
    taken_bytes_ += take;
    bytes = bytes.subspan(take);
  }
}

Status ObjectWriter::SendGathered(const Context& ctx) {
  while (in_flight_bytes_ > 0 && in_flight_bytes_ + gathered_.size() > in_flight_max_bytes_) WALRIG_TRY(AwaitOne(ctx));
  pieces_.push_back({.offset = sent_bytes_, .bytes = std::move(gathered_)});
  gathered_ = {};
  in_flight_bytes_ += pieces_.back().bytes.size();
  sent_bytes_ += pieces_.back().bytes.size();
  WALRIG_TRY(Ask(pieces_.back()));
  // What was answered meanwhile makes room, and an error is seen early.
  while (!pieces_.empty()) {
    WALRIG_ASSIGN(const bool ready, sftp_->Ready(pieces_.front().id));
    if (!ready) break;
    WALRIG_TRY(AwaitOne(ctx));
  }
  return OkStatus();
}

Status ObjectWriter::Ask(Piece& piece) {
  WALRIG_ASSIGN(piece.id, sftp_->Start(
                              Request::kWrite,
                              [&](PacketBuilder& p) { p.Text(handle_).U64(piece.offset).Bytes(piece.bytes); },
                              piece.bytes.size() + 300));
  piece.asked = true;
  return OkStatus();
}

Status ObjectWriter::AwaitOne(const Context& ctx) {
  Piece& piece = pieces_.front();
  piece.asked = false;  // whatever comes, the number is used up
  WALRIG_ASSIGN(const AnswerPacket answer, sftp_->Await(ctx, piece.id));
  const Status status = ExpectOk(answer, "write object " + key_);
  if (!status.ok()) return folders_.Explain(ctx, *sftp_, status);
  acknowledged_.Update(piece.bytes);
  acknowledged_bytes_ += piece.bytes.size();
  in_flight_bytes_ -= piece.bytes.size();
  piece.bytes.clear();
  spare_.push_back(std::move(piece.bytes));
  pieces_.pop_front();
  return OkStatus();
}

Status ObjectWriter::FlushAll(const Context& ctx) {
  if (!gathered_.empty()) WALRIG_TRY(SendGathered(ctx));
  while (!pieces_.empty()) WALRIG_TRY(AwaitOne(ctx));
  return OkStatus();
}

Status ObjectWriter::Resumably(Status status) {
  if (!status.retryable() || connect_ == nullptr) return status;
  lost_ = true;
  return std::move(status).Resumable();
}

// Writing a piece twice does no harm: it has its place.
Status ObjectWriter::Reconnect(const Context& ctx) {
  for (Piece& piece : pieces_) {
    if (std::exchange(piece.asked, false)) sftp_->Forget(piece.id);
  }
  if (!handle_.empty() && sftp_->usable()) {
    Result<uint32_t> close = sftp_->Start(Request::kClose, [&](PacketBuilder& p) { p.Text(handle_); });
    if (close.ok()) sftp_->Forget(*close);
  }
  handle_.clear();
  WALRIG_ASSIGN(sftp_, connect_(ctx));
  if (sftp_->write_bytes_max() < piece_bytes_) {
    return ProtocolError("sftp: the server takes less in one request than it took before");
  }
  WALRIG_TRY(CheckAcknowledged(ctx));
  WALRIG_ASSIGN(const AnswerPacket opened, sftp_->Call(ctx, Request::kOpen, [&](PacketBuilder& p) {
                  p.Text(temp_path_).U32(kOpenWrite).U32(0);
                }));
  if (opened.IsStatus()) return ExpectOk(opened, "open the temporary file of object " + key_ + " again");
  WALRIG_ASSIGN(handle_, opened.ReadHandle());
  for (Piece& piece : pieces_) WALRIG_TRY(Ask(piece));
  lost_ = false;
  return OkStatus();
}

Status ObjectWriter::CheckAcknowledged(const Context& ctx) {
  if (acknowledged_bytes_ == 0) return OkStatus();
  WALRIG_ASSIGN(const bool there, HasAcknowledged(ctx, temp_));
  if (there) return OkStatus();
  return Corruption("put object " + key_ + ": after the connection broke, the server has not what it acknowledged before")
      .Hint("the server crashed meanwhile, or somebody else wrote to the file; try again");
}

Result<bool> ObjectWriter::HasAcknowledged(const Context& ctx, const std::string& key) {
  GetOptions range;
  range.length = acknowledged_bytes_ + (naming_ ? 1 : 0);  // of what is complete, a byte more is another object
  auto reader = ObjectReader::Open(ctx, sftp_.Share(), folders_, key, range, in_flight_max_bytes_);
  if (reader.status().code() == Code::kNotFound) return false;
  WALRIG_TRY(reader.status());
  RunningHash stored;
  uint64_t bytes = 0;
  Buffer buffer(kIoBufferBytes);
  while (true) {
    WALRIG_ASSIGN(const size_t got, (*reader)->Read(ctx, buffer.span()));
    if (got == 0) break;
    stored.Update(buffer.first(got));
    bytes += got;
  }
  return bytes == acknowledged_bytes_ && stored.Value() == acknowledged_.Value();
}

Status ObjectWriter::CopyFrom(const Context& ctx, const std::string& handle, uint64_t size_bytes) {
  while (sent_bytes_ < size_bytes) {
    WALRIG_TRY(sdk::PollStop(ctx));
    // In pieces, since the server answers nothing else on this connection while it copies.
    const uint64_t piece = std::min(size_bytes - sent_bytes_, kCopyPieceBytes);
    WALRIG_ASSIGN(const AnswerPacket answer, sftp_->Call(ctx, Request::kExtended, [&](PacketBuilder& p) {
                    p.Text("copy-data").Text(handle).U64(sent_bytes_).U64(piece).Text(handle_).U64(sent_bytes_);
                  }));
    const Status status = ExpectOk(answer, "copy to object " + key_);
    if (!status.ok()) return folders_.Explain(ctx, *sftp_, status);
    sent_bytes_ += piece;
  }
  // The server does not say how much it copied.
  WALRIG_ASSIGN(const AnswerPacket answer,
                sftp_->Call(ctx, Request::kFstat, [&](PacketBuilder& p) { p.Text(handle_); }));
  WALRIG_ASSIGN(const Attributes attributes, answer.ReadAttributes());
  if (attributes.size_bytes == size_bytes) return OkStatus();
  return Truncated("copy to object " + key_ + ": the source became shorter meanwhile");
}

Status ObjectWriter::Commit(const Context& ctx) {
  if (!open_) return Internal("commit of object " + key_ + " after commit or abort");
  Status status = sdk::PollStop(ctx);
  const uint64_t total = sent_bytes_ + gathered_.size();
  if (status.ok() && size_expected_ != kUnknownSize && total != size_expected_) {
    status = InvalidArgument("object " + key_ + ": " + std::to_string(total) + " bytes came, " +
                             std::to_string(size_expected_) + " were announced");
  }
  if (status.ok() && !naming_) status = Complete(ctx);
  if (status.ok()) status = Name(ctx);
  if (!status.ok()) status = Resumably(std::move(status));
  if (naming_ && status.retryable()) status = std::move(status).OutcomeUnknown();
  if (status.resumable()) return status;
  if (!status.ok()) {
    Abort();
    return status;
  }
  temp_path_.clear();
  open_ = false;
  return OkStatus();
}

Status ObjectWriter::Complete(const Context& ctx) {
  if (lost_) WALRIG_TRY(Reconnect(ctx));
  WALRIG_TRY(FlushAll(ctx));
  return CloseFile(ctx);
}

// The name, and its folder synced; on another connection, what of that was not done before.
Status ObjectWriter::Name(const Context& ctx) {
  if (!naming_) {
    naming_ = true;
    WALRIG_TRY(GiveName(ctx));
  } else {
    WALRIG_ASSIGN(sftp_, connect_(ctx));
    WALRIG_ASSIGN(bool named, HasAcknowledged(ctx, key_));
    Status given = named ? OkStatus() : GiveName(ctx);
    if (!given.ok() && !given.retryable()) {
      // The server may have been at it still when it was looked at.
      WALRIG_ASSIGN(named, HasAcknowledged(ctx, key_));
    }
    if (!named) WALRIG_TRY(std::move(given));
    lost_ = false;
  }
  if (only_if_absent_) {
    Result<AnswerPacket> removed =
        sftp_->Call(ctx, Request::kRemove, [&](PacketBuilder& p) { p.Text(temp_path_); });
    // The object is there; what stays is a second name that counts as an unfinished upload.
    removed.status().Ignore("the object has its name");
  }
  return SyncName(ctx);
}

Status ObjectWriter::SyncName(const Context& ctx) {
  Status status = folders_.Sync(ctx, *sftp_, folders_.PathOf(folder_));
  if (status.ok()) status = folders_.Await(ctx, *sftp_);
  if (status.ok() || status.retryable() || replaces_) return status;
  // Whoever looks whether it is there would find it, and call it stored.
  const std::string target = folders_.PathOf(key_);
  sftp_->Call(ctx, Request::kRemove, [&](PacketBuilder& p) { p.Text(target); }).status().Ignore("the error before is told");
  return status;
}

Status ObjectWriter::CloseFile(const Context& ctx) {
  if (folders_.sync() && sftp_->extensions().fsync) {
    WALRIG_ASSIGN(const AnswerPacket synced, sftp_->Call(ctx, Request::kExtended, [&](PacketBuilder& p) {
                    p.Text("fsync@openssh.com").Text(handle_);
                  }));
    const Status status = ExpectOk(synced, "sync object " + key_);
    if (!status.ok()) return folders_.Explain(ctx, *sftp_, status);
  }
  WALRIG_ASSIGN(const AnswerPacket closed,
                sftp_->Call(ctx, Request::kClose, [&](PacketBuilder& p) { p.Text(handle_); }));
  handle_.clear();
  const Status status = ExpectOk(closed, "close object " + key_);
  return status.ok() ? status : folders_.Explain(ctx, *sftp_, status);
}

Status ObjectWriter::GiveName(const Context& ctx) {
  if (only_if_absent_) return Link(ctx);
  const std::string target = folders_.PathOf(key_);
  const bool posix = sftp_->extensions().posix_rename;
  const auto fill = [&](PacketBuilder& p) {
    if (posix) p.Text("posix-rename@openssh.com");
    p.Text(temp_path_).Text(target);
  };
  WALRIG_ASSIGN(const AnswerPacket answer, sftp_->Call(ctx, posix ? Request::kExtended : Request::kRename, fill));
  const Status status = ExpectOk(answer, "name object " + key_);
  if (status.ok()) return status;
  Result<Attributes> there = folders_.Look(ctx, *sftp_, key_);
  if (there.ok() && there->IsFolder()) return NameInvalid("object " + key_ + ": other objects lie below this name");
  if (there.ok() && !posix) {
    return NotSupported("object " + key_ + " exists, and this sftp server cannot replace a file at once")
        .Hint("it needs posix-rename@openssh.com, as OpenSSH's sftp-server has it");
  }
  return folders_.Explain(ctx, *sftp_, status);
}

// A second name is refused when the name is taken, by the server's kernel, so among all writers one wins.
Status ObjectWriter::Link(const Context& ctx) {
  const std::string target = folders_.PathOf(key_);
  WALRIG_ASSIGN(const AnswerPacket answer, sftp_->Call(ctx, Request::kExtended, [&](PacketBuilder& p) {
                  p.Text("hardlink@openssh.com").Text(temp_path_).Text(target);
                }));
  const Status status = ExpectOk(answer, "name object " + key_);
  if (status.ok()) return status;
  const Result<Attributes> there = folders_.Look(ctx, *sftp_, key_);
  if (there.ok()) return AlreadyExists("object " + key_ + " exists");
  return folders_.Explain(ctx, *sftp_, status);
}

void ObjectWriter::Abort() noexcept {
  // When it fails a temporary file stays, and counts as an unfinished upload.
  sdk::GuardSilently([&] { Withdraw(); });
}

void ObjectWriter::Withdraw() {
  open_ = false;
  for (const Piece& piece : pieces_) {
    if (piece.asked) sftp_->Forget(piece.id);
  }
  pieces_.clear();
  std::string handle = std::exchange(handle_, "");
  const std::string temp = std::exchange(temp_path_, "");
  if (handle.empty() && temp.empty()) return;
  sdk::SystemClock clock;
  Context ctx;
  ctx.clock = &clock;
  ctx.deadline_ns = clock.MonotonicNs() + kAbortMs * 1'000'000;
  if (!sftp_->usable()) {
    if (connect_ == nullptr) return;
    Result<SftpPool::Lease> other = connect_(ctx);
    if (!other.ok()) return;
    sftp_ = std::move(other).value();
    handle.clear();
  }
  if (!handle.empty()) {
    Result<uint32_t> close = sftp_->Start(Request::kClose, [&](PacketBuilder& p) { p.Text(handle); });
    if (close.ok()) sftp_->Forget(*close);
  }
  if (temp.empty()) return;
  if (!sftp_->Call(ctx, Request::kRemove, [&](PacketBuilder& p) { p.Text(temp); }).ok()) return;
  folders_.Prune(ctx, *sftp_, folder_);
}

}  // namespace walrig::ssh
