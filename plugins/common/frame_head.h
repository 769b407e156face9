// FrameHead: the first bytes of a frame, to tell a stream that ends early from rubbish after its end.
//
// A library that was given two bytes of a four-byte magic number only waits for more. When no more come, "truncated" is
// right if those two could begin a frame, and "corrupt" if they could not.
//
// THREADS: a value.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "walrig/bytes.h"

namespace walrig {

class FrameHead {
 public:
  static constexpr size_t kBytes = 4;       // of a magic number
  static constexpr size_t kKeptBytes = 18;  // of the longest head, zstd's

  void Clear() noexcept { count_ = 0; }
  // Sees all input in order; keeps what it needs.
  void See(ByteSpan bytes) noexcept {
    const size_t n = std::min(kKeptBytes - count_, bytes.size());
    if (n != 0) std::memcpy(bytes_.data() + count_, bytes.data(), n);
    count_ += n;
  }
  bool empty() const noexcept { return count_ == 0; }
  ByteSpan kept() const noexcept { return {bytes_.data(), count_}; }
  // Could what came begin with `magic` under `mask`? Only as many bytes are compared as came.
  bool MayBe(const std::array<uint8_t, kBytes>& magic, const std::array<uint8_t, kBytes>& mask) const noexcept {
    for (size_t i = 0; i < std::min(count_, kBytes); ++i) {
      if ((bytes_[i] & mask[i]) != (magic[i] & mask[i])) return false;
    }
    return true;
  }
  // The skippable frames that zstd and lz4 share: 50..5F 2A 4D 18.
  bool MayBeSkippable() const noexcept { return MayBe({0x50, 0x2A, 0x4D, 0x18}, {0xF0, 0xFF, 0xFF, 0xFF}); }

 private:
  std::array<uint8_t, kKeptBytes> bytes_{};
  size_t count_ = 0;
};

}  // namespace walrig
