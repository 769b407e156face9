#include "plugins/storage/ssh/packet.h"

#include <algorithm>

namespace walrig::ssh {
namespace {

constexpr size_t kHeadBytes = 5;  // type and id
constexpr uint32_t kHandleBytesMax = 256;

constexpr uint32_t kHasSize = 1, kHasOwner = 2, kHasMode = 4, kHasTimes = 8, kHasMore = 0x80000000;

Status Cut() { return ProtocolError("the sftp server's answer is cut or of another kind"); }

// Takes numbers and strings from the front; `ok` turns false at the first that is not there.
struct Taker {
  ByteSpan rest;
  bool ok = true;

  uint64_t Number(size_t width) {
    if (rest.size() < width) {
      ok = false;
      return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < width; ++i) value = value << 8 | rest[i];
    rest = rest.subspan(width);
    return value;
  }
  uint32_t U32() { return static_cast<uint32_t>(Number(4)); }
  ByteSpan Bytes() {
    const uint32_t length = U32();
    if (length > rest.size()) {
      ok = false;
      return {};
    }
    const ByteSpan bytes = rest.first(length);
    rest = rest.subspan(length);
    return bytes;
  }
  std::string Text() { return std::string(AsText(Bytes())); }
};

Attributes TakeAttributes(Taker* taker) {
  Attributes attributes;
  const uint32_t flags = taker->U32();
  if ((flags & kHasSize) != 0) attributes.size_bytes = taker->Number(8);
  if ((flags & kHasOwner) != 0) taker->Number(8);
  if ((flags & kHasMode) != 0) attributes.mode = taker->U32();
  if ((flags & kHasTimes) != 0) {
    taker->U32();
    attributes.mtime_s = taker->U32();
  }
  if ((flags & kHasMore) != 0) {
    uint32_t pairs = taker->U32();
    for (; pairs > 0 && taker->ok; --pairs) {
      taker->Bytes();
      taker->Bytes();
    }
  }
  return attributes;
}

}  // namespace

PacketBuilder::PacketBuilder(Request type, uint32_t id, size_t size_hint) {
  bytes_.reserve(4 + kHeadBytes + size_hint);
  bytes_.resize(4);
  bytes_.push_back(static_cast<uint8_t>(type));
  U32(id);
}

PacketBuilder& PacketBuilder::U32(uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes_.push_back(static_cast<uint8_t>(value >> shift));
  return *this;
}

PacketBuilder& PacketBuilder::U64(uint64_t value) {
  return U32(static_cast<uint32_t>(value >> 32)).U32(static_cast<uint32_t>(value));
}

PacketBuilder& PacketBuilder::Bytes(ByteSpan bytes) {
  U32(static_cast<uint32_t>(bytes.size()));
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

PacketBuilder& PacketBuilder::Text(std::string_view text) { return Bytes(AsBytes(text)); }

std::vector<uint8_t> PacketBuilder::Finish() && {
  const auto length = static_cast<uint32_t>(bytes_.size() - 4);
  for (size_t i = 0; i < 4; ++i) bytes_[i] = static_cast<uint8_t>(length >> (24 - 8 * i));
  return std::move(bytes_);
}

Result<uint32_t> AnswerPacket::Id() const {
  if (body_.size() < kHeadBytes) return Cut();
  Taker taker{body_.first(body_.size()).subspan(1)};
  return taker.U32();
}

#define WALRIG_SSH_TAKE(kind)                                          \
  if (body_.size() < kHeadBytes || type() != (kind)) return Cut();     \
  Taker taker { body_.first(body_.size()).subspan(kHeadBytes) }

Result<Fx> AnswerPacket::ReadStatus(std::string* text) const {
  WALRIG_SSH_TAKE(Answer::kStatus);
  const uint32_t code = taker.U32();
  if (!taker.ok) return Cut();
  if (text != nullptr) {
    // The server's words go to a terminal and are of no use when long.
    text->clear();
    for (const char c : taker.Text().substr(0, 200)) *text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return static_cast<Fx>(code);
}

Result<std::string> AnswerPacket::ReadHandle() const {
  WALRIG_SSH_TAKE(Answer::kHandle);
  std::string handle = taker.Text();
  if (!taker.ok || handle.size() > kHandleBytesMax) return Cut();
  return handle;
}

Result<ByteSpan> AnswerPacket::ReadData() const {
  WALRIG_SSH_TAKE(Answer::kData);
  const ByteSpan bytes = taker.Bytes();
  if (!taker.ok) return Cut();
  return bytes;
}

Result<Attributes> AnswerPacket::ReadAttributes() const {
  WALRIG_SSH_TAKE(Answer::kAttrs);
  Attributes attributes = TakeAttributes(&taker);
  if (!taker.ok) return Cut();
  return attributes;
}

Result<std::vector<NamedEntry>> AnswerPacket::ReadNames() const {
  WALRIG_SSH_TAKE(Answer::kName);
  const uint32_t count = taker.U32();
  if (!taker.ok) return Cut();
  std::vector<NamedEntry> entries;
  // Each takes 12 bytes at the least, so a count that lies takes no memory.
  entries.reserve(std::min<size_t>(count, taker.rest.size() / 12));
  for (uint32_t i = 0; i < count; ++i) {
    NamedEntry entry;
    entry.name = taker.Text();
    taker.Bytes();  // as `ls -l` shows it
    entry.attributes = TakeAttributes(&taker);
    if (!taker.ok) return Cut();
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<uint32_t> AnswerPacket::ReadVersion(std::vector<std::pair<std::string, std::string>>* extensions) const {
  if (body_.size() < kHeadBytes || type() != Answer::kVersion) return Cut();
  Taker taker{body_.first(body_.size()).subspan(1)};
  const uint32_t version = taker.U32();
  if (!taker.ok) return Cut();
  while (!taker.rest.empty()) {
    std::string name = taker.Text();
    std::string value = taker.Text();
    if (!taker.ok) return Cut();
    extensions->emplace_back(std::move(name), std::move(value));
  }
  return version;
}

Result<std::vector<uint64_t>> AnswerPacket::ReadNumbers(size_t count) const {
  WALRIG_SSH_TAKE(Answer::kExtended);
  std::vector<uint64_t> numbers;
  for (size_t i = 0; i < count; ++i) numbers.push_back(taker.Number(8));
  if (!taker.ok) return Cut();
  return numbers;
}

#undef WALRIG_SSH_TAKE

}  // namespace walrig::ssh
