// KeyRing: the keys of a configuration in librnp's form, for one machine at a time; and KeyRings, which lends them.
//
// librnp allows one thread at a time in all that belongs to one of its sessions, so machines that work at once need
// sessions of their own. Making one costs milliseconds, and opening a secret key with a passphrase tenths of a second,
// so a ring goes back when its machine ends and serves the next.
//
// Key material: the text of the keys and the passphrase are in SecretBytes. What librnp makes of a secret key is in its
// own memory, which it zeroes when a ring goes.
//
// OWNS: its session. THREADS: a KeyRing one at a time; KeyRings any.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "plugins/cipher/openpgp/framing.h"
#include "plugins/cipher/openpgp/key_packets.h"
#include "plugins/cipher/openpgp/rnp_handle.h"
#include "plugins/common/key/secret_bytes.h"
#include "walrig/result.h"

namespace walrig::openpgp {

class KeyRing {
 public:
  // `packets`: of one or several keys, binary, public or secret. librnp leaves out what it does not know. FAILS WITH:
  // kConfig when it takes the packets for no keys.
  static Result<std::unique_ptr<KeyRing>> Load(ByteSpan packets);

  // Which of `keys` this ring does not have, and why, as a clause about the first of them; empty when it has all.
  // `used` is how many it has.
  Result<std::string> WhatIsLeftOut(const std::vector<PrimaryKey>& keys, size_t* used) const;

  // Opens all secret keys that decrypt. `passphrase` ends with a zero byte, or is empty for none. FAILS WITH:
  // kPermission (another passphrase, or none where one is needed), kConfig (no key in the ring is secret and for
  // encryption).
  Status Unlock(const SecretBytes& passphrase);

  // For each key of the ring its primary, whose key for encryption librnp then takes. FAILS WITH: kConfig naming a key
  // that nothing can be encrypted for: expired, revoked, or for signatures only.
  Result<std::vector<RnpKey>> Recipients() const;

  // Can a key for one of these decrypt? Not for 0, a hidden recipient: librnp 0.16 does not try its keys on those.
  bool CanOpen(const std::vector<KeyId>& recipients) const;
  // The ids of keys that decrypt, for messages.
  std::string SecretKeyIds() const;

  rnp_ffi_t session() const noexcept { return session_.get(); }

 private:
  explicit KeyRing(RnpFfi session) : session_(std::move(session)) {}
  Result<std::vector<RnpKey>> Keys() const;

  const RnpFfi session_;
  std::vector<KeyId> opened_;
};

// What a ring is made from.
struct KeyMaterial {
  SecretBytes keys;        // armored or binary, one or several
  SecretBytes passphrase;  // with a zero byte at its end; empty for none
};

class KeyRings {
 public:
  // FAILS WITH: kConfig when the text holds no key that can be used, so that this is an error before the first object.
  static Result<std::shared_ptr<KeyRings>> New(KeyMaterial material);

  // Whether objects can be written for every key that is configured. FAILS WITH: kConfig naming a key that librnp left
  // out, and why, or saying what of the text could not be read: an object that one of its readers cannot open is found
  // out when it is needed.
  Status MayWrite() const { return left_out_; }

  // A ring that nobody else has; with `unlocked`, ready to decrypt. FAILS WITH: as Load and Unlock.
  Result<std::unique_ptr<KeyRing>> Borrow(bool unlocked);
  void Return(std::unique_ptr<KeyRing> ring, bool unlocked) noexcept;

 private:
  static constexpr size_t kIdleMax = 16;

  explicit KeyRings(KeyMaterial material) : material_(std::move(material)) {
    for (auto& idle : idle_) idle.reserve(kIdleMax);  // Return runs in destructors
  }
  std::unique_ptr<KeyRing> TakeIdle(bool unlocked);

  const KeyMaterial material_;  // the keys as packets
  Status left_out_;             // OK when every configured key is used
  std::mutex mutex_;
  std::vector<std::unique_ptr<KeyRing>> idle_[2];  // guarded by mutex_; by `unlocked`
};

}  // namespace walrig::openpgp
