#include "plugins/cipher/gcrypt/envelope.h"

#include <algorithm>
#include <cstring>

namespace walrig::gcrypt {
namespace {

constexpr Nonce kNoNonce{};  // a wrapping key wraps once, so its nonce may be constant

Result<SecretBytes> WrapKeyOf(ByteSpan key, ByteSpan salt) {
  return HkdfSha256(key, salt, {AsBytes("walrig-gcrypt v1 wrap")});
}

Result<SecretBytes> WrapKeyOfShared(ByteSpan shared, ByteSpan salt, ByteSpan ephemeral, ByteSpan recipient) {
  return HkdfSha256(shared, salt, {AsBytes("walrig-gcrypt v1 x25519"), ephemeral, recipient});
}

Status WrapInto(ByteSpan wrap_key, ByteSpan object_key, Slot* slot) {
  WALRIG_ASSIGN(Aead aead, Aead::New(Algorithm::kAes256Gcm, wrap_key));
  return aead.Seal(kNoNonce, object_key, slot->wrapped);
}

// Empty when the key does not fit.
Result<SecretBytes> UnwrapFrom(ByteSpan wrap_key, const Slot& slot) {
  WALRIG_ASSIGN(Aead aead, Aead::New(Algorithm::kAes256Gcm, wrap_key));
  WALRIG_ASSIGN(SecretBytes object_key, SecretBytes::New(kKeyBytes));
  WALRIG_ASSIGN(const bool fits, aead.Open(kNoNonce, slot.wrapped, object_key.span()));
  if (!fits) return SecretBytes();
  return object_key;
}

Result<Digest> HeaderMac(ByteSpan object_key, ByteSpan salt, ByteSpan header) {
  WALRIG_ASSIGN(const SecretBytes key, HkdfSha256(object_key, salt, {AsBytes("walrig-gcrypt v1 header")}));
  Digest mac{};
  WALRIG_TRY(HmacSha256(key.bytes(), {header}, mac));
  return mac;
}

Result<SecretBytes> PayloadKey(ByteSpan object_key, ByteSpan salt, ByteSpan header) {
  return HkdfSha256(object_key, salt, {AsBytes("walrig-gcrypt v1 payload"), header});
}

bool Fits(KeyKind key, SlotKind slot) {
  return (key == KeyKind::kSymmetric && slot == SlotKind::kSymmetric) ||
         (key == KeyKind::kX25519 && slot == SlotKind::kX25519);
}

}  // namespace

Status Keys::CanSeal() const {
  if (!ring_.writers().empty() || !passphrase_.empty()) return OkStatus();
  return ConfigError("cipher gcrypt: the key ring does not say which key new objects are written with")
      .Hint("walrig key rotate makes one, or add a line \"write ID\"");
}

Result<Slot> Keys::Wrap(const Key& key, ByteSpan salt, ByteSpan object_key) {
  Slot slot;
  slot.id = key.id;
  if (key.kind == KeyKind::kSymmetric) {
    slot.kind = SlotKind::kSymmetric;
    WALRIG_ASSIGN(const SecretBytes wrap_key, WrapKeyOf(key.secret.bytes(), salt));
    WALRIG_TRY(WrapInto(wrap_key.bytes(), object_key, &slot));
    return slot;
  }
  slot.kind = SlotKind::kX25519;
  WALRIG_ASSIGN(SecretBytes scalar, SecretBytes::New(kKeyBytes));
  RandomBytes(scalar.span());
  WALRIG_TRY(X25519Public(scalar.bytes(), slot.ephemeral));
  WALRIG_ASSIGN(const SecretBytes shared, X25519(scalar.bytes(), key.public_half));
  WALRIG_ASSIGN(const SecretBytes wrap_key, WrapKeyOfShared(shared.bytes(), salt, slot.ephemeral, key.public_half));
  WALRIG_TRY(WrapInto(wrap_key.bytes(), object_key, &slot));
  return slot;
}

Result<Slot> Keys::WrapByPassphrase(KdfKind kdf, ByteSpan salt, ByteSpan object_key) {
  KdfParameters parameters;
  {
    // One derivation serves all objects of a process; each object still has a salt of its own.
    const std::lock_guard lock(mutex_);
    if (write_parameters_ == nullptr) write_parameters_ = std::make_unique<KdfParameters>(NewKdfParameters(kdf));
    parameters = *write_parameters_;
  }
  Slot slot;
  slot.kind = SlotKind::kPassphrase;
  slot.kdf = parameters;
  WALRIG_ASSIGN(const auto derived, FromPassphrase(parameters));
  WALRIG_ASSIGN(slot.id, IdOfSymmetric(derived->bytes()));
  WALRIG_ASSIGN(const SecretBytes wrap_key, WrapKeyOf(derived->bytes(), salt));
  WALRIG_TRY(WrapInto(wrap_key.bytes(), object_key, &slot));
  return slot;
}

Result<Keys::Sealed> Keys::Seal(const SealOptions& options) {
  WALRIG_TRY(CanSeal());
  Sealed sealed;
  sealed.header.algorithm = options.algorithm;
  sealed.header.chunk_log = options.chunk_log;
  RandomBytes(sealed.header.salt);
  const ByteSpan salt = sealed.header.salt;
  WALRIG_ASSIGN(SecretBytes object_key, SecretBytes::New(kKeyBytes));
  RandomBytes(object_key.span());
  for (const KeyId& id : ring_.writers()) {
    WALRIG_ASSIGN(sealed.header.slots.emplace_back(), Wrap(*ring_.Find(id), salt, object_key.bytes()));
  }
  if (ring_.writers().empty()) {
    WALRIG_ASSIGN(sealed.header.slots.emplace_back(), WrapByPassphrase(options.kdf, salt, object_key.bytes()));
  }
  sealed.bytes = FormatHeader(sealed.header);
  WALRIG_ASSIGN(const Digest mac, HeaderMac(object_key.bytes(), salt, sealed.bytes));
  WALRIG_ASSIGN(sealed.payload_key, PayloadKey(object_key.bytes(), salt, sealed.bytes));
  sealed.bytes.insert(sealed.bytes.end(), mac.begin(), mac.end());
  return sealed;
}

Result<SecretBytes> Keys::Unwrap(const Key& key, const Slot& slot, ByteSpan salt) {
  if (key.kind == KeyKind::kSymmetric) {
    WALRIG_ASSIGN(const SecretBytes wrap_key, WrapKeyOf(key.secret.bytes(), salt));
    return UnwrapFrom(wrap_key.bytes(), slot);
  }
  WALRIG_ASSIGN(const SecretBytes shared, X25519(key.secret.bytes(), slot.ephemeral));
  WALRIG_ASSIGN(const SecretBytes wrap_key, WrapKeyOfShared(shared.bytes(), salt, slot.ephemeral, key.public_half));
  return UnwrapFrom(wrap_key.bytes(), slot);
}

Result<SecretBytes> Keys::UnwrapByPassphrase(const Slot& slot, ByteSpan salt) {
  WALRIG_ASSIGN(const auto derived, FromPassphrase(slot.kdf));
  WALRIG_ASSIGN(const KeyId id, IdOfSymmetric(derived->bytes()));
  if (id != slot.id) return SecretBytes();
  WALRIG_ASSIGN(const SecretBytes wrap_key, WrapKeyOf(derived->bytes(), salt));
  WALRIG_ASSIGN(SecretBytes object_key, UnwrapFrom(wrap_key.bytes(), slot));
  if (object_key.empty()) return Corruption("gcrypt: the header is damaged: its wrapped key");
  return object_key;
}

Result<std::shared_ptr<const SecretBytes>> Keys::FromPassphrase(const KdfParameters& parameters) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(derived_.begin(), derived_.end(),
                                  [&](const Derived& each) { return each.parameters == parameters; });
  if (found != derived_.end()) {
    std::rotate(derived_.begin(), found, found + 1);
    return derived_.front().key;
  }
  WALRIG_ASSIGN(SecretBytes key, DeriveKey(passphrase_.bytes(), parameters));
  if (derived_.size() >= kDerivedMax) derived_.pop_back();
  derived_.insert(derived_.begin(), Derived{parameters, std::make_shared<const SecretBytes>(std::move(key))});
  return derived_.front().key;
}

