#include "plugins/storage/ssh/folders.h"

#include <chrono>

#include "plugins/storage/fs/names.h"
#include "walrig/sdk/call.h"

namespace walrig::ssh {
namespace {

constexpr uint32_t kAttributesMode = 4;
constexpr uint32_t kFolderMode = 0755;
constexpr uint64_t kFreeBytesMin = 1u << 20;

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

std::string Folders::PathOf(std::string_view key) const {
  if (key.empty()) return root_;
  return (root_ == "/" ? "/" : root_ + "/") + std::string(key);
}

Result<Attributes> Folders::Look(const Context& ctx, Sftp& sftp, std::string_view key) const {
  const std::string path = PathOf(key);
  WALRIG_ASSIGN(const AnswerPacket answer, sftp.Call(ctx, Request::kLstat, [&](PacketBuilder& p) { p.Text(path); }));
  if (!answer.IsStatus()) return answer.ReadAttributes();
  WALRIG_TRY(ExpectOk(answer, "stat object " + std::string(key)));
  return ProtocolError("sftp: stat was answered without attributes");
}

// Looked at anew each time: a disk can go while we run, and only what is absent pays the round trip.
Status Folders::ConfirmAbsent(const Context& ctx, Sftp& sftp, Status status) const {
  if (status.code() != Code::kNotFound) return status;
  WALRIG_ASSIGN(const AnswerPacket there, sftp.Call(ctx, Request::kStat, [&](PacketBuilder& p) { p.Text(root_); }));
  const std::string what = "option prefix (WALG_SSH_PREFIX): directory " + root_;
  if (there.IsStatus()) {
    const Status failed = ExpectOk(there, what);
    if (failed.code() != Code::kNotFound) return failed.ok() ? ProtocolError("sftp: stat was answered without attributes") : failed;
    return ConfigError(what + " does not exist on the server")
        .Hint("mount its disk; for a new archive create it, or let the first backup or WAL file do so");
  }
  WALRIG_ASSIGN(const Attributes attributes, there.ReadAttributes());
  return attributes.IsFolder() ? std::move(status) : ConfigError(what + " is not a directory");
}

Status Folders::Make(const Context& ctx, Sftp& sftp, const std::string& folder) {
  while (!making_.try_lock_for(std::chrono::milliseconds(100))) WALRIG_TRY(sdk::PollStop(ctx));
  const std::lock_guard lock(making_, std::adopt_lock);
  WALRIG_TRY(SyncLeft(ctx, sftp));
  return MakeWithParents(ctx, sftp, PathOf(folder));
}

Status Folders::Await(const Context& ctx, Sftp& sftp) {
  while (!making_.try_lock_for(std::chrono::milliseconds(100))) WALRIG_TRY(sdk::PollStop(ctx));
  const std::lock_guard lock(making_, std::adopt_lock);
  return SyncLeft(ctx, sftp);
}

// REQUIRES: making_ is held.
Status Folders::SyncLeft(const Context& ctx, Sftp& sftp) {
  while (!unsynced_.empty()) {
    WALRIG_TRY(Sync(ctx, sftp, *unsynced_.begin()));
    unsynced_.erase(unsynced_.begin());
  }
  return OkStatus();
}

Result<Fx> Folders::MakeOne(const Context& ctx, Sftp& sftp, const std::string& path) {
  WALRIG_ASSIGN(const AnswerPacket answer, sftp.Call(ctx, Request::kMkdir, [&](PacketBuilder& p) {
                  p.Text(path).U32(kAttributesMode).U32(kFolderMode);
                }));
  return answer.ReadStatus();
}

// From the deepest up and down again: mostly only one folder is missing. REQUIRES: making_ is held.
Status Folders::MakeWithParents(const Context& ctx, Sftp& sftp, const std::string& path) {
  std::vector<std::string> missing{path};
  while (!missing.empty()) {
    WALRIG_TRY(sdk::PollStop(ctx));
    const std::string next = missing.back();
    // Noted before: whoever finds the folder made syncs nothing of his own.
    unsynced_.insert(ParentOf(next));
    WALRIG_ASSIGN(const Fx code, MakeOne(ctx, sftp, next));
    if (code == Fx::kOk) {
      WALRIG_TRY(SyncLeft(ctx, sftp));
      missing.pop_back();
      continue;
    }
    unsynced_.erase(ParentOf(next));
    WALRIG_ASSIGN(const AnswerPacket there, sftp.Call(ctx, Request::kStat, [&](PacketBuilder& p) { p.Text(next); }));
    if (!there.IsStatus()) {
      WALRIG_ASSIGN(const Attributes attributes, there.ReadAttributes());
      if (!attributes.IsFolder()) return NameInvalid("make folder " + next + ": a file has that name");
      missing.pop_back();
      continue;
    }
    if (code != Fx::kNoSuchFile || next == "/" || missing.size() > 1100) {
      return Explain(ctx, sftp, StatusOf(code, "", "make folder " + next));
    }
    missing.push_back(ParentOf(next));
  }
  return OkStatus();
}

std::string Folders::Prune(const Context& ctx, Sftp& sftp, const std::string& folder) const {
  std::string left = folder;
  while (!left.empty()) {
    const std::string path = PathOf(left);
    const Result<AnswerPacket> answer =
        sftp.Call(ctx, Request::kRmdir, [&](PacketBuilder& p) { p.Text(path); });
    if (!answer.ok()) break;
    const Result<Fx> code = answer->ReadStatus();
    if (!code.ok() || (*code != Fx::kOk && *code != Fx::kNoSuchFile)) break;
    left = fs::SplitKey(left).first;
  }
  return left;
}

// Linux opens folders for reading like files, so fsync@openssh.com takes them too.
Status Folders::Sync(const Context& ctx, Sftp& sftp, const std::string& path) {
  if (!sync_ || !sftp.extensions().fsync) return OkStatus();
  WALRIG_ASSIGN(const AnswerPacket opened, sftp.Call(ctx, Request::kOpen, [&](PacketBuilder& p) {
                  p.Text(path).U32(kOpenRead).U32(0);
                }));
  const std::string what = "sync folder " + path;
  if (opened.IsStatus()) {
    WALRIG_ASSIGN(const Fx code, opened.ReadStatus());
    // One that may not be read cannot be synced, and one that is gone has no entries.
    if (code == Fx::kPermissionDenied || code == Fx::kNoSuchFile) return OkStatus();
    // Servers that open no folders at all have no code of their own to say so.
    return opens_folders_ ? ExpectOk(opened, what) : OkStatus();
  }
  opens_folders_ = true;
  WALRIG_ASSIGN(const std::string handle, opened.ReadHandle());
  WALRIG_ASSIGN(const uint32_t sync, sftp.Start(Request::kExtended, [&](PacketBuilder& p) {
                  p.Text("fsync@openssh.com").Text(handle);
                }));
  WALRIG_ASSIGN(const uint32_t close, sftp.Start(Request::kClose, [&](PacketBuilder& p) { p.Text(handle); }));
  sftp.Forget(close);
  WALRIG_ASSIGN(const AnswerPacket answer, sftp.Await(ctx, sync));
  WALRIG_ASSIGN(const Fx code, answer.ReadStatus());
  // A file system that syncs no folders says "invalid argument".
  return code == Fx::kOpUnsupported || code == Fx::kBadMessage ? OkStatus() : ExpectOk(answer, what);
}

Status Folders::Explain(const Context& ctx, Sftp& sftp, Status status) const {
  if (status.code() != Code::kIoError || !sftp.extensions().statvfs || !sftp.usable()) return status;
  Result<AnswerPacket> answer = sftp.Call(ctx, Request::kExtended, [&](PacketBuilder& p) {
    p.Text("statvfs@openssh.com").Text(root_);
  });
  if (!answer.ok() || answer->IsStatus()) return status;
  // Block size, fragment size, blocks, free, available, files, free, available, id, flags, longest name.
  const Result<std::vector<uint64_t>> numbers = answer->ReadNumbers(11);
  if (!numbers.ok()) return status;
  const std::vector<uint64_t>& n = *numbers;
  Status::Detail detail = status.detail();
  if ((n[9] & 1) != 0) {
    return Status(Code::kReadOnly, std::string(status.message()) + " (the file system is read-only)")
        .WithDetail(std::move(detail));
  }
  const bool no_blocks = n[1] != 0 && n[4] < kFreeBytesMin / n[1] + 1;
  const bool no_files = n[5] != 0 && n[7] == 0;
  if (!no_blocks && !no_files) return status;
  return Status(Code::kNoSpace, std::string(status.message()) + " (no space is left on the server)")
      .WithDetail(std::move(detail))
      .Hint("free space on the server, or delete old backups");
}

}  // namespace walrig::ssh
