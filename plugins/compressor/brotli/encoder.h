// BrotliEncoder: one raw brotli stream. OWNS: an encoder state. THREADS: one at a time.
#pragma once

#include <memory>

#include "walrig/transform.h"

namespace walrig::brotli {

inline constexpr uint32_t kQualityMax = 11;

// REQUIRES: quality <= kQualityMax, as for the memory.
Result<std::unique_ptr<Transform>> NewEncoder(uint32_t quality);
uint64_t EncoderMemoryBytes(uint32_t quality);

}  // namespace walrig::brotli
