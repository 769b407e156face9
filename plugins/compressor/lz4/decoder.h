// Lz4Decoder: LZ4 frames one after another, with skippable ones among them. Legacy frames are not known.
//
// Empty input is truncated: the format has no empty form. OWNS: a decompression context. THREADS: one at a time.
#pragma once

#include <memory>

#include "walrig/transform.h"

namespace walrig::lz4 {

// Blocks of up to 4 MiB, once packed and once unpacked with the 128 KiB before them.
inline constexpr uint64_t kDecoderMemoryBytes = 9u << 20;

Result<std::unique_ptr<Transform>> NewDecoder();

}  // namespace walrig::lz4
