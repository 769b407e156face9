// Cipher: makes sealers and openers of one authenticated encryption format.
//
// A sealer turns plain bytes into a self-describing object. An opener gives no plain byte before the piece that holds
// it was authenticated; a changed object is kCorruption, one that ends early kTruncated, a wrong or missing key
// kPermission with the key's id in the message. Key material is zeroed when a machine is destroyed.
//
// THREADS: as Compressor.
#pragma once

#include <memory>
#include <string>

#include "walrig/result.h"
#include "walrig/transform.h"

namespace walrig {

class Cipher {
 public:
  virtual ~Cipher() = default;
  virtual const std::string& name() const = 0;
  virtual Result<std::unique_ptr<Transform>> NewSealer() = 0;
  virtual Result<std::unique_ptr<Transform>> NewOpener() = 0;
  virtual uint64_t memory_bytes() const = 0;
};

}  // namespace walrig
