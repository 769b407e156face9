// ZstdEncoder: one zstd frame with a content checksum. OWNS: a compression context. THREADS: one at a time.
#pragma once

#include <memory>

#include "walrig/transform.h"

namespace walrig::zstd {

inline constexpr int kLevelMin = 1;
inline constexpr int kLevelMax = 22;

// REQUIRES: a level from kLevelMin to kLevelMax.
Result<std::unique_ptr<Transform>> NewEncoder(int level);
uint64_t EncoderMemoryBytes(int level);

}  // namespace walrig::zstd
