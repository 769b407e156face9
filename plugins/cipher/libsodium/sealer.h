// Sealer: plain bytes to an object of WAL-G's libsodium cipher. Empty input becomes an object of 41 bytes, never an
// empty one. kFlush gives nothing more than kRun: a short message in the middle would not be read.
//
// THREADS: one at a time.
#pragma once

#include <memory>

#include "plugins/common/key/secret_bytes.h"
#include "walrig/transform.h"

namespace walrig::libsodium {

// The machine borrows `key`, 32 bytes.
Result<std::unique_ptr<Transform>> NewSealer(const SecretBytes& key);

}  // namespace walrig::libsodium
