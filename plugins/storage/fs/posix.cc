#include "plugins/storage/fs/posix.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace walrig::fs {
namespace {

Code CodeOf(int err) {
  switch (err) {
    case ENOENT: return Code::kNotFound;
    case EEXIST: return Code::kAlreadyExists;
    case EACCES:
    case EPERM:
    case ELOOP: return Code::kPermission;
    case ENOSPC:
    case EDQUOT: return Code::kNoSpace;
    case EFBIG: return Code::kTooLarge;
    case EROFS: return Code::kReadOnly;
    case ENAMETOOLONG:
    case ENOTDIR:
    case EISDIR:
    case EILSEQ: return Code::kNameInvalid;
    case ENOMEM: return Code::kNoMemory;
    case ESTALE:
    case ETIMEDOUT:
    case EAGAIN:
    case EMFILE:
    case ENFILE: return Code::kUnavailable;
    default: return Code::kIoError;
  }
}

const char* HintOf(int err) {
  switch (err) {
    case EACCES:
    case EPERM: return "give the user that runs walrig read and write access to the storage's directory";
    case ENOSPC: return "free space on the storage's file system, or delete old backups";
    case EFBIG: return "raise the limit of this process (ulimit -f), or use a file system that takes larger files";
    case EDQUOT: return "raise the quota of the user that runs walrig";
    case EROFS: return "mount the storage's file system writable";
    case EIO: return "the storage's file system or device reported an error: see the kernel's log (dmesg)";
    case ENOMEM: return kOutOfMemoryHint;
    case ELOOP: return "a symbolic link below the storage's directory is not followed; mount or bind-mount instead";
    default: return "";
  }
}

}  // namespace

Status ErrnoStatus(int err, std::string_view what) {
  std::string reason = err == ENOMEM ? "out of memory" : std::generic_category().message(err);
  if (!reason.empty() && reason[0] >= 'A' && reason[0] <= 'Z') reason[0] = static_cast<char>(reason[0] - 'A' + 'a');
  const Code code = CodeOf(err);
  Status::Detail detail;
  detail.retryable = code == Code::kUnavailable;
  detail.os_errno = err;
  Status status = Status(code, std::string(what) + ": " + reason).WithDetail(std::move(detail));
  if (const char* hint = HintOf(err); *hint != '\0') status = std::move(status).Hint(hint);
  return status;
}

Fd OpenBelow(int root, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  long fd = -1;
  do {
    fd = ::syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof how);
  } while (fd < 0 && errno == EINTR);
  // Old kernels do not know the call, and some container runtimes refuse what they do not know.
  if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL)) return WalkBelow(root, path, flags, mode);
  return Fd(static_cast<int>(fd));
}

Fd WalkBelow(int root, const std::string& path, int flags, mode_t mode) {
  Fd dir;
  int at = root;
  size_t begin = 0;
  while (true) {
    const size_t end = path.find('/', begin);
    std::string part = path.substr(begin, end == std::string::npos ? end : end - begin);
    if (part.empty()) part = ".";
    const bool last = end == std::string::npos;
    const int part_flags = last ? flags : (O_PATH | O_DIRECTORY);
    Fd next(::openat(at, part.c_str(), part_flags | O_NOFOLLOW | O_CLOEXEC, mode));
    if (last || !next.valid()) {
      // O_PATH | O_NOFOLLOW opens the link itself instead of failing.
      struct stat s{};
      if (next.valid() && (flags & O_PATH) != 0 && ::fstat(next.get(), &s) == 0 && S_ISLNK(s.st_mode)) {
        next.Close();
        errno = ELOOP;
      }
      return next;
    }
    dir = std::move(next);
    at = dir.get();
    begin = end + 1;
  }
}

void GiveToOwnerOf(int folder_fd, int root_fd, int fd) noexcept {
  if (::geteuid() != 0) return;
  struct stat folder{};
  struct stat made{};
  if (::fstat(folder_fd, &folder) != 0 || ::fstat(fd, &made) != 0 || made.st_uid != 0) return;
  const auto is_roots = [&folder] { return folder.st_uid == 0 && folder.st_gid == 0; };
  if (is_roots() && (::fstat(root_fd, &folder) != 0 || is_roots())) return;
  if (::fchown(fd, folder.st_uid, folder.st_gid) != 0) return;
  const mode_t rights = folder.st_mode & (S_ISDIR(made.st_mode) ? S_ISGID | S_IRWXG : S_IRGRP | S_IWGRP);
  static_cast<void>(::fchmod(fd, (made.st_mode & 07777) | rights));
}

int SyncFolderFd(int fd) { return ::fsync(fd) == 0 || errno == EINVAL ? 0 : errno; }

std::string EtagOf(const struct stat& s) {
  char text[80];
  const int n = std::snprintf(text, sizeof text, "%llx-%llx-%llx-%llx", static_cast<unsigned long long>(s.st_dev),
                              static_cast<unsigned long long>(s.st_ino), static_cast<unsigned long long>(s.st_size),
                              static_cast<unsigned long long>(MtimeNs(s)));
  return {text, static_cast<size_t>(n)};
}

}  // namespace walrig::fs
