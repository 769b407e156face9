// GzipDecoder: gzip members one after another. Empty input is truncated; anything after the last member that is no
// member is kCorruption. OWNS: an inflate state. THREADS: one at a time.
#pragma once

#include <memory>

#include "walrig/transform.h"

namespace walrig::gzip {

// zlib: a window of 32 KiB and some 10 KiB of state.
inline constexpr uint64_t kDecoderMemoryBytes = 64u << 10;

Result<std::unique_ptr<Transform>> NewDecoder();

}  // namespace walrig::gzip
