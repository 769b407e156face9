// Sealer and opener of the chunks: STREAM over AES-256-GCM or ChaCha20-Poly1305 (docs/formats/gcrypt.md).
//
// A full chunk is never the last one, so neither side has to look ahead: what comes in whole chunks is encrypted from the
// caller's buffer into the caller's buffer, without a copy.
//
// OWNS: the payload key, inside libgcrypt's locked memory, and a buffer of a chunk. Borrows the keys. THREADS: one at a time.
#pragma once

#include <memory>

#include "plugins/cipher/gcrypt/envelope.h"
#include "walrig/transform.h"

namespace walrig::gcrypt {

// Both hold a chunk, a header and a handle of libgcrypt.
inline constexpr uint64_t kMachineBytes = (uint64_t{1} << kChunkLogMax) + 64 * 1024;

// A chunk's number and whether it is the last one.
Nonce ChunkNonce(uint64_t number, bool last);
// Chunks of one object: beyond it AES-GCM would be used more often under one key than its limits say.
inline constexpr uint64_t kChunksMax = uint64_t{1} << 32;

// `keys` must outlive the machine. FAILS WITH: kConfig when there is no key to write with.
Result<std::unique_ptr<Transform>> NewSealer(Keys& keys, const SealOptions& options);

}  // namespace walrig::gcrypt
