// GuessPlainFormat: says of bytes that no cipher opened whether they begin like one of the formats that stand under a
// cipher, so that the error can say "not encrypted". Never a reason to accept anything.
//
// THREADS: functions without state.
#pragma once

#include <cstring>
#include <string_view>

#include "walrig/bytes.h"

namespace walrig {

// "" when nothing fits. Ciphertext fits by chance once in millions of objects.
inline std::string_view GuessPlainFormat(ByteSpan head) {
  struct Known {
    std::string_view magic;
    std::string_view name;
  };
  static constexpr Known kKnown[] = {
      {{"\x28\xB5\x2F\xFD", 4}, "zstd data"}, {{"\x04\x22\x4D\x18", 4}, "lz4 data"},
      {{"\xFD"
        "7zXZ",
        5},
       "xz data"},                            {{"\x5D\x00\x00", 3}, "lzma data"},
      {{"\x89LZO", 4}, "lzop data"},          {{"\x1F\x8B\x08", 3}, "gzip data"},
      {{"{\"", 2}, "a JSON document"},
  };
  for (const Known& known : kKnown) {
    if (head.size() >= known.magic.size() && std::memcmp(head.data(), known.magic.data(), known.magic.size()) == 0) {
      return known.name;
    }
  }
  return {};
}

}  // namespace walrig
