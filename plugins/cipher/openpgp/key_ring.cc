#include "plugins/cipher/openpgp/key_ring.h"

#include <rnp/rnp_err.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace walrig::openpgp {
namespace {

Result<std::string> IdOf(rnp_key_handle_t key) {
  char* text = nullptr;
  WALRIG_TRY(RnpStatus(rnp_key_get_keyid(key, &text), "the id of a key"));
  const RnpText owner(text);
  return std::string(text);
}

KeyId IdFromText(std::string_view text) {
  KeyId id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id, 16);
  return id;
}

// For decryption a key may have expired.
Result<bool> Decrypts(rnp_key_handle_t key) {
  bool secret = false, encrypts = false;
  WALRIG_TRY(RnpStatus(rnp_key_have_secret(key, &secret), "the kind of a key"));
  WALRIG_TRY(RnpStatus(rnp_key_allows_usage(key, "encrypt", &encrypts), "the use of a key"));
  return secret && encrypts;
}

Status NoKey(const std::string& why) {
  return ConfigError("openpgp: the configured text is not an OpenPGP key: " + why)
      .Hint("`gpg --armor --export-secret-keys ID` (or --export, for a host that only writes) makes one");
}

// The algorithms of RFC 4880 and 6637.
bool IsClassic(uint8_t algorithm) {
  return (algorithm >= 1 && algorithm <= 3) || (algorithm >= 16 && algorithm <= 22);
}

// Whether `key` is the one whose packet `mine` is. A secret key begins with its public part.
bool IsSame(const PrimaryKey& key, ByteSpan mine) {
  if (mine.empty() || key.body.size() < mine.size() || (!key.secret && key.body.size() != mine.size())) return false;
  return std::equal(mine.begin(), mine.end(), key.body.begin());
}

std::string WhyUnusable(const PrimaryKey& key, size_t number) {
  const std::string librnp = std::string("librnp ") + rnp_version_string();
  std::string text = "the configured key number " + std::to_string(number);
  if (!key.user.empty()) text += ", of \"" + key.user + "\",";
  text += " cannot be used: " + librnp;
  if (key.version < 3 || key.version > 4) return text + " does not know version " + std::to_string(key.version) + " of keys";
  if (!IsClassic(key.algorithm)) return text + " does not know its algorithm, number " + std::to_string(key.algorithm);
  return text + " could not read it";
}

// Why nothing can be encrypted for a primary key that librnp has.
std::string WhyNoRecipient(rnp_key_handle_t key) {
  bool revoked = false, expired = false;
  if (rnp_key_is_revoked(key, &revoked) == RNP_SUCCESS && revoked) return "it was revoked";
  if (rnp_key_is_expired(key, &expired) == RNP_SUCCESS && expired) return "it has expired";
  return "it has no valid part for encryption: none was made for that, or it has expired or was revoked";
}

struct CloseIterator {
  void operator()(rnp_identifier_iterator_t it) const noexcept { rnp_identifier_iterator_destroy(it); }
};

}  // namespace

Status RnpStatus(rnp_result_t code, const char* what) {
  if (code == RNP_SUCCESS) return OkStatus();
  const std::string text = std::string("openpgp: ") + what + ": " + rnp_result_to_string(code);
  return code == RNP_ERROR_OUT_OF_MEMORY ? OutOfMemory("openpgp") : Internal(text);
}

Result<std::unique_ptr<KeyRing>> KeyRing::Load(ByteSpan packets) {
  rnp_ffi_t made = nullptr;
  WALRIG_TRY(RnpStatus(rnp_ffi_create(&made, RNP_KEYSTORE_GPG, RNP_KEYSTORE_GPG), "a session of librnp"));
  std::unique_ptr<KeyRing> ring(new KeyRing(RnpFfi(made)));
  rnp_input_t raw = nullptr;
  WALRIG_TRY(RnpStatus(rnp_input_from_memory(&raw, packets.data(), packets.size(), false), "the keys"));
  const RnpInput input(raw);
  const rnp_result_t code = rnp_import_keys(
      made, raw, RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_SECRET_KEYS | RNP_LOAD_SAVE_PERMISSIVE, nullptr);
  if (code == RNP_SUCCESS) return ring;
  if (code == RNP_ERROR_OUT_OF_MEMORY) return RnpStatus(code, "the keys");
  return NoKey(rnp_result_to_string(code));
}

