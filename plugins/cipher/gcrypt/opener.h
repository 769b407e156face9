// Opener: a sealed object back into plain bytes; none of a chunk before its tag was right.
//
// A header is read whole and authenticated first. An object that ends at a chunk border, or before its header does, is
// kTruncated; a last chunk that was cut is no different from a damaged one, and kCorruption as any chunk that was
// changed, moved, or comes from another object.
//
// OWNS: the payload key and a buffer of a chunk. Borrows the keys. THREADS: one at a time.
#pragma once

#include <memory>

#include "plugins/cipher/gcrypt/envelope.h"
#include "walrig/transform.h"

namespace walrig::gcrypt {

// `keys` must outlive the machine.
std::unique_ptr<Transform> NewOpener(Keys& keys);

}  // namespace walrig::gcrypt
