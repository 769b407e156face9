// FileSource: the bytes of a file, or of a range of it, that another process may be changing.
//
// Reads by pread, so that a descriptor may be shared. A file that shrank ends early: Read answers 0 and the caller,
// who knows what it expected, compares position() and decides (in a live data directory it pads, elsewhere it fails).
// A file that grew is read up to the range that was asked for.
// OWNS: its descriptor. THREADS: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/fd.h"
#include "walrig/stream.h"

namespace walrig {

class FileSource final : public Source {
 public:
  static constexpr uint64_t kToEnd = UINT64_MAX;

  // Opens `path` at `offset` for `length` bytes at the most. Follows a symbolic link at the end of the path.
  // FAILS WITH: what OpenFd says; kInvalidArgument for a directory.
  static Result<std::unique_ptr<FileSource>> Open(const std::string& path, uint64_t offset = 0,
                                                  uint64_t length = kToEnd);
  // Takes an open file; `name` is for messages.
  static std::unique_ptr<FileSource> Adopt(Fd fd, std::string name, uint64_t offset = 0, uint64_t length = kToEnd);

  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override;

  // Bytes given so far, not counting the offset.
  uint64_t position() const noexcept { return position_; }
  const std::string& name() const noexcept { return name_; }
  int fd() const noexcept { return fd_.get(); }
  // The file's size now, whatever range is read.
  Result<uint64_t> SizeNow() const;

 private:
  FileSource(Fd fd, std::string name, uint64_t offset, uint64_t length);

  Fd fd_;
  std::string name_;
  uint64_t offset_;
  uint64_t length_;
  uint64_t position_ = 0;
};

}  // namespace walrig
