#include "plugins/storage/ssh/writer.h"

#include <algorithm>
#include <new>
#include <tuple>

#include "plugins/storage/fs/names.h"
#include "walrig/sdk/call.h"

namespace walrig::ssh {
namespace {

// Somebody may remove the folder as empty between our making it and our using it; he must lose interest some time.
constexpr int kOpenAttemptsMax = 16;
constexpr uint64_t kInFlightMinBytes = 256 * 1024;
constexpr uint64_t kCopyPieceBytes = 64u << 20;
constexpr uint64_t kAbortMs = 2000;

}  // namespace

ObjectWriter::ObjectWriter(Folders& folders, SftpPool::Lease sftp, std::string_view key, const PutOptions& options,
                           uint64_t in_flight_bytes)
    : folders_(folders),
      sftp_(std::move(sftp)),
      key_(key),
      size_expected_(options.size_bytes),
      only_if_absent_(options.only_if_absent),
      in_flight_max_bytes_(std::max(kInFlightMinBytes, std::min(in_flight_bytes, options.memory_budget_bytes / 2))) {
  std::tie(folder_, name_) = fs::SplitKey(key);
}

ObjectWriter::~ObjectWriter() { Abort(); }

Result<std::unique_ptr<ObjectWriter>> ObjectWriter::New(const Context& ctx, Folders& folders, SftpPool::Lease sftp,
                                                        std::string_view key, const PutOptions& options,
                                                        uint64_t in_flight_bytes) {
  if (options.only_if_absent && !sftp->extensions().hardlink) {
    return NotSupported("object " + std::string(key) + ": this sftp server has no atomic way to store only if absent")
        .Hint("it needs hardlink@openssh.com, as OpenSSH's sftp-server has it");
  }
  std::unique_ptr<ObjectWriter> writer(new ObjectWriter(folders, std::move(sftp), key, options, in_flight_bytes));
  WALRIG_TRY(writer->Open(ctx));
  return writer;
}

Status ObjectWriter::CheckTarget(const AnswerPacket& found) const {
  if (found.IsStatus()) return OkStatus();
  WALRIG_ASSIGN(const Attributes attributes, found.ReadAttributes());
  if (attributes.IsFolder()) return NameInvalid("object " + key_ + ": other objects lie below this name");
  if (only_if_absent_) return AlreadyExists("object " + key_ + " exists");
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
      temp_path_ = temp_path;
      WALRIG_ASSIGN(handle_, opened.ReadHandle());
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
  WALRIG_TRY(sdk::PollStop(ctx));
  WALRIG_TRY(Announced(bytes.size()));
  const size_t piece_bytes = sftp_->write_bytes_max();
  while (!bytes.empty()) {
    if (gathered_.empty() && bytes.size() >= piece_bytes) {
      WALRIG_TRY(Send(ctx, bytes.first(piece_bytes)));
      bytes = bytes.subspan(piece_bytes);
      continue;
    }
    const size_t take = std::min(bytes.size(), piece_bytes - gathered_.size());
    gathered_.insert(gathered_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(take));
    bytes = bytes.subspan(take);
    if (gathered_.size() < piece_bytes) continue;
    WALRIG_TRY(Send(ctx, gathered_));
    gathered_.clear();
  }
  return OkStatus();
}

Status ObjectWriter::Send(const Context& ctx, ByteSpan piece) {
  while (in_flight_bytes_ > 0 && in_flight_bytes_ + piece.size() > in_flight_max_bytes_) WALRIG_TRY(AwaitOne(ctx));
  const uint64_t offset = sent_bytes_;
  WALRIG_ASSIGN(const uint32_t id, sftp_->Start(
                                       Request::kWrite,
                                       [&](PacketBuilder& p) { p.Text(handle_).U64(offset).Bytes(piece); },
                                       piece.size() + 300));
  pieces_.push_back({id, piece.size()});
  in_flight_bytes_ += piece.size();
  sent_bytes_ += piece.size();
  // What was answered meanwhile makes room, and an error is seen early.
  while (!pieces_.empty()) {
    WALRIG_ASSIGN(const bool ready, sftp_->Ready(pieces_.front().id));
    if (!ready) break;
    WALRIG_TRY(AwaitOne(ctx));
  }
  return OkStatus();
}

Status ObjectWriter::AwaitOne(const Context& ctx) {
  const Piece piece = pieces_.front();
  pieces_.pop_front();
  in_flight_bytes_ -= piece.size_bytes;
  WALRIG_ASSIGN(const AnswerPacket answer, sftp_->Await(ctx, piece.id));
  const Status status = ExpectOk(answer, "write object " + key_);
  return status.ok() ? status : folders_.Explain(ctx, *sftp_, status);
}

Status ObjectWriter::FlushAll(const Context& ctx) {
  if (!gathered_.empty()) WALRIG_TRY(Send(ctx, gathered_));
  gathered_.clear();
  while (!pieces_.empty()) WALRIG_TRY(AwaitOne(ctx));
  return OkStatus();
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
  if (handle_.empty()) return Internal("commit of object " + key_ + " after commit or abort");
  Status status = sdk::PollStop(ctx);
  const uint64_t total = sent_bytes_ + gathered_.size();
  if (status.ok() && size_expected_ != kUnknownSize && total != size_expected_) {
    status = InvalidArgument("object " + key_ + ": " + std::to_string(total) + " bytes came, " +
                             std::to_string(size_expected_) + " were announced");
  }
  if (status.ok()) status = FlushAll(ctx);
  if (status.ok()) status = CloseFile(ctx);
  if (status.ok()) status = GiveName(ctx);
  if (!status.ok()) {
    Abort();
    return status;
  }
  temp_path_.clear();
  Status synced = folders_.Sync(ctx, *sftp_, folders_.PathOf(folder_));
  if (synced.ok()) synced = folders_.Await(ctx);
  return synced.ok() ? synced : std::move(synced).OutcomeUnknown();
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
  Result<AnswerPacket> answer = sftp_->Call(ctx, posix ? Request::kExtended : Request::kRename, fill);
  if (!answer.ok()) return std::move(answer).status().OutcomeUnknown();
  const Status status = ExpectOk(*answer, "name object " + key_);
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
  Result<AnswerPacket> answer = sftp_->Call(ctx, Request::kExtended, [&](PacketBuilder& p) {
    p.Text("hardlink@openssh.com").Text(temp_path_).Text(target);
  });
  if (!answer.ok()) return std::move(answer).status().OutcomeUnknown();
  const Status status = ExpectOk(*answer, "name object " + key_);
  if (!status.ok()) {
    const Result<Attributes> there = folders_.Look(ctx, *sftp_, key_);
    if (there.ok()) return AlreadyExists("object " + key_ + " exists");
    return folders_.Explain(ctx, *sftp_, status);
  }
  Result<AnswerPacket> removed =
      sftp_->Call(ctx, Request::kRemove, [&](PacketBuilder& p) { p.Text(temp_path_); });
  // The object is there; what stays is a second name that counts as an unfinished upload.
  removed.status().Ignore("the object has its name");
  return OkStatus();
}

void ObjectWriter::Abort() noexcept {
  try {
    for (const Piece& piece : pieces_) sftp_->Forget(piece.id);
    pieces_.clear();
    const std::string handle = std::exchange(handle_, "");
    const std::string temp = std::exchange(temp_path_, "");
    if ((handle.empty() && temp.empty()) || !sftp_->usable()) return;
    sdk::SystemClock clock;
    Context ctx;
    ctx.clock = &clock;
    ctx.deadline_ns = clock.MonotonicNs() + kAbortMs * 1'000'000;
    if (!handle.empty()) {
      Result<uint32_t> close = sftp_->Start(Request::kClose, [&](PacketBuilder& p) { p.Text(handle); });
      if (close.ok()) sftp_->Forget(*close);
    }
    if (temp.empty()) return;
    if (!sftp_->Call(ctx, Request::kRemove, [&](PacketBuilder& p) { p.Text(temp); }).ok()) return;
    folders_.Prune(ctx, *sftp_, folder_);
  } catch (const std::bad_alloc&) {
    // A temporary file stays, and counts as an unfinished upload.
  }
}

}  // namespace walrig::ssh
