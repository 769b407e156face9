#include "plugins/storage/ssh/sftp.h"

#include <algorithm>
#include <utility>

#include "plugins/common/ssh/wait.h"

namespace walrig::ssh {
namespace {

constexpr uint32_t kVersion = 3;
// Room in OpenSSH's bound for the head of a packet.
constexpr uint64_t kPieceBytesMax = 128 * 1024;
constexpr uint32_t kPieceBytesMin = 4096;
// OpenSSH changes keys after 64 GiB of AES in counter mode; a new connection costs less than finding out whether this
// version of libssh2 gets through that in the middle of a stream.
constexpr uint64_t kRetireBytes = 48ull << 30;
// Another thread on the same connection may take our answer from the socket between our look and our wait.
constexpr uint64_t kSharedWaitMs = 5;
constexpr uint64_t kWaitMs = 1000;

}  // namespace

Status StatusOf(Fx code, std::string_view text, std::string_view what) {
  Code mapped = Code::kIoError;
  std::string reason = "the server says: " + (text.empty() ? std::string("failure") : std::string(text));
  std::string hint;
  bool retryable = false;
  switch (code) {
    case Fx::kNoSuchFile:
      mapped = Code::kNotFound;
      reason = "no such file";
      break;
    case Fx::kPermissionDenied:
      mapped = Code::kPermission;
      reason = "permission denied";
      hint = "give the user on the server read and write access to the directory of WALG_SSH_PREFIX";
      break;
    case Fx::kBadMessage: mapped = Code::kNameInvalid; break;
    case Fx::kOpUnsupported: mapped = Code::kNotSupported; break;
    case Fx::kNoConnection:
    case Fx::kConnectionLost:
      mapped = Code::kUnavailable;
      retryable = true;
      break;
    default: break;
  }
  Status::Detail detail;
  detail.native_code = static_cast<int32_t>(code);
  detail.retryable = retryable;
  Status status = Status(mapped, std::string(what) + ": " + reason).WithDetail(std::move(detail));
  return hint.empty() ? status : std::move(status).Hint(std::move(hint));
}

Status ExpectOk(const AnswerPacket& answer, std::string_view what) {
  std::string text;
  WALRIG_ASSIGN(const Fx code, answer.ReadStatus(&text));
  return code == Fx::kOk ? OkStatus() : StatusOf(code, text, what);
}

Result<std::shared_ptr<Sftp>> Sftp::Open(const Context& ctx, const SessionOptions& options) {
  WALRIG_ASSIGN(std::unique_ptr<Session> session, Session::Open(ctx, options));
  WALRIG_TRY(session->StartChannel(ctx, "subsystem", "sftp"));
  const std::shared_ptr<Sftp> sftp(new Sftp(std::move(session)));
  WALRIG_TRY(sftp->Greet(ctx));
  return sftp;
}

Status Sftp::Greet(const Context& ctx) {
  {
    const std::lock_guard lock(mutex_);
    // INIT has the version where others have their number; the answer is told by greeted_.
    queue_.push_back(PacketBuilder(Request::kInit, kVersion).Finish());
    slots_[0];
  }
  WALRIG_ASSIGN(const AnswerPacket answer, Await(ctx, 0));
  std::vector<std::pair<std::string, std::string>> extensions;
  WALRIG_ASSIGN(const uint32_t version, answer.ReadVersion(&extensions));
  if (version < kVersion) return NotSupported("the sftp server speaks version " + std::to_string(version) + " only");
  const auto has = [&extensions](std::string_view name, std::string_view value) {
    return std::find(extensions.begin(), extensions.end(),
                     std::pair<std::string, std::string>(name, value)) != extensions.end();
  };
  extensions_.posix_rename = has("posix-rename@openssh.com", "1");
  extensions_.fsync = has("fsync@openssh.com", "1");
  extensions_.hardlink = has("hardlink@openssh.com", "1");
  extensions_.statvfs = has("statvfs@openssh.com", "2");
  extensions_.copy_data = has("copy-data", "1");
  extensions_.limits = has("limits@openssh.com", "1");
  return extensions_.limits ? AskLimits(ctx) : OkStatus();
}

Status Sftp::AskLimits(const Context& ctx) {
  WALRIG_ASSIGN(const AnswerPacket answer,
                Call(ctx, Request::kExtended, [](PacketBuilder& p) { p.Text("limits@openssh.com"); }));
  if (answer.IsStatus()) return OkStatus();
  // Longest packet, read, write; open handles. 0 says nothing.
  WALRIG_ASSIGN(const std::vector<uint64_t> limits, answer.ReadNumbers(4));
  const auto piece = [](uint64_t limit, uint32_t* bytes) {
    if (limit >= kPieceBytesMin) *bytes = static_cast<uint32_t>(std::min(limit, kPieceBytesMax));
  };
  piece(limits[1], &read_bytes_max_);
  piece(limits[2], &write_bytes_max_);
  return OkStatus();
}

Status Sftp::Break(Status status) {
  if (!broken_.exchange(true)) broken_with_ = status;
  queue_.clear();
  slots_.clear();
  return status;
}

Result<uint32_t> Sftp::Start(Request type, const std::function<void(PacketBuilder&)>& fill, size_t size_hint) {
  const std::lock_guard lock(mutex_);
  if (broken_) return broken_with_;
  const uint32_t id = next_id_++;
  if (next_id_ == 0) next_id_ = 1;
  PacketBuilder packet(type, id, size_hint);
  fill(packet);
  queue_.push_back(std::move(packet).Finish());
  slots_[id];
  WALRIG_TRY(SendQueued());
  return id;
}

Result<AnswerPacket> Sftp::Await(const Context& ctx, uint32_t id) {
  const uint64_t began_ms = MonotonicMs();
  while (true) {
    short events = 0;
    {
      const std::lock_guard lock(mutex_);
      if (broken_) return broken_with_;
      const auto found = slots_.find(id);
      if (found == slots_.end()) return Internal("sftp: an answer was awaited twice");
      if (!found->second.ready) WALRIG_TRY(Pump());
      if (found->second.ready) {
        AnswerPacket answer = std::move(found->second.answer);
        slots_.erase(found);
        return answer;
      }
      const uint64_t now = MonotonicMs();
      const uint64_t alive_ms = std::max({session_->heard_ms(), progress_ms_, began_ms});
      if (now - alive_ms >= session_->options().stall_timeout_ms) {
        return Break(Timeout("sftp: " + session_->options().host + " was silent for " + std::to_string(now - alive_ms) +
                             " ms").Retryable());
      }
      const uint64_t keepalive_ms = uint64_t{session_->options().keepalive_s} * 1000;
      if (keepalive_ms != 0 && now - std::max(alive_ms, asked_ms_) >= keepalive_ms && !reading_first_ && queue_.empty()) {
        asked_ms_ = now;
        session_->KeepAlive();
      }
      events = session_->PollEvents();
    }
    Result<bool> ready = WaitFor(ctx, session_->fd(), events, users > 1 ? kSharedWaitMs : kWaitMs);
    if (!ready.ok()) {
      Forget(id);
      return std::move(ready).status();
    }
  }
}

Result<bool> Sftp::Ready(uint32_t id) {
  const std::lock_guard lock(mutex_);
  if (broken_) return broken_with_;
  const auto found = slots_.find(id);
  if (found == slots_.end()) return Internal("sftp: an answer was awaited twice");
  if (!found->second.ready) WALRIG_TRY(Pump());
  return found->second.ready;
}

void Sftp::Forget(uint32_t id) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(id);
  if (found == slots_.end()) return;
  if (found->second.ready) {
    slots_.erase(found);
  } else {
    found->second.forgotten = true;
  }
}

