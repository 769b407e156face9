#include "plugins/cipher/openpgp/key_packets.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace walrig::openpgp {
namespace {

enum KeyTag : uint8_t {
  kTagSignature = 2,
  kTagSecretKey = 5,
  kTagPublicKey = 6,
  kTagSecretSubkey = 7,
  kTagMarker = 10,
  kTagTrust = 12,
  kTagUserId = 13,
  kTagPublicSubkey = 14,
  kTagUserAttribute = 17,
  kTagPadding = 21,
};
constexpr uint8_t kFirstPrivateTag = 40;  // from here on a reader ignores what it does not know (RFC 9580, 4.3)
constexpr size_t kUserBytesMax = 80;

constexpr std::string_view kBegin = "-----BEGIN PGP ";
constexpr std::string_view kEnd = "-----END PGP ";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// A buffer of a known largest size that is filled from the front.
class Filled {
 public:
  static Result<Filled> New(size_t size_max) {
    WALRIG_ASSIGN(SecretBytes bytes, SecretBytes::New(std::max<size_t>(size_max, 1)));
    return Filled(std::move(bytes));
  }
  ByteSpan Add(ByteSpan more) {
    if (!more.empty()) std::memcpy(bytes_.data() + used_, more.data(), more.size());
    used_ += more.size();
    return bytes_.bytes().subspan(used_ - more.size(), more.size());
  }
  ByteSpan used() const { return bytes_.bytes().first(used_); }
  void Clear() { used_ = 0; }
  SecretBytes Take() {
    bytes_.Resize(used_);
    return std::move(bytes_);
  }

 private:
  explicit Filled(SecretBytes bytes) : bytes_(std::move(bytes)) {}
  SecretBytes bytes_;
  size_t used_ = 0;
};

// Reads from the front; what is not there makes it bad.
class Reader {
 public:
  explicit Reader(ByteSpan bytes) : bytes_(bytes) {}
  uint64_t Number(size_t octets) {
    uint64_t value = 0;
    for (const uint8_t octet : Take(octets)) value = value << 8 | octet;
    return value;
  }
  ByteSpan Take(uint64_t count) {
    good_ = good_ && count <= bytes_.size() - at_;
    if (!good_) return {};
    at_ += static_cast<size_t>(count);
    return bytes_.subspan(at_ - static_cast<size_t>(count), static_cast<size_t>(count));
  }
  bool good() const { return good_; }
  size_t at() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }

 private:
  const ByteSpan bytes_;
  size_t at_ = 0;
  bool good_ = true;
};

PrimaryKey Describe(ByteSpan body, bool secret) {
  PrimaryKey key;
  key.secret = secret;
  key.body = body;
  Reader reader(body);
  key.version = static_cast<uint8_t>(reader.Number(1));
  reader.Take(key.version == 2 || key.version == 3 ? 6 : 4);  // times
  key.algorithm = static_cast<uint8_t>(reader.Number(1));
  return key;
}

std::string PrintableUser(ByteSpan body) {
  std::string user(AsText(body.first(std::min(body.size(), kUserBytesMax))));
  for (char& c : user) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return user;
}

bool IsOfKey(uint8_t tag) {
  static constexpr std::array<uint8_t, 7> kTags = {kTagSignature,    kTagSecretKey,     kTagPublicKey,    kTagSecretSubkey,
                                                   kTagUserId,       kTagPublicSubkey,  kTagUserAttribute};
  return std::find(kTags.begin(), kTags.end(), tag) != kTags.end();
}
bool IsIgnored(uint8_t tag) { return tag == kTagMarker || tag == kTagTrust || tag == kTagPadding || tag >= kFirstPrivateTag; }

struct Packet {
  uint8_t tag = 0;
  ByteSpan body;
};

// Empty when the packet is whole; else what is wrong.
std::string TakePacket(Reader& in, Packet* packet) {
  const auto octet = static_cast<uint8_t>(in.Number(1));
  if ((octet & 0x80) == 0) return "there are bytes that are no OpenPGP packet";
  uint64_t length = 0;
  if ((octet & 0x40) == 0) {
    packet->tag = (octet >> 2) & 15;
    if ((octet & 3) == 3) return "there is a packet without a length";
    length = in.Number(size_t{1} << (octet & 3));
  } else {
    packet->tag = octet & 63;
    length = in.Number(1);
    if (length >= 224 && length < 255) return "there is a packet in parts";
    if (length >= 192) length = length == 255 ? in.Number(4) : (length - 192) * 256 + in.Number(1) + 192;
  }
  packet->body = in.Take(length);
  return in.good() ? "" : "they end in the middle of a packet";
}

