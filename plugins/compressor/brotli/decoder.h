// BrotliDecoder: one raw brotli stream; anything after it is kCorruption. The format has no checksum: damage is seen
// only where it breaks the coding. OWNS: a decoder state. THREADS: one at a time.
#pragma once

#include <memory>

#include "walrig/transform.h"

namespace walrig::brotli {

// The greatest window of the format (RFC 7932) is 16 MiB; large-window streams are refused.
inline constexpr uint64_t kDecoderMemoryBytes = 24u << 20;

Result<std::unique_ptr<Transform>> NewDecoder();

}  // namespace walrig::brotli
