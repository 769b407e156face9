#include "core/io/file_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/base/errno_status.h"

namespace walrig {

FileSource::FileSource(Fd fd, std::string name, uint64_t offset, uint64_t length)
    : fd_(std::move(fd)), name_(std::move(name)), offset_(offset), length_(length) {}

Result<std::unique_ptr<FileSource>> FileSource::Open(const std::string& path, uint64_t offset, uint64_t length) {
  WALRIG_ASSIGN(Fd fd, OpenFd(path, O_RDONLY));
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, fmt::format("stat {}", path));
  if (S_ISDIR(info.st_mode)) return InvalidArgument(fmt::format("{} is a directory", path));
  return Adopt(std::move(fd), path, offset, length);
}

std::unique_ptr<FileSource> FileSource::Adopt(Fd fd, std::string name, uint64_t offset, uint64_t length) {
  // Doubles the kernel's read-ahead. Advice only: what cannot take it (a pipe) is read without.
  static_cast<void>(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL));
  return std::unique_ptr<FileSource>(new FileSource(std::move(fd), std::move(name), offset, length));
}

Result<size_t> FileSource::Read(const Context& ctx, MutableByteSpan buffer) {
  WALRIG_TRY(ctx.Poll());
  uint64_t wanted = std::min<uint64_t>(buffer.size(), length_ - position_);
  if (wanted == 0) return size_t{0};
  uint64_t place = 0;
  if (__builtin_add_overflow(offset_, position_, &place) || place > static_cast<uint64_t>(INT64_MAX)) return size_t{0};
  Result<size_t> n = PreadSome(fd_.get(), buffer.first(static_cast<size_t>(wanted)), place, "read");
  if (!n.ok()) return std::move(n).status().With(name_);
  position_ += *n;
  return *n;
}

Result<uint64_t> FileSource::SizeNow() const {
  struct stat info = {};
  if (::fstat(fd_.get(), &info) != 0) return ErrnoStatus(errno, fmt::format("stat {}", name_));
  return static_cast<uint64_t>(info.st_size);
}

}  // namespace walrig
