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

// Where in a stored object the bytes of a plain range are.
struct SealedRange {
  uint64_t offset = 0, length = 0;  // in the stored object; may reach beyond its end
  uint64_t skip = 0;                // of what the machine gives, so many bytes lie before what was asked for
};
inline constexpr size_t kRangeHeadBytes = 4096;  // of an object's beginning, for NewRangeOpener

class Cipher {
 public:
  virtual ~Cipher() = default;
  virtual const std::string& name() const = 0;
  virtual Result<std::unique_ptr<Transform>> NewSealer() = 0;
  virtual Result<std::unique_ptr<Transform>> NewOpener() = 0;
  virtual uint64_t memory_bytes() const = 0;

  // A machine for the stored bytes of *range, which it turns into the plain bytes from `offset` on, `length` at least unless
  // the object ends before. `head` is the object's beginning, kRangeHeadBytes or all of it. Optional.
  // The promises of an opener hold for the range: one within which the object was cut is kTruncated or kCorruption. What
  // lies behind it stays unproven. FAILS WITH: kNotSupported; what an opener says of the head; kTooLarge beyond the format.
  virtual Result<std::unique_ptr<Transform>> NewRangeOpener(ByteSpan head, uint64_t offset, uint64_t length, SealedRange* range) {
    (void)head, (void)offset, (void)length, (void)range;
    return NotSupported("cipher " + name() + " opens objects from their beginning alone");
  }

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
