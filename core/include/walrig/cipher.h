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
#include <string_view>

#include "walrig/result.h"
#include "walrig/transform.h"

namespace walrig {

// What can be done with the text of a key ring. Values are those of the ABI; never renumber.
enum class KeyVerb : int32_t {
  kAdd = 1,     // a new key of the kind that the argument names; the first key is also the one to write with
  kRotate = 2,  // a new key, of the kind of the one to write with unless the argument names another, which takes its place
  kList = 3,    // no ring but lines of id, kind, time of creation and "write" or "read", apart by tabs
  kPublic = 4,  // a ring of the public halves alone
};

class Cipher {
 public:
  virtual ~Cipher() = default;
  virtual const std::string& name() const = 0;
  virtual Result<std::unique_ptr<Transform>> NewSealer() = 0;
  virtual Result<std::unique_ptr<Transform>> NewOpener() = 0;
  virtual uint64_t memory_bytes() const = 0;

  // Makes, lists and converts keys of this cipher. `ring` is the text of a key ring, empty for none; `out` gets the
  // answer and *out_bytes its length. Optional.
  // FAILS WITH: kNotSupported (the cipher keeps no key ring), kConfig (the ring or the argument is wrong), kTooLarge
  // (*out_bytes says how much room is needed). Keys of a failed call must not be used.
  virtual Status EditKeys(KeyVerb verb, std::string_view argument, ByteSpan ring, MutableByteSpan out, size_t* out_bytes) {
    (void)verb, (void)argument, (void)ring, (void)out, (void)out_bytes;
    return NotSupported("cipher " + name() + " keeps no key ring").Hint("walrig key makes keys of cipher gcrypt");
  }
};

}  // namespace walrig
