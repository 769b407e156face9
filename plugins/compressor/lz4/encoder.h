// Lz4Encoder: one LZ4 frame of independent 256 KiB blocks with a content checksum.
//
// WAL-G's blocks are of 4 MiB; blocks of 256 KiB stay in a core's cache, cost a per cent or two of ratio and are read
// by every reader. OWNS: a compression context and an output block. THREADS: one at a time.
#pragma once

#include <memory>

#include "walrig/transform.h"

namespace walrig::lz4 {

inline constexpr int kLevelMin = 0;
inline constexpr int kLevelMax = 12;

// 0 to 2: fast; 3 and more: high compression. REQUIRES: a level from kLevelMin to kLevelMax.
Result<std::unique_ptr<Transform>> NewEncoder(int level);
// The input block of the library, our output blocks, the hash tables.
inline constexpr uint64_t kEncoderMemoryBytes = 2u << 20;

}  // namespace walrig::lz4
