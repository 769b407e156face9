#include "plugins/cipher/gcrypt/key_ring.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "plugins/cipher/gcrypt/library.h"

namespace walrig::gcrypt {
namespace {

constexpr std::string_view kTitle = "walrig-key-ring 1";
constexpr std::string_view kTitleOfAny = "walrig-key-ring";

std::string_view TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  const std::string_view line = text->substr(0, end);
  *text = end == std::string_view::npos ? std::string_view() : text->substr(end + 1);
  return TrimSpace(line);
}

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  while (!(line = TrimSpace(line)).empty()) {
    const size_t end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

Result<KeyId> ParseId(std::string_view text) {
  auto bytes = SecretFromHex(text);
  if (!bytes.ok() || bytes->size() != KeyId().size()) return ConfigError("an id has 16 hexadecimal digits");
  KeyId id{};
  std::memcpy(id.data(), bytes->data(), id.size());
  return id;
}

Result<KeyKind> ParseKind(std::string_view text) {
  for (const KeyKind kind : {KeyKind::kSymmetric, KeyKind::kX25519, KeyKind::kX25519Public}) {
    if (KeyKindName(kind) == text) return kind;
  }
  return ConfigError("the kinds of keys are symmetric, x25519 and x25519-public");
}

bool LooksLikeTime(std::string_view text) {
  return text.size() <= 40 && text.find_first_not_of("0123456789-:.TZ+") == std::string_view::npos;
}

// Appends to memory that was made large enough.
class Writer {
 public:
  explicit Writer(SecretBytes& out) : out_(out) {}
  void Put(std::string_view text) {
    std::memcpy(out_.data() + at_, text.data(), text.size());
    at_ += text.size();
  }
  void PutBase64(ByteSpan bytes) {
    static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.size(); i += 3) {
      const size_t left = std::min<size_t>(3, bytes.size() - i);
      uint32_t bits = static_cast<uint32_t>(bytes[i]) << 16;
      if (left > 1) bits |= static_cast<uint32_t>(bytes[i + 1]) << 8;
      if (left > 2) bits |= bytes[i + 2];
      for (size_t digit = 0; digit < 4; ++digit) {
        out_.data()[at_++] = digit <= left ? static_cast<uint8_t>(kDigits[(bits >> (18 - 6 * digit)) & 63]) : '=';
      }
    }
  }
  size_t at() const { return at_; }

 private:
  SecretBytes& out_;
  size_t at_ = 0;
};

Result<SecretBytes> BareKey(std::string_view text) {
  if (text.size() == kKeyBytes) return SecretBytes::CopyOf(AsBytes(text));
  const std::string_view word = TrimSpace(text);
  if (word.size() == 2 * kKeyBytes) return SecretFromHex(word);
  auto key = SecretFromBase64(word, false);
  if (key.ok() && key->size() == kKeyBytes) return key;
  return ConfigError("this is no key").Hint(
      "32 raw bytes, 64 hexadecimal digits, base64 of 32 bytes, or a key ring of walrig key new");
}

}  // namespace

std::string Hex(const KeyId& id) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : id) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string_view KeyKindName(KeyKind kind) {
  switch (kind) {
    case KeyKind::kSymmetric: return "symmetric";
    case KeyKind::kX25519: return "x25519";
    case KeyKind::kX25519Public: return "x25519-public";
  }
  return "";
}

Result<KeyId> IdOfSymmetric(ByteSpan key) {
  WALRIG_ASSIGN(const SecretBytes derived, HkdfSha256(key, {}, {AsBytes("walrig-gcrypt v1 key id")}));
  KeyId id{};
  std::memcpy(id.data(), derived.data(), id.size());
  return id;
}

Result<KeyId> IdOfRecipient(ByteSpan public_half) {
  WALRIG_ASSIGN(const SecretBytes derived, HkdfSha256(public_half, {}, {AsBytes("walrig-gcrypt v1 recipient id")}));
  KeyId id{};
  std::memcpy(id.data(), derived.data(), id.size());
  return id;
}

Result<Key> NewKey(KeyKind kind, SecretBytes secret, std::string created) {
  if (secret.size() != kKeyBytes) return ConfigError("a key has 32 bytes");
  Key key;
  key.kind = kind;
  key.created = std::move(created);
  if (kind == KeyKind::kSymmetric) {
    WALRIG_ASSIGN(key.id, IdOfSymmetric(secret.bytes()));
  } else if (kind == KeyKind::kX25519) {
    WALRIG_TRY(X25519Public(secret.bytes(), key.public_half));
    WALRIG_ASSIGN(key.id, IdOfRecipient(key.public_half));
  } else {
    std::memcpy(key.public_half.data(), secret.data(), kKeyBytes);
    WALRIG_ASSIGN(key.id, IdOfRecipient(key.public_half));
    return key;
  }
  key.secret = std::move(secret);
  return key;
}