Result<std::string> KeyRing::WhatIsLeftOut(const std::vector<PrimaryKey>& keys, size_t* used) const {
  std::vector<KeyPackets> known;
  WALRIG_ASSIGN(const std::vector<RnpKey> mine, Keys());
  for (const RnpKey& key : mine) {
    uint8_t* bytes = nullptr;
    size_t count = 0;
    WALRIG_TRY(RnpStatus(rnp_get_public_key_data(key.get(), &bytes, &count), "the packet of a key"));
    const std::unique_ptr<uint8_t, RnpDestroy<rnp_buffer_destroy>> owner(bytes);
    WALRIG_ASSIGN(known.emplace_back(), ReadKeyPackets(ByteSpan(bytes, count)));
  }
  *used = 0;
  std::string why;
  for (size_t i = 0; i < keys.size(); ++i) {
    const bool found = std::any_of(known.begin(), known.end(), [&](const KeyPackets& packets) {
      return !packets.keys.empty() && IsSame(keys[i], packets.keys.front().body);
    });
    if (found) ++*used;
    if (!found && why.empty()) why = WhyUnusable(keys[i], i + 1);
  }
  return why;
}

Result<std::vector<RnpKey>> KeyRing::Keys() const {
  rnp_identifier_iterator_t raw = nullptr;
  WALRIG_TRY(RnpStatus(rnp_identifier_iterator_create(session(), &raw, "fingerprint"), "the list of keys"));
  const std::unique_ptr<std::remove_pointer_t<rnp_identifier_iterator_t>, CloseIterator> owner(raw);
  std::vector<RnpKey> keys;
  const char* fingerprint = nullptr;
  while (rnp_identifier_iterator_next(raw, &fingerprint) == RNP_SUCCESS && fingerprint != nullptr) {
    rnp_key_handle_t key = nullptr;
    WALRIG_TRY(RnpStatus(rnp_locate_key(session(), "fingerprint", fingerprint, &key), "a key"));
    if (key != nullptr) keys.emplace_back(key);
  }
  return keys;
}

Status KeyRing::Unlock(const SecretBytes& passphrase) {
  WALRIG_ASSIGN(const std::vector<RnpKey> keys, Keys());
  Status refused;
  opened_.clear();
  for (const RnpKey& key : keys) {
    WALRIG_ASSIGN(const bool decrypts, Decrypts(key.get()));
    if (!decrypts) continue;
    WALRIG_ASSIGN(const std::string id, IdOf(key.get()));
    bool locked = false;
    WALRIG_TRY(RnpStatus(rnp_key_is_locked(key.get(), &locked), "the lock of a key"));
    // Without a passphrase none is guessed: librnp would ask for one.
    const char* const text = passphrase.empty() ? nullptr : reinterpret_cast<const char*>(passphrase.data());
    if (locked && (text == nullptr || rnp_key_unlock(key.get(), text) != RNP_SUCCESS)) {
      refused = PermissionDenied("openpgp: the secret key " + id +
                                 (text == nullptr ? " is protected by a passphrase, and none is configured"
                                                  : " does not open with the configured passphrase"))
                    .Hint("set WALG_PGP_KEY_PASSPHRASE to the passphrase of the key");
      continue;
    }
    opened_.push_back(IdFromText(id));
  }
  // Other keys of a ring may be somebody else's: one that opens is enough, until an object needs another.
  if (!opened_.empty()) return OkStatus();
  if (!refused.ok()) return refused;
  return ConfigError("openpgp: no secret key for decryption is configured: with public keys alone nothing can be read")
      .Hint("set WALG_PGP_KEY_PATH (or WALG_PGP_KEY) to the secret key on a host that reads");
}