Status Keys::NoKeyFor(const Header& header) const {
  std::string ids;
  bool public_only = false, by_passphrase = false;
  for (const Slot& slot : header.slots) {
    ids += (ids.empty() ? "" : ", ") + Hex(slot.id);
    const Key* const key = ring_.Find(slot.id);
    public_only = public_only || (key != nullptr && key->kind == KeyKind::kX25519Public);
    by_passphrase = by_passphrase || slot.kind == SlotKind::kPassphrase;
  }
  if (public_only) {
    return PermissionDenied("gcrypt: the object was sealed for key " + ids + ", of which only the public half is here")
        .Hint("a host with the public half can write and not read; restore where the secret half is");
  }
  if (by_passphrase && !passphrase_.empty()) {
    return PermissionDenied("gcrypt: the passphrase is not the one that the object was sealed with (key " + ids + ")");
  }
  if (by_passphrase) {
    return PermissionDenied("gcrypt: the object was sealed with a passphrase (key " + ids + "), and none is configured")
        .Hint("set WALRIG_GCRYPT_PASSPHRASE or WALRIG_GCRYPT_PASSPHRASE_FILE");
  }
  return PermissionDenied("gcrypt: the object was sealed for key " + ids + ", which is not here; keys here: " +
                          (ring_.empty() ? "a passphrase" : ring_.Ids()))
      .Hint("put the key back into the key ring that WALRIG_GCRYPT_KEY_FILE names");
}

