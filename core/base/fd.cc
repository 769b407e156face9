#include "core/base/fd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/errno_status.h"

namespace walrig {
namespace {

// Linux moves at most 0x7ffff000 bytes a call.
constexpr size_t kCallBytesMax = 1u << 30;

template <typename Call>
Result<size_t> OneCall(size_t size_bytes, std::string_view what, const Call& call) {
  size_t wanted = std::min(size_bytes, kCallBytesMax);
  for (;;) {
    ssize_t n = call(wanted);
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR) return ErrnoStatus(errno, what);
  }
}

Status Synced(int answer, std::string_view what) {
  if (answer == 0) return OkStatus();
  return ErrnoStatus(errno, fmt::format("sync {}", what));
}

}  // namespace

void Fd::reset(int fd) noexcept {
  if (fd_ >= 0) {
    int saved = errno;
    ::close(fd_);
    errno = saved;
  }
  fd_ = fd;
}

Status Fd::Close(std::string_view what) {
  int fd = release();
  if (fd < 0) return OkStatus();
  // On Linux the descriptor is gone even after EINTR; closing again could hit another thread's file.
  if (::close(fd) != 0 && errno != EINTR) return ErrnoStatus(errno, fmt::format("close {}", what));
  return OkStatus();
}

Result<Fd> OpenFd(const std::string& path, int flags, mode_t mode) { return OpenFdAt(AT_FDCWD, path, flags, mode); }

Result<Fd> OpenFdAt(int dir_fd, const std::string& name, int flags, mode_t mode) {
  for (;;) {
    int fd = ::openat(dir_fd, name.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0) return Fd(fd);
    if (errno != EINTR) return ErrnoStatus(errno, fmt::format("open {}", name));
  }
}

Status WriteAll(int fd, ByteSpan bytes, std::string_view what) {
  while (!bytes.empty()) {
    WALRIG_ASSIGN(size_t n, OneCall(bytes.size(), what, [&](size_t size) { return ::write(fd, bytes.data(), size); }));
    bytes = bytes.subspan(n);
  }
  return OkStatus();
}

Status PwriteAll(int fd, ByteSpan bytes, uint64_t offset, std::string_view what) {
  while (!bytes.empty()) {
    WALRIG_ASSIGN(size_t n, OneCall(bytes.size(), what, [&](size_t size) {
                    return ::pwrite(fd, bytes.data(), size, static_cast<off_t>(offset));
                  }));
    bytes = bytes.subspan(n);
    offset += n;
  }
  return OkStatus();
}

Result<size_t> ReadSome(int fd, MutableByteSpan buffer, std::string_view what) {
  return OneCall(buffer.size(), what, [&](size_t size) { return ::read(fd, buffer.data(), size); });
}

Result<size_t> PreadSome(int fd, MutableByteSpan buffer, uint64_t offset, std::string_view what) {
  return OneCall(buffer.size(), what,
                 [&](size_t size) { return ::pread(fd, buffer.data(), size, static_cast<off_t>(offset)); });
}

Result<size_t> ReadFull(int fd, MutableByteSpan buffer, std::string_view what) {
  size_t done = 0;
  while (done < buffer.size()) {
    WALRIG_ASSIGN(size_t n, ReadSome(fd, buffer.subspan(done), what));
    if (n == 0) break;
    done += n;
  }
  return done;
}

Result<size_t> PreadFull(int fd, MutableByteSpan buffer, uint64_t offset, std::string_view what) {
  size_t done = 0;
  while (done < buffer.size()) {
    WALRIG_ASSIGN(size_t n, PreadSome(fd, buffer.subspan(done), offset + done, what));
    if (n == 0) break;
    done += n;
  }
  return done;
}

Status FsyncFd(int fd, std::string_view what) { return Synced(::fsync(fd), what); }

Status FsyncDirFd(int dir_fd, std::string_view what) {
  int answer = ::fsync(dir_fd);
  if (answer != 0 && errno == EINVAL) return OkStatus();
  return Synced(answer, what);
}

Status FsyncDir(const std::string& path) {
  WALRIG_ASSIGN(Fd dir, OpenFd(path, O_RDONLY | O_DIRECTORY));
  return FsyncDirFd(dir.get(), path);
}

Result<std::string> ReadWholeFile(const std::string& path, uint64_t max_bytes) {
  WALRIG_ASSIGN(Fd fd, OpenFd(path, O_RDONLY));
  std::string what = fmt::format("read {}", path);
  std::string content;
  // One byte beyond the limit tells "exactly full" from "too large"; the size that stat claims is not believed.
  const uint64_t wanted_max = max_bytes == UINT64_MAX ? max_bytes : max_bytes + 1;
  Buffer buffer(static_cast<size_t>(std::min<uint64_t>(kIoBufferBytes, wanted_max)));
  while (content.size() < wanted_max) {
    size_t size = static_cast<size_t>(std::min<uint64_t>(buffer.size(), wanted_max - content.size()));
    WALRIG_ASSIGN(size_t n, ReadSome(fd.get(), buffer.span().first(size), what));
    if (n == 0) break;
    content.append(AsText(buffer.first(n)));
  }
  if (content.size() > max_bytes) return TooLarge(fmt::format("{} holds more than {} bytes", path, max_bytes));
  return content;
}

}  // namespace walrig
