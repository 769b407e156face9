// Compressor: makes encoders and decoders of one format.
//
// THREADS: all methods may be called from any thread at once; a Transform belongs to one thread at a time.
#pragma once

#include <memory>
#include <string>

#include "walrig/result.h"
#include "walrig/transform.h"

namespace walrig {

struct CompressorTraits {
  std::string name;          // "zstd"
  std::string extension;     // of object names, without the dot: "zst"; "" for none
  bool encode = true;        // false: a format that is only read
  bool decode = true;
  bool concatenable = false;  // streams one after another decode to their contents one after another
};

class Compressor {
 public:
  virtual ~Compressor() = default;
  virtual const CompressorTraits& traits() const = 0;
  // FAILS WITH: kNotSupported when the format is only read.
  virtual Result<std::unique_ptr<Transform>> NewEncoder() = 0;
  virtual Result<std::unique_ptr<Transform>> NewDecoder() = 0;
  // The most memory one machine holds, in bytes; a promise.
  virtual uint64_t encoder_memory_bytes() const = 0;
  virtual uint64_t decoder_memory_bytes() const = 0;
};

}  // namespace walrig
