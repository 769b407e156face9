// TarReader: members of a tar, one after another, from a Source; strict, since the bytes may be anybody's.
//
// Reads ustar, pax (local and global headers), GNU (long names and links, base-256 numbers) and v7. Tolerated, because
// WAL-G's remote backups end so: no trailer, and no padding after the last body. After the trailer only zeros may
// follow, and the source is read to its end, so that its own checksums have been verified when Next says "no more".
// Hard links, devices and fifos are reported as what they are; refusing them is the caller's. No memory is taken
// by what a header claims: extended headers are bounded to 1 MiB.
//
//   while entry = Next():  while piece = BodyView():  use piece
//
// OWNS: a buffer of kIoBufferBytes. Borrows the source. THREADS: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/pipeline/tar_entry.h"
#include "core/pipeline/tar_header.h"
#include "walrig/bytes.h"
#include "walrig/result.h"
#include "walrig/stream.h"

namespace walrig {

class TarReader {
 public:
  explicit TarReader(Source& source);

  // The next member, or nothing at the end; skips what is left of the body before. Messages hold the byte offset.
  // FAILS WITH: kCorruption (bad checksum or number, garbage after the end, an empty name, a NUL in a name, broken pax
  // records), kTruncated (ends within a header or a body, or has no byte at all), kTooLarge (an extended header beyond
  // 1 MiB), kNotSupported (sparse members), and what the source fails with. After an error: destroy.
  Result<std::optional<TarEntry>> Next(const Context& ctx);

  // Fills the buffer with the body's next bytes, short only at its end; 0 at its end. Large buffers are filled straight
  // from the source. FAILS WITH: kTruncated when the tar ends within the body.
  Result<size_t> ReadBody(const Context& ctx, MutableByteSpan buffer);
  // The next piece of the body without a copy, at most kIoBufferBytes; empty at its end. Valid until the next call.
  Result<ByteSpan> BodyView(const Context& ctx);
  uint64_t body_left_bytes() const { return body_left_; }

  // Bytes of the tar consumed so far.
  uint64_t offset_bytes() const { return offset_; }
  // Whether the end was a proper one: a zero block, not just the end of the data. Meaningful after Next said nothing.
  bool saw_trailer() const { return saw_trailer_; }

 private:
  // What extended headers said about the member to come.
  struct Extensions {
    bool any = false;
    PaxRecords pax;
    std::optional<std::string> gnu_name;
    std::optional<std::string> gnu_link;
  };

  Result<bool> Fill(const Context& ctx);  // false at the end of the source
  Result<bool> ReadBlock(const Context& ctx, MutableByteSpan block);
  Status SkipBodyAndPadding(const Context& ctx);
  Result<std::string> ReadExtensionBody(const Context& ctx, uint64_t size_bytes);
  Result<bool> TakeExtension(const Context& ctx, const TarEntry& header, Extensions& extensions);
  Status Apply(Extensions extensions, TarEntry& entry) const;
  Status ReadToEnd(const Context& ctx);
  Status AtHeader(Status status) const;

  Source& source_;
  Buffer buffer_;
  size_t begin_ = 0, end_ = 0;  // unread part of buffer_
  bool source_ended_ = false;
  bool done_ = false;
  bool saw_trailer_ = false;
  uint64_t offset_ = 0;
  uint64_t header_offset_ = 0;
  uint64_t body_left_ = 0;
  size_t padding_left_ = 0;
  std::string name_;
  PaxRecords global_;
};

}  // namespace walrig