Result<SecretBytes> Keys::ObjectKey(const Header& header) {
  for (const Slot& slot : header.slots) {
    const Key* const key = ring_.Find(slot.id);
    if (key == nullptr || !Fits(key->kind, slot.kind)) continue;
    WALRIG_ASSIGN(SecretBytes object_key, Unwrap(*key, slot, header.salt));
    if (object_key.empty()) return Corruption("gcrypt: the header is damaged: its key for " + Hex(slot.id) + " does not open");
    return object_key;
  }
  for (const Slot& slot : header.slots) {
    if (slot.kind != SlotKind::kPassphrase || passphrase_.empty()) continue;
    WALRIG_ASSIGN(SecretBytes object_key, UnwrapByPassphrase(slot, header.salt));
    if (!object_key.empty()) return object_key;
  }
  // An id that was changed must not look like a key that was lost: whatever opens all the same is a damaged header.
  for (const Slot& slot : header.slots) {
    for (const Key& key : ring_.keys()) {
      if (!Fits(key.kind, slot.kind)) continue;
      const auto object_key = Unwrap(key, slot, header.salt);
      if (object_key.ok() && !object_key->empty()) return Corruption("gcrypt: the header is damaged: the id of a key");
    }
  }
  return NoKeyFor(header);
}

Result<SecretBytes> Keys::Open(const Header& header, ByteSpan bytes) {
  WALRIG_ASSIGN(const SecretBytes object_key, ObjectKey(header));
  const ByteSpan text = bytes.first(bytes.size() - kMacBytes);
  WALRIG_ASSIGN(const Digest mac, HeaderMac(object_key.bytes(), header.salt, text));
  if (!SameSecret(mac, bytes.last(kMacBytes))) return Corruption("gcrypt: the header was changed after it was written");
  return PayloadKey(object_key.bytes(), header.salt, text);
}

}  // namespace walrig::gcrypt
