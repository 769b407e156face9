// Kdf: a key from a passphrase, by Argon2id (RFC 9106) or scrypt (RFC 7914), with parameters that travel in the header.
//
// Who wrote a header may be hostile: parameters beyond kMemoryKibMax or kWorkMax are refused before any memory is taken.
// THREADS: any.
#pragma once

#include <array>
#include <cstdint>

#include "plugins/common/key/secret_bytes.h"
#include "walrig/result.h"

namespace walrig::gcrypt {

enum class KdfKind : uint8_t { kArgon2id = 1, kScrypt = 2 };

inline constexpr uint32_t kMemoryKibMax = 1 << 20;       // 1 GiB
inline constexpr uint64_t kWorkMax = uint64_t{4} << 20;  // KiB of memory times passes: some seconds of a core

struct KdfParameters {
  KdfKind kind = KdfKind::kArgon2id;
  uint8_t lanes = 1;        // parallelism
  uint16_t block = 0;       // scrypt's r; 0 for Argon2id
  uint32_t cost = 3;        // Argon2id: passes; scrypt: log2 of N
  uint32_t memory_kib = 64 * 1024;  // Argon2id; 0 for scrypt
  std::array<uint8_t, 16> salt{};

  bool operator==(const KdfParameters&) const = default;
};

// What new objects use: Argon2id with 64 MiB and 3 passes (the second recommendation of RFC 9106), scrypt with N = 2^16, r = 8
// (64 MiB). The salt is random.
KdfParameters NewKdfParameters(KdfKind kind);

// FAILS WITH: kCorruption for parameters that are none or beyond what is taken.
Status CheckKdfParameters(const KdfParameters& parameters);

// KiB of memory times passes, of parameters that were checked.
uint64_t KdfWork(const KdfParameters& parameters);

// 32 bytes. FAILS WITH: as CheckKdfParameters; kNoMemory.
Result<SecretBytes> DeriveKey(ByteSpan passphrase, const KdfParameters& parameters);

}  // namespace walrig::gcrypt
