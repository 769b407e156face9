// LzmaMachine: liblzma's coder as a Transform. One class serves .xz and LZMA-alone, both ways; they differ in how the
// coder is started.
//
// OWNS: an lzma_stream. THREADS: one at a time.
#pragma once

#include <memory>

#include "walrig/transform.h"

namespace walrig::xz {

// Decoders refuse a stream that wants more (kTooLarge). xz -9 wants 65 MiB.
inline constexpr uint64_t kDecoderMemoryBytes = uint64_t{128} << 20;

// .xz with CRC64 checks. REQUIRES: a level from 0 to 9, as for all below.
Result<std::unique_ptr<Transform>> NewXzEncoder(uint32_t level);
uint64_t XzEncoderMemoryBytes(uint32_t level);
// Streams in a row, with padding as the format has it.
Result<std::unique_ptr<Transform>> NewXzDecoder();

// LZMA-alone as WAL-G writes it: lc 3, lp 0, pb 2, dictionary 8 MiB, size unknown, end marker. The format has neither
// magic number nor checksum: damage is seen only where it breaks the coding.
Result<std::unique_ptr<Transform>> NewLzmaEncoder(uint32_t level);
uint64_t LzmaEncoderMemoryBytes(uint32_t level);
// One stream; anything after it is kCorruption.
Result<std::unique_ptr<Transform>> NewLzmaDecoder();

}  // namespace walrig::xz
