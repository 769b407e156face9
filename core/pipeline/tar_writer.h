// Tar headers as Go's archive/tar writes them for FileInfoHeader with the format unspecified, which is what WAL-G does:
// ustar when all fields fit, a pax extended header before it otherwise. docs/formats say what goes into the members.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/pipeline/tar_entry.h"
#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig {

// One header block, or three and more when a pax header is needed. The name is written as given: no slash is
// added to a directory. FAILS WITH: kInvalidArgument (empty name, a NUL in a string, a type that is not a file,
// directory or symlink, a mode beyond 07777, a size where the type has no body, a number that does not fit 63 bits).
Result<std::string> EncodeTarHeader(const TarEntry& entry);

// Zero bytes that follow a body of this size: 0 to 511.
constexpr size_t TarPadding(uint64_t size_bytes) {
  return static_cast<size_t>((kTarBlockBytes - size_bytes % kTarBlockBytes) % kTarBlockBytes);
}

// Bytes a member takes in the tar: header, body, padding. REQUIRES: a header from EncodeTarHeader.
constexpr uint64_t TarMemberBytes(size_t header_bytes, uint64_t size_bytes) {
  return header_bytes + size_bytes + TarPadding(size_bytes);
}

// 1024 zero bytes; its first n serve as padding.
ByteSpan TarZeros();
// The end of an archive: two zero blocks.
inline ByteSpan TarTrailer() { return TarZeros(); }

// Nanoseconds since 1970 to the second that Go's writer stores: rounded, halves up.
int64_t TarMtime(int64_t mtime_ns);

}  // namespace walrig
