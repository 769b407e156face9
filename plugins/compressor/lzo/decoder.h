// LzoDecoder: lzop containers one after another.
//
// After the header come blocks:
//
//   u32 plain size     0: the end
//   u32 packed size    at most the plain size; equal: stored
//   [u32 Adler-32 of the plain bytes] [u32 CRC-32 of them]            as the flags say
//   [u32 Adler-32 of the packed bytes] [u32 CRC-32 of them]           as the flags say, when packed
//   packed bytes
//
// Blocks of more than 8 MiB are kTooLarge (lzop writes 256 KiB). Nothing of a block is given before its checksums held.
// OWNS: two block buffers, grown to what comes. THREADS: one at a time.
#pragma once

#include <memory>

#include "walrig/transform.h"

namespace walrig::lzo {

inline constexpr uint32_t kBlockBytesMax = 8u << 20;
inline constexpr uint64_t kDecoderMemoryBytes = 2 * uint64_t{kBlockBytesMax} + (64u << 10);

Result<std::unique_ptr<Transform>> NewDecoder();

}  // namespace walrig::lzo
