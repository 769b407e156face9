// Where the fields of a tar header block are, POSIX ustar:
//
//   0 name 100 | 100 mode 8 | 108 uid 8 | 116 gid 8 | 124 size 12 | 136 mtime 12 | 148 checksum 8 | 156 type 1 |
//   157 link 100 | 257 magic "ustar\0" | 263 version "00" | 265 uname 32 | 297 gname 32 | 329 major 8 | 337 minor 8 |
//   345 prefix 155 | 500 zeros 12
//
// GNU's magic "ustar  \0" takes the version's place, too.
#pragma once

#include <cstddef>

namespace walrig::tar_fields {

struct Field {
  size_t offset;
  size_t bytes;
};
inline constexpr Field kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12}, kMtime{136, 12};
inline constexpr Field kChecksum{148, 8}, kType{156, 1}, kLink{157, 100}, kMagic{257, 6}, kVersion{263, 2};
inline constexpr Field kMagicAndVersion{257, 8};
inline constexpr Field kUname{265, 32}, kGname{297, 32}, kMajor{329, 8}, kMinor{337, 8}, kPrefix{345, 155};

}  // namespace walrig::tar_fields
