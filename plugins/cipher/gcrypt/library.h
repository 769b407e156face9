// What walrig's format needs of libgcrypt, as C++: start of the library, AEAD, HMAC, HKDF, X25519, randomness.
//
// Key material that libgcrypt holds stands in its own locked memory, which is left out of core dumps.
// THREADS: functions from any thread; an Aead one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "plugins/common/key/secret_bytes.h"
#include "walrig/bytes.h"
#include "walrig/result.h"

struct gcry_cipher_handle;

namespace walrig::gcrypt {

inline constexpr size_t kKeyBytes = 32;
inline constexpr size_t kTagBytes = 16;
inline constexpr size_t kNonceBytes = 12;
inline constexpr size_t kMacBytes = 32;

using Digest = std::array<uint8_t, 32>;
using Nonce = std::array<uint8_t, kNonceBytes>;

enum class Algorithm : uint8_t { kAes256Gcm = 1, kChaCha20Poly1305 = 2 };
std::string_view AlgorithmName(Algorithm algorithm);

// Version check, locked memory, self-tests. Once per process, before other threads exist; again does nothing.
Status StartLibrary();

// Bytes for keys and salts.
void RandomBytes(MutableByteSpan out);

// `out` has kMacBytes.
Status HmacSha256(ByteSpan key, std::initializer_list<ByteSpan> message, MutableByteSpan out);
// RFC 5869 with SHA-256, 32 bytes. OWNS: what comes back is the caller's.
Result<SecretBytes> HkdfSha256(ByteSpan ikm, ByteSpan salt, std::initializer_list<ByteSpan> info);

// RFC 7748. FAILS WITH: kCorruption when the point is one of the few that give the same result with every scalar.
Result<SecretBytes> X25519(ByteSpan scalar, ByteSpan point);
Status X25519Public(ByteSpan scalar, MutableByteSpan out);

// One key of AES-256-GCM or ChaCha20-Poly1305 with 16-byte tags and no associated data.
class Aead {
 public:
  // REQUIRES: 32 bytes of key.
  static Result<Aead> New(Algorithm algorithm, ByteSpan key);

  // `out` gets plain.size() bytes and the tag. REQUIRES: out.size() == plain.size() + kTagBytes; `out` may begin where
  // `plain` does.
  Status Seal(const Nonce& nonce, ByteSpan plain, MutableByteSpan out);
  // False when the tag does not fit: `out` is zeroed then. REQUIRES: sealed.size() == out.size() + kTagBytes.
  Result<bool> Open(const Nonce& nonce, ByteSpan sealed, MutableByteSpan out);

 private:
  struct Close {
    void operator()(gcry_cipher_handle* handle) const noexcept;
  };
  explicit Aead(gcry_cipher_handle* handle) : handle_(handle) {}
  std::unique_ptr<gcry_cipher_handle, Close> handle_;
};

}  // namespace walrig::gcrypt
