// Envelope: from the keys that somebody holds to the key of one object, and back.
//
// Every object has a random key of its own, wrapped once for each key or recipient that may read it. The header's MAC and
// the key of the chunks both come from it, and the whole header is in their derivation: a header that was edited opens
// nothing.
//
// OWNS: the ring, the passphrase, and keys derived from it. THREADS: all methods from any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "plugins/cipher/gcrypt/header.h"
#include "plugins/cipher/gcrypt/key_ring.h"

namespace walrig::gcrypt {

struct SealOptions {
  Algorithm algorithm = Algorithm::kAes256Gcm;
  uint8_t chunk_log = kChunkLogUsual;
  KdfKind kdf = KdfKind::kArgon2id;
};

class Keys {
 public:
  // Either may be empty. The ring writes when it says with what; else the passphrase does.
  Keys(KeyRing ring, SecretBytes passphrase) : ring_(std::move(ring)), passphrase_(std::move(passphrase)) {}

  struct Sealed {
    Header header;
    std::vector<uint8_t> bytes;  // the header with its MAC
    SecretBytes payload_key;
  };
  // A new object. FAILS WITH: kConfig when there is no key to write with.
  Result<Sealed> Seal(const SealOptions& options);

  // The key of the chunks. `bytes` are what `header` was parsed from.
  // FAILS WITH: kPermission naming key ids (none of the object's keys is held; a wrong passphrase), kCorruption.
  Result<SecretBytes> Open(const Header& header, ByteSpan bytes);

  // FAILS WITH: kConfig when new objects cannot be sealed.
  Status CanSeal() const;

  // How many derived keys are kept. Each takes a locked page, of which RLIMIT_MEMLOCK allows some 2000 as a rule.
  static constexpr size_t kDerivedMax = 64;

 private:
  struct Derived {
    KdfParameters parameters;
    std::shared_ptr<const SecretBytes> key;
  };

  Result<Slot> Wrap(const Key& key, ByteSpan salt, ByteSpan object_key);
  Result<Slot> WrapByPassphrase(KdfKind kdf, ByteSpan salt, ByteSpan object_key);
  // The key of a slot by one key of the ring; empty when it does not fit.
  Result<SecretBytes> Unwrap(const Key& key, const Slot& slot, ByteSpan salt);
  Result<SecretBytes> UnwrapByPassphrase(const Slot& slot, ByteSpan salt);
  Result<SecretBytes> ObjectKey(const Header& header);
  Status NoKeyFor(const Header& header) const;
  // Of what was derived lately a copy is kept: every process that wrote has a salt of its own.
  Result<std::shared_ptr<const SecretBytes>> FromPassphrase(const KdfParameters& parameters);

  const KeyRing ring_;
  const SecretBytes passphrase_;
  std::mutex mutex_;
  std::vector<Derived> derived_;                       // guarded by mutex_; the last used is the first
  std::unique_ptr<KdfParameters> write_parameters_;    // guarded by mutex_
};

}  // namespace walrig::gcrypt
