#include "plugins/cipher/gcrypt/header.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "plugins/common/plain_guess.h"

namespace walrig::gcrypt {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kSlotHeadBytes = 12;
constexpr size_t kKdfBytes = 32;

void PutU16(std::vector<uint8_t>& out, size_t value) {
  for (unsigned shift = 0; shift < 16; shift += 8) out.push_back(static_cast<uint8_t>(value >> shift));
}
void PutU32(std::vector<uint8_t>& out, size_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<uint8_t>(value >> shift));
}
template <typename Range>
void PutBytes(std::vector<uint8_t>& out, const Range& bytes) {
  for (const uint8_t byte : bytes) out.push_back(byte);
}

size_t SlotBytes(SlotKind kind) {
  const size_t extra = kind == SlotKind::kPassphrase ? kKdfBytes : kind == SlotKind::kX25519 ? 32 : 0;
  return kSlotHeadBytes + extra + kKeyBytes + kTagBytes;
}

// Reads in order; running over the end is remembered and told once.
class Reader {
 public:
  explicit Reader(ByteSpan bytes) : bytes_(bytes) {}
  uint8_t U8() { return static_cast<uint8_t>(Number(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Number(2)); }
  uint32_t U32() { return static_cast<uint32_t>(Number(4)); }
  template <size_t N>
  void Bytes(std::array<uint8_t, N>* out) {
    if (bytes_.size() < N) return Fail();
    std::memcpy(out->data(), bytes_.data(), N);
    bytes_ = bytes_.subspan(N);
  }
  bool ok() const { return ok_; }
  size_t left() const { return bytes_.size(); }

 private:
  void Fail() {
    ok_ = false;
    bytes_ = {};
  }
  uint64_t Number(size_t count) {
    if (bytes_.size() < count) return Fail(), 0;
    uint64_t value = 0;
    for (size_t i = 0; i < count; ++i) value |= uint64_t{bytes_[i]} << (8 * i);
    bytes_ = bytes_.subspan(count);
    return value;
  }
  ByteSpan bytes_;
  bool ok_ = true;
};

Status Damaged(const std::string& what) { return Corruption("gcrypt: the header is damaged: " + what); }

Result<Slot> ParseSlot(Reader& in) {
  Slot slot;
  const uint8_t kind = in.U8(), zero = in.U8();
  const size_t size = in.U16();
  if (!in.ok() || kind < 1 || kind > 3 || zero != 0) return Damaged("a key slot of an unknown kind");
  slot.kind = static_cast<SlotKind>(kind);
  if (size != SlotBytes(slot.kind)) return Damaged("the size of a key slot");
  in.Bytes(&slot.id);
  if (slot.kind == SlotKind::kX25519) in.Bytes(&slot.ephemeral);
  if (slot.kind == SlotKind::kPassphrase) {
    const uint8_t kdf = in.U8();
    slot.kdf.lanes = in.U8();
    slot.kdf.block = in.U16();
    slot.kdf.cost = in.U32();
    slot.kdf.memory_kib = in.U32();
    const uint32_t reserved = in.U32();
    in.Bytes(&slot.kdf.salt);
    if (kdf < 1 || kdf > 2 || reserved != 0) return Damaged("an unknown way from a passphrase to a key");
    slot.kdf.kind = static_cast<KdfKind>(kdf);
    WALRIG_TRY(CheckKdfParameters(slot.kdf));
  }
  in.Bytes(&slot.wrapped);
  if (!in.ok()) return Damaged("a key slot reaches beyond it");
  return slot;
}

}  // namespace

std::vector<uint8_t> FormatHeader(const Header& header) {
  size_t size = kFixedBytes + kMacBytes;
  for (const Slot& slot : header.slots) size += SlotBytes(slot.kind);
  std::vector<uint8_t> out;
  out.reserve(size);
  PutBytes(out, kMagic);
  out.push_back(kVersion);
  out.push_back(static_cast<uint8_t>(header.algorithm));
  out.push_back(header.chunk_log);
  out.push_back(static_cast<uint8_t>(header.slots.size()));
  PutU32(out, size);
  PutBytes(out, header.salt);
  for (const Slot& slot : header.slots) {
    out.push_back(static_cast<uint8_t>(slot.kind));
    out.push_back(0);
    PutU16(out, SlotBytes(slot.kind));
    PutBytes(out, slot.id);
    if (slot.kind == SlotKind::kX25519) PutBytes(out, slot.ephemeral);
    if (slot.kind == SlotKind::kPassphrase) {
      out.push_back(static_cast<uint8_t>(slot.kdf.kind));
      out.push_back(slot.kdf.lanes);
      PutU16(out, slot.kdf.block);
      PutU32(out, slot.kdf.cost);
      PutU32(out, slot.kdf.memory_kib);
      PutU32(out, 0);
      PutBytes(out, slot.kdf.salt);
    }
    PutBytes(out, slot.wrapped);
  }
  return out;
}

bool MayBegin(ByteSpan head) {
  return std::memcmp(head.data(), kMagic.data(), std::min(head.size(), kMagic.size())) == 0;
}

Result<size_t> HeaderSize(ByteSpan head) {
  if (!MayBegin(head)) {
    const std::string_view plain = GuessPlainFormat(head);
    if (plain.empty()) return Corruption("gcrypt: the object was not sealed by cipher gcrypt");
    return Corruption("gcrypt: the object is not encrypted: it begins as " + std::string(plain));
  }
  Reader in(head.subspan(kMagic.size()));
  const uint8_t version = in.U8();
  (void)in.U8();
  (void)in.U8();
  (void)in.U8();
  const uint32_t size = in.U32();
  if (version != kVersion) {
    return Corruption("gcrypt: version " + std::to_string(version) + " of the format is not known")
        .Hint("the header is damaged, or a newer walrig wrote the object");
  }
  if (!in.ok() || size < kFixedBytes + SlotBytes(SlotKind::kSymmetric) + kMacBytes || size > kHeaderBytesMax) {
    return Damaged("its size");
  }
  return size_t{size};
}

Result<Header> ParseHeader(ByteSpan bytes) {
  if (bytes.size() < kFixedBytes + kMacBytes) return Damaged("its size");
  WALRIG_ASSIGN(const size_t size, HeaderSize(bytes));
  if (size != bytes.size()) return Damaged("its size");
  Reader in(bytes.subspan(kMagic.size() + 1).first(size - kMagic.size() - 1 - kMacBytes));
  Header header;
  const uint8_t algorithm = in.U8();
  header.chunk_log = in.U8();
  const size_t slots = in.U8();
  (void)in.U32();
  in.Bytes(&header.salt);
  if (algorithm < 1 || algorithm > 2) return Damaged("an unknown algorithm");
  header.algorithm = static_cast<Algorithm>(algorithm);
  if (header.chunk_log < kChunkLogMin || header.chunk_log > kChunkLogMax) return Damaged("the size of chunks");
  if (slots < 1 || slots > kSlotsMax) return Damaged("the number of key slots");
  uint64_t work = 0;
  for (size_t i = 0; i < slots; ++i) {
    WALRIG_ASSIGN(header.slots.emplace_back(), ParseSlot(in));
    if (header.slots.back().kind == SlotKind::kPassphrase) work += KdfWork(header.slots.back().kdf);
  }
  // Before the passphrase was tried nothing is authentic: one object must not cost the work of many.
  if (work > kWorkMax) return Damaged("its passphrases take more work than is done for one object");
  if (in.left() != 0) return Damaged("bytes after the last key slot");
  return header;
}

}  // namespace walrig::gcrypt