Result<AnswerPacket> Sftp::Call(const Context& ctx, Request type, const std::function<void(PacketBuilder&)>& fill) {
  WALRIG_ASSIGN(const uint32_t id, Start(type, fill));
  return Await(ctx, id);
}

Status Sftp::Pump() {
  // libssh2 keeps one half-sent packet: whoever began it must be called again first.
  if (reading_first_) WALRIG_TRY(ReceiveAll());
  while (true) {
    const uint64_t moved_bytes = session_->moved_bytes();
    WALRIG_TRY(SendQueued());
    if (!queue_.empty() && session_->SendBlocked()) return OkStatus();
    WALRIG_TRY(ReceiveAll());
    // Sending takes what has come from the socket, and what came may have opened the window: only when neither moved
    // anything is there a reason to wait for the socket.
    if (queue_.empty() || reading_first_ || session_->moved_bytes() == moved_bytes) return OkStatus();
  }
}

Status Sftp::SendQueued() {
  while (!queue_.empty() && !reading_first_) {
    const std::vector<uint8_t>& packet = queue_.front();
    Result<size_t> n = session_->Write({packet.data() + sent_bytes_, packet.size() - sent_bytes_});
    if (!n.ok()) return Break(std::move(n).status());
    if (*n == 0) return OkStatus();
    progress_ms_ = MonotonicMs();
    sent_bytes_ += *n;
    if (sent_bytes_ < packet.size()) continue;
    queue_.pop_front();
    sent_bytes_ = 0;
  }
  return OkStatus();
}

Status Sftp::ReceiveAll() {
  while (true) {
    Result<bool> got = ReceivePart();
    if (!got.ok()) return Break(std::move(got).status());
    if (*got) continue;
    reading_first_ = session_->SendBlocked();
    if (session_->moved_bytes() > kRetireBytes) retired_ = true;
    return OkStatus();
  }
}

Result<bool> Sftp::ReceivePart() {
  if (length_filled_ < sizeof length_) {
    WALRIG_ASSIGN(const size_t n, session_->Read({length_ + length_filled_, sizeof length_ - length_filled_}));
    length_filled_ += n;
    if (length_filled_ < sizeof length_) return n > 0;
    const uint32_t length = uint32_t{length_[0]} << 24 | uint32_t{length_[1]} << 16 | uint32_t{length_[2]} << 8 | length_[3];
    if (length < 5 || length > kAnswerBytesMax) {
      return ProtocolError("sftp: the server sent a packet of " + std::to_string(length) + " bytes")
          .Hint("a login script that prints something breaks sftp: try `sftp` by hand");
    }
    body_ = Buffer(length);
    body_filled_ = 0;
  }
  WALRIG_ASSIGN(const size_t n, session_->Read(body_.span().subspan(body_filled_)));
  body_filled_ += n;
  if (body_filled_ < body_.size()) return n > 0;
  length_filled_ = 0;
  WALRIG_TRY(TakeAnswer(std::exchange(body_, Buffer())));
  return true;
}

Status Sftp::TakeAnswer(Buffer body) {
  AnswerPacket answer(std::move(body));
  uint32_t id = 0;
  if (greeted_) {
    WALRIG_ASSIGN(id, answer.Id());
  } else if (answer.type() != Answer::kVersion) {
    return ProtocolError("sftp: the server did not say its version first");
  }
  greeted_ = true;
  const auto found = slots_.find(id);
  if (found == slots_.end() || found->second.ready) return ProtocolError("sftp: an answer that nobody asked for");
  if (found->second.forgotten) {
    slots_.erase(found);
    return OkStatus();
  }
  found->second.answer = std::move(answer);
  found->second.ready = true;
  return OkStatus();
}

}  // namespace walrig::ssh
