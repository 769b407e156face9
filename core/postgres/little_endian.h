// Reading fixed-width little-endian integers at an offset. REQUIRES of all: the bytes are there.
//
// THREADS: pure functions.
#pragma once

#include <cstdint>

namespace walrig {

inline uint16_t LoadLe16(const uint8_t* p) noexcept { return static_cast<uint16_t>(p[0] | p[1] << 8); }
inline uint32_t LoadLe32(const uint8_t* p) noexcept {
  return static_cast<uint32_t>(p[0]) | static_cast<uint32_t>(p[1]) << 8 | static_cast<uint32_t>(p[2]) << 16 |
         static_cast<uint32_t>(p[3]) << 24;
}
inline uint64_t LoadLe64(const uint8_t* p) noexcept {
  return LoadLe32(p) | static_cast<uint64_t>(LoadLe32(p + 4)) << 32;
}

}  // namespace walrig
