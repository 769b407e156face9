// BasicCompressor: a Compressor from its parts, for formats whose machines need nothing but numbers.
//
// THREADS: as Compressor; the two makers are called from any thread, several at once.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "walrig/compressor.h"

namespace walrig {

using MachineMaker = std::function<Result<std::unique_ptr<Transform>>()>;

struct CompressorParts {
  CompressorTraits traits;
  MachineMaker encoder;  // empty when the format is only read
  MachineMaker decoder;
  uint64_t encoder_memory_bytes = 0;
  uint64_t decoder_memory_bytes = 0;
};

class BasicCompressor final : public Compressor {
 public:
  explicit BasicCompressor(CompressorParts parts) : parts_(std::move(parts)) {}

  const CompressorTraits& traits() const override { return parts_.traits; }
  Result<std::unique_ptr<Transform>> NewEncoder() override {
    if (!parts_.encoder) {
      return NotSupported(parts_.traits.name + " is only read").Hint("choose another method for new objects");
    }
    return parts_.encoder();
  }
  Result<std::unique_ptr<Transform>> NewDecoder() override { return parts_.decoder(); }
  uint64_t encoder_memory_bytes() const override { return parts_.encoder_memory_bytes; }
  uint64_t decoder_memory_bytes() const override { return parts_.decoder_memory_bytes; }

 private:
  CompressorParts parts_;
};

}  // namespace walrig