Result<std::vector<RnpKey>> KeyRing::Recipients() const {
  WALRIG_ASSIGN(std::vector<RnpKey> keys, Keys());
  std::vector<RnpKey> recipients;
  for (RnpKey& key : keys) {
    bool primary = false;
    WALRIG_TRY(RnpStatus(rnp_key_is_primary(key.get(), &primary), "the kind of a key"));
    if (!primary) continue;
    rnp_key_handle_t target = nullptr;
    const rnp_result_t code = rnp_key_get_default_key(key.get(), "encrypt", 0, &target);
    const RnpKey owner(target);
    if (code != RNP_SUCCESS || target == nullptr) {
      WALRIG_ASSIGN(const std::string id, IdOf(key.get()));
      return ConfigError("openpgp: nothing can be encrypted for the key " + id + ": " + WhyNoRecipient(key.get()))
          .Hint("`gpg --show-keys FILE` shows a key's parts, uses and dates");
    }
    recipients.push_back(std::move(key));
  }
  if (recipients.empty()) return ConfigError("openpgp: there is no primary key among the configured keys");
  return recipients;
}

bool KeyRing::CanOpen(const std::vector<KeyId>& recipients) const {
  return std::any_of(recipients.begin(), recipients.end(), [this](KeyId id) {
    return std::find(opened_.begin(), opened_.end(), id) != opened_.end();
  });
}

std::string KeyRing::SecretKeyIds() const {
  std::string text;
  for (const KeyId id : opened_) text += (text.empty() ? "" : ", ") + KeyIdText(id);
  return text;
}

Result<std::shared_ptr<KeyRings>> KeyRings::New(KeyMaterial material) {
  WALRIG_ASSIGN(KeyPackets packets, ReadKeyPackets(material.keys.bytes()));
  if (packets.bytes.empty()) return NoKey(packets.damage.empty() ? "there is none in it" : packets.damage);
  material.keys = std::move(packets.bytes);
  std::shared_ptr<KeyRings> rings(new KeyRings(std::move(material)));
  WALRIG_ASSIGN(std::unique_ptr<KeyRing> first, KeyRing::Load(rings->material_.keys.bytes()));
  size_t used = 0;
  WALRIG_ASSIGN(const std::string left_out, first->WhatIsLeftOut(packets.keys, &used));
  if (!left_out.empty()) {
    rings->left_out_ = ConfigError("openpgp: " + left_out)
                           .Hint("what is written must be readable with every configured key: take this one out, or "
                                 "replace it by one that gpg 2.2 makes (version 4, RSA or Curve25519)");
  } else if (!packets.damage.empty()) {
    rings->left_out_ = ConfigError("openpgp: the configured keys cannot be read to their end: " + packets.damage)
                           .Hint("export the keys again, with `gpg --armor --export ID...`");
  }
  if (used == 0 && !packets.keys.empty()) return rings->left_out_;
  rings->Return(std::move(first), false);
  return rings;
}

std::unique_ptr<KeyRing> KeyRings::TakeIdle(bool unlocked) {
  const std::lock_guard lock(mutex_);
  auto& idle = idle_[unlocked ? 1 : 0];
  if (idle.empty()) return nullptr;
  std::unique_ptr<KeyRing> ring = std::move(idle.back());
  idle.pop_back();
  return ring;
}

Result<std::unique_ptr<KeyRing>> KeyRings::Borrow(bool unlocked) {
  std::unique_ptr<KeyRing> ring = TakeIdle(unlocked);
  if (ring != nullptr) return ring;
  if (unlocked) ring = TakeIdle(false);
  if (ring == nullptr) {
    WALRIG_ASSIGN(ring, KeyRing::Load(material_.keys.bytes()));
  }
  if (!unlocked) return ring;
  Status status = ring->Unlock(material_.passphrase);
  if (status.ok()) return ring;
  // The key that is missed may be one that was left out.
  if (left_out_.ok() || status.code() != Code::kConfig) return status;
  return ConfigError(std::string(status.message()) + "; " + std::string(left_out_.message()))
      .Hint(std::string(status.hint()));
}

void KeyRings::Return(std::unique_ptr<KeyRing> ring, bool unlocked) noexcept {
  if (ring == nullptr) return;
  const std::lock_guard lock(mutex_);
  auto& idle = idle_[unlocked ? 1 : 0];
  if (idle.size() < kIdleMax) idle.push_back(std::move(ring));
}

}  // namespace walrig::openpgp
