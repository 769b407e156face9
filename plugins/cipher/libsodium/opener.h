// Opener: an object of WAL-G's libsodium cipher back to plain bytes, each message given out only after its tag held.
//
// The order of messages is authenticated, and the end is: an object without its FINAL message is kTruncated, wherever
// it was cut. The format does not say which key wrote it, so a wrong key, damage in the first message and bytes that
// were never encrypted are one error, kCorruption; its message and hint say so. THREADS: one at a time.
#pragma once

#include <memory>

#include "plugins/common/key/secret_bytes.h"
#include "walrig/transform.h"

namespace walrig::libsodium {

// The machine borrows `key`, 32 bytes.
Result<std::unique_ptr<Transform>> NewOpener(const SecretBytes& key);

}  // namespace walrig::libsodium
