// Fd: an owned file descriptor, and the few calls that read and write one without surprises.
//
// All calls go on after EINTR and after short writes. `what` is the name of the thing for the message ("write /x").
// THREADS: an Fd is owned by one thread at a time; the calls are as safe as the system calls they stand for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig {

// OWNS: the descriptor; closes it when destroyed. A close that must not fail silently is Close().
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const noexcept { return fd_; }
  bool valid() const noexcept { return fd_ >= 0; }
  // Gives the descriptor away.
  int release() noexcept {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }
  // Closes the present descriptor, if any, and owns `fd`. errno is left as it was.
  void reset(int fd = -1) noexcept;
  // Closes and tells what close() said (network file systems report late write errors there). Invalid afterwards.
  Status Close(std::string_view what);

 private:
  int fd_ = -1;
};

// open() and openat(), always with O_CLOEXEC. The message holds the path.
Result<Fd> OpenFd(const std::string& path, int flags, mode_t mode = 0);
Result<Fd> OpenFdAt(int dir_fd, const std::string& name, int flags, mode_t mode = 0);

// Writes all of `bytes`. Partial effect: a failure may leave a beginning of them written.
Status WriteAll(int fd, ByteSpan bytes, std::string_view what);
// Like WriteAll, at a place of the file; the file position stays where it is.
Status PwriteAll(int fd, ByteSpan bytes, uint64_t offset, std::string_view what);

// One read; 0 means the end. A short read is no end.
Result<size_t> ReadSome(int fd, MutableByteSpan buffer, std::string_view what);
Result<size_t> PreadSome(int fd, MutableByteSpan buffer, uint64_t offset, std::string_view what);
// Reads until the buffer is full or the data end; the answer is below buffer.size() only at the end.
Result<size_t> ReadFull(int fd, MutableByteSpan buffer, std::string_view what);
Result<size_t> PreadFull(int fd, MutableByteSpan buffer, uint64_t offset, std::string_view what);

// Makes the file's data and metadata durable.
// After a failed fsync the kernel may have dropped the data: the caller must write them anew, never just sync again.
Status FsyncFd(int fd, std::string_view what);
// Makes names that were created, renamed or removed in a directory durable. A file system that cannot sync directories
// (EINVAL) counts as done.
Status FsyncDir(const std::string& path);
Status FsyncDirFd(int dir_fd, std::string_view what);

// The content of a small file. FAILS WITH: kTooLarge when it holds more than max_bytes (nothing more is read then),
// and what OpenFd says.
Result<std::string> ReadWholeFile(const std::string& path, uint64_t max_bytes);

}  // namespace walrig
