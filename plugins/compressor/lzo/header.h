// The header of an lzop container, as WAL-E wrote it and WAL-G reads it.
//
//   89 4C 5A 4F 00 0D 0A 1A 0A            magic
//   u16 version   u16 library version
//   u16 version needed                     since version 0x0940
//   u8  method    u8 level                 level since 0x0940
//   u32 flags    [u32 filter]              filter with the flag
//   u32 mode      u32 mtime [u32 mtime high]   since 0x0940
//   u8 length, name
//   u32 checksum of all from version to name: Adler-32, or CRC-32 with the flag
//
// then blocks, see decoder.h. All numbers are big endian. THREADS: functions without state.
#pragma once

#include <cstdint>
#include <optional>

#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig::lzo {

inline constexpr uint32_t kAdlerPlain = 0x1, kAdlerPacked = 0x2, kCrcPlain = 0x100, kCrcPacked = 0x200;
// The longest header that the format allows.
inline constexpr size_t kHeaderBytesMax = 9 + 2 + 2 + 2 + 1 + 1 + 4 + 4 + 4 + 4 + 4 + 1 + 255 + 4;

struct Header {
  uint32_t flags = 0;
  size_t size_bytes = 0;
};

uint32_t BigEndian32(const uint8_t* p);

// nullopt: more bytes are needed. FAILS WITH: kCorruption (not an lzop header, checksum), kNotSupported (a method,
// filter, extra field or part file that lzop could make and nobody does).
Result<std::optional<Header>> ParseHeader(ByteSpan bytes);

}  // namespace walrig::lzo