bool IsBlank(ByteSpan bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t c) { return c == 0 || c == ' ' || (c >= 9 && c <= 13); });
}

class Collector {
 public:
  explicit Collector(Filled out) : out_(std::move(out)) {}

  // The first reason stays.
  void Damaged(std::string what) {
    if (damage_.empty()) damage_ = std::move(what);
  }

  void AddPackets(ByteSpan bytes) {
    Reader in(bytes);
    while (in.left() != 0) {
      const size_t begin = in.at();
      if (IsBlank(bytes.subspan(begin))) return;
      Packet packet;
      std::string wrong = TakePacket(in, &packet);
      if (!wrong.empty()) return Damaged(std::move(wrong));
      if (IsIgnored(packet.tag)) continue;
      if (!IsOfKey(packet.tag)) {
        return Damaged("packet type " + std::to_string(packet.tag) + " does not belong in a key");
      }
      const ByteSpan kept = out_.Add(bytes.subspan(begin, in.at() - begin));
      Add(packet.tag, kept.last(packet.body.size()));
    }
  }

  KeyPackets Take() { return {out_.Take(), std::move(keys_), std::move(damage_)}; }

 private:
  void Add(uint8_t tag, ByteSpan body) {
    if (tag == kTagSecretKey || tag == kTagPublicKey) keys_.push_back(Describe(body, tag == kTagSecretKey));
    if (tag == kTagUserId && !keys_.empty() && keys_.back().user.empty()) keys_.back().user = PrintableUser(body);
  }

  Filled out_;
  std::vector<PrimaryKey> keys_;
  std::string damage_;
};

std::string_view TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  const std::string_view line = text->substr(0, end);
  *text = end == std::string_view::npos ? std::string_view() : text->substr(end + 1);
  return TrimSpace(line);
}

// The lines of a block up to its end, as one word of base64. False when the end is missing.
bool TakeBlock(std::string_view* text, Filled& word) {
  bool headers = true, checksum = false;
  while (!text->empty()) {
    const std::string_view here = *text, line = TakeLine(text);
    if (line.starts_with(kEnd)) return true;
    if (line.starts_with(kBegin)) return *text = here, false;
    // "Version: GnuPG v2" and the like; base64 has no colon.
    headers = headers && !line.empty() && line.find(':') != std::string_view::npos;
    checksum = checksum || (line.size() == 5 && line[0] == '=');  // RFC 9580 has a reader ignore it
    if (!headers && !checksum) word.Add(AsBytes(line));
  }
  return false;
}

Status AddArmored(std::string_view text, Collector& keys) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  WALRIG_ASSIGN(Filled word, Filled::New(text.size()));
  while (!text.empty()) {
    const std::string_view line = TakeLine(&text);
    if (!line.starts_with(kBegin)) {
      const bool binary = std::any_of(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
      });
      if (binary) keys.Damaged("there are binary bytes outside of the armored blocks");
      continue;
    }
    word.Clear();
    if (!TakeBlock(&text, word)) {
      keys.Damaged("an armored block has no end");
      continue;
    }
    const Result<SecretBytes> packets = SecretFromBase64(AsText(word.used()), false);
    if (packets.ok()) {
      keys.AddPackets(packets->bytes());
    } else if (packets.status().code() == Code::kNoMemory) {
      return packets.status();
    } else {
      keys.Damaged("an armored block is not base64");
    }
  }
  return OkStatus();
}

}  // namespace

Result<KeyPackets> ReadKeyPackets(ByteSpan text) {
  WALRIG_ASSIGN(Filled out, Filled::New(text.size()));
  Collector keys(std::move(out));
  if (!text.empty() && (text[0] & 0x80) != 0 && !AsText(text).starts_with(kByteOrderMark)) {
    keys.AddPackets(text);
  } else {
    WALRIG_TRY(AddArmored(AsText(text), keys));
  }
  return keys.Take();
}

}  // namespace walrig::openpgp
