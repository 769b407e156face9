// KeyRing: the keys of cipher gcrypt by their ids, and those that new objects are sealed for.
//
// As text, one line a key (docs/formats/gcrypt.md):
//
//   walrig-key-ring 1
//   key symmetric 0123456789abcdef 2026-11-23T22:00:00Z <base64 of 32 bytes>
//   key x25519 89abcdef01234567 2026-11-23T22:00:00Z <base64 of the secret half>
//   key x25519-public 89abcdef01234567 2026-11-23T22:00:00Z <base64 of the public half>
//   write 0123456789abcdef [more ids]
//
// An id follows from its key, so a line whose parts do not belong together is refused.
// OWNS: key material in SecretBytes. THREADS: const methods any.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/key/secret_bytes.h"
#include "walrig/result.h"

namespace walrig::gcrypt {

using KeyId = std::array<uint8_t, 8>;
std::string Hex(const KeyId& id);

enum class KeyKind : uint8_t { kSymmetric, kX25519, kX25519Public };
std::string_view KeyKindName(KeyKind kind);

struct Key {
  KeyKind kind = KeyKind::kSymmetric;
  KeyId id{};
  SecretBytes secret;                     // empty for a public half
  std::array<uint8_t, 32> public_half{};  // of the two X25519 kinds
  std::string created;                    // RFC 3339, or "-"
};

// Ids: of a symmetric key without telling anything of it, of a recipient by its public half.
Result<KeyId> IdOfSymmetric(ByteSpan key);
Result<KeyId> IdOfRecipient(ByteSpan public_half);

// FAILS WITH: kConfig unless `secret` has 32 bytes.
Result<Key> NewKey(KeyKind kind, SecretBytes secret, std::string created);

class KeyRing {
 public:
  static constexpr size_t kKeysMax = 1000;
  static constexpr size_t kWritersMax = 16;

  // A ring, or one bare symmetric key: 32 raw bytes, 64 hexadecimal digits, or base64 of 32 bytes. `place` is for messages.
  // FAILS WITH: kConfig naming the line; never a byte of a key.
  static Result<KeyRing> Parse(std::string_view text, const std::string& place);
  Result<SecretBytes> Format() const;

  const std::vector<Key>& keys() const { return keys_; }
  const std::vector<KeyId>& writers() const { return writers_; }
  bool empty() const { return keys_.empty(); }
  const Key* Find(const KeyId& id) const;
  // FAILS WITH: kConfig when the id is there already or the ring is full.
  Status Add(Key key);
  Status SetWriters(std::vector<KeyId> ids);
  // "0123456789abcdef, 89abcdef01234567", or "none".
  std::string Ids() const;

 private:
  Status ParseLine(std::string_view line);
  std::vector<Key> keys_;
  std::vector<KeyId> writers_;
};

}  // namespace walrig::gcrypt
