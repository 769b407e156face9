// ZstdDecoder: zstd frames one after another, with skippable ones among them.
//
// Empty input is truncated: the format has no empty form. A window beyond 128 MiB is kTooLarge.
// OWNS: a decompression context. THREADS: one at a time.
#pragma once

#include <memory>

#include "walrig/transform.h"

namespace walrig::zstd {

inline constexpr int kWindowLogMax = 27;
// The window, and what libzstd holds beside it.
inline constexpr uint64_t kDecoderMemoryBytes = (uint64_t{1} << kWindowLogMax) + (1u << 20);

Result<std::unique_ptr<Transform>> NewDecoder();

}  // namespace walrig::zstd
