// Opener: a sealed object back into plain bytes; none of a chunk before its tag was right.
//
// A header is read whole and authenticated first. An object that ends at a chunk border, or before its header does, is
// kTruncated; a last chunk that was cut is no different from a damaged one, and kCorruption as any chunk that was
// changed, moved, or comes from another object.
//
// A range opener begins at a chunk in the middle and ends after the last one of its range, or with the object.
//
// OWNS: the payload key and a buffer of a chunk. Borrows the keys. THREADS: one at a time.
#pragma once

#include <memory>

#include "plugins/cipher/gcrypt/envelope.h"
#include "walrig/cipher.h"
#include "walrig/transform.h"

namespace walrig::gcrypt {

// `keys` must outlive the machine.
std::unique_ptr<Transform> NewOpener(Keys& keys);

// walrig/cipher.h, Cipher::NewRangeOpener.
Result<std::unique_ptr<Transform>> NewRangeOpener(Keys& keys, ByteSpan head, uint64_t offset, uint64_t length, SealedRange* range);

}  // namespace walrig::gcrypt
