#include "plugins/cipher/gcrypt/key_tool.h"

#include <algorithm>
#include <utility>

#include "plugins/cipher/gcrypt/library.h"

namespace walrig::gcrypt {
namespace {

Result<KeyKind> KindToMake(std::string_view argument) {
  if (argument.empty() || argument == "symmetric") return KeyKind::kSymmetric;
  if (argument == "x25519") return KeyKind::kX25519;
  return ConfigError("\"" + std::string(argument) + "\" is no kind of key of cipher gcrypt").Hint("symmetric or x25519");
}

Result<KeyId> AddNew(KeyRing& ring, KeyKind kind, std::string now) {
  WALRIG_ASSIGN(SecretBytes secret, SecretBytes::New(kKeyBytes));
  RandomBytes(secret.span());
  WALRIG_ASSIGN(Key key, NewKey(kind, std::move(secret), std::move(now)));
  const KeyId id = key.id;
  WALRIG_TRY(ring.Add(std::move(key)));
  return id;
}

Result<SecretBytes> Add(KeyRing& ring, std::string_view argument, std::string now) {
  WALRIG_ASSIGN(const KeyKind kind, KindToMake(argument));
  WALRIG_ASSIGN(const KeyId id, AddNew(ring, kind, std::move(now)));
  if (ring.writers().empty()) WALRIG_TRY(ring.SetWriters({id}));
  return ring.Format();
}

// Each key that is written with gets a follower of its kind.
Result<SecretBytes> Rotate(KeyRing& ring, std::string_view argument, const std::string& now) {
  std::vector<KeyKind> kinds;
  for (const KeyId& id : ring.writers()) kinds.push_back(ring.Find(id)->kind);
  if (!argument.empty() || kinds.empty()) {
    WALRIG_ASSIGN(const KeyKind kind, KindToMake(argument));
    kinds = {kind};
  }
  std::vector<KeyId> writers;
  for (const KeyKind kind : kinds) {
    if (kind == KeyKind::kX25519Public) {
      return ConfigError("the key to write with is a public half: its successor is made where the secret half is")
          .Hint("rotate there, then bring the new public half here (walrig key list --public)");
    }
    WALRIG_ASSIGN(writers.emplace_back(), AddNew(ring, kind, now));
  }
  WALRIG_TRY(ring.SetWriters(std::move(writers)));
  return ring.Format();
}

Result<SecretBytes> List(const KeyRing& ring) {
  std::string text;
  for (const Key& key : ring.keys()) {
    const auto& writers = ring.writers();
    const bool writes = std::find(writers.begin(), writers.end(), key.id) != writers.end();
    text += Hex(key.id) + "\t" + std::string(KeyKindName(key.kind)) + "\t" + key.created + "\t" +
            (writes ? "write" : "read") + "\n";
  }
  return SecretBytes::CopyOf(AsBytes(text));
}

Result<SecretBytes> Public(const KeyRing& ring) {
  KeyRing halves;
  std::vector<KeyId> writers;
  for (const Key& key : ring.keys()) {
    if (key.kind == KeyKind::kSymmetric) continue;
    WALRIG_ASSIGN(SecretBytes half, SecretBytes::CopyOf(key.public_half));
    WALRIG_ASSIGN(Key added, NewKey(KeyKind::kX25519Public, std::move(half), key.created));
    WALRIG_TRY(halves.Add(std::move(added)));
    const auto& all = ring.writers();
    if (std::find(all.begin(), all.end(), key.id) != all.end()) writers.push_back(key.id);
  }
  if (halves.empty()) {
    return ConfigError("the key ring holds no key with a public half").Hint("walrig key new --kind x25519 makes one");
  }
  WALRIG_TRY(halves.SetWriters(std::move(writers)));
  return halves.Format();
}

}  // namespace

Result<SecretBytes> EditKeys(KeyVerb verb, std::string_view argument, ByteSpan bytes, std::string now) {
  KeyRing ring;
  if (!bytes.empty()) {
    WALRIG_ASSIGN(ring, KeyRing::Parse(AsText(bytes), "the key ring"));
  }
  switch (verb) {
    case KeyVerb::kAdd: return Add(ring, argument, std::move(now));
    case KeyVerb::kRotate: return Rotate(ring, argument, now);
    case KeyVerb::kList: return List(ring);
    case KeyVerb::kPublic: return Public(ring);
  }
  return InvalidArgument("an unknown thing to do with keys");
}

}  // namespace walrig::gcrypt