Result<KeyRing> KeyRing::Parse(std::string_view text, const std::string& place) {
  KeyRing ring;
  if (text.size() == kKeyBytes || text.substr(0, kTitleOfAny.size()) != kTitleOfAny) {
    auto bare = BareKey(text);
    if (!bare.ok()) return ConfigError(std::string(bare.status().message())).Hint(std::string(bare.status().hint())).With(place);
    WALRIG_ASSIGN(Key key, NewKey(KeyKind::kSymmetric, std::move(*bare), "-"));
    ring.writers_ = {key.id};
    WALRIG_TRY(ring.Add(std::move(key)));
    return ring;
  }
  for (size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = TakeLine(&text);
    Status status = number > 1 ? ring.ParseLine(line)
                    : line == kTitle ? OkStatus()
                                     : ConfigError("a key ring of a version that is not known");
    if (!status.ok()) return std::move(status).With(place + ", line " + std::to_string(number));
  }
  for (const KeyId& id : ring.writers_) {
    if (ring.Find(id) == nullptr) return ConfigError(place + ": the key to write with, " + Hex(id) + ", is not in the ring");
  }
  return ring;
}

Status KeyRing::ParseLine(std::string_view line) {
  if (line.empty() || line.front() == '#') return OkStatus();
  const std::vector<std::string_view> words = Words(line);
  if (words[0] == "write" && words.size() >= 2) {
    if (!writers_.empty()) return ConfigError("a second line says what to write with");
    std::vector<KeyId> ids;
    for (size_t i = 1; i < words.size(); ++i) {
      WALRIG_ASSIGN(ids.emplace_back(), ParseId(words[i]));
    }
    if (ids.size() > kWritersMax) return ConfigError("an object is sealed for 16 keys at the most");
    writers_ = std::move(ids);
    return OkStatus();
  }
  if (words[0] != "key" || words.size() != 5) return ConfigError("neither key KIND ID CREATED MATERIAL nor write ID");
  WALRIG_ASSIGN(const KeyKind kind, ParseKind(words[1]));
  WALRIG_ASSIGN(const KeyId id, ParseId(words[2]));
  if (!LooksLikeTime(words[3])) return ConfigError("the third word of a key is a time or a hyphen");
  auto secret = SecretFromBase64(words[4]);
  if (!secret.ok()) return ConfigError("the key is not base64");
  WALRIG_ASSIGN(Key key, NewKey(kind, std::move(*secret), std::string(words[3])));
  if (key.id != id) return ConfigError("id " + Hex(id) + " is not that of the key beside it");
  return Add(std::move(key));
}

Result<SecretBytes> KeyRing::Format() const {
  WALRIG_ASSIGN(SecretBytes text, SecretBytes::New(64 + keys_.size() * 160 + kWritersMax * 17));
  Writer out(text);
  out.Put(kTitle);
  out.Put("\n");
  for (const Key& key : keys_) {
    for (const std::string_view word : {std::string_view("key "), KeyKindName(key.kind), std::string_view(" ")}) out.Put(word);
    out.Put(Hex(key.id) + " " + key.created + " ");
    out.PutBase64(key.secret.empty() ? ByteSpan(key.public_half) : key.secret.bytes());
    out.Put("\n");
  }
  if (!writers_.empty()) {
    out.Put("write");
    for (const KeyId& id : writers_) out.Put(" " + Hex(id));
    out.Put("\n");
  }
  text.Resize(out.at());
  return text;
}

const Key* KeyRing::Find(const KeyId& id) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) { return key.id == id; });
  return found == keys_.end() ? nullptr : &*found;
}

Status KeyRing::Add(Key key) {
  if (Find(key.id) != nullptr) return ConfigError("key " + Hex(key.id) + " is there twice");
  if (keys_.size() >= kKeysMax) return ConfigError("a key ring holds 1000 keys at the most");
  keys_.push_back(std::move(key));
  return OkStatus();
}

Status KeyRing::SetWriters(std::vector<KeyId> ids) {
  for (const KeyId& id : ids) {
    if (Find(id) == nullptr) return ConfigError("key " + Hex(id) + " is not in the ring");
  }
  writers_ = std::move(ids);
  return OkStatus();
}

std::string KeyRing::Ids() const {
  std::string text;
  for (const Key& key : keys_) text += (text.empty() ? "" : ", ") + Hex(key.id);
  return text.empty() ? "none" : text;
}

}  // namespace walrig::gcrypt
