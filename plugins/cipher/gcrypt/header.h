// Header: the bytes before the first chunk of an object, as a value (docs/formats/gcrypt.md).
//
// Parsing looks at bounds and forms only; whether the header is authentic is for envelope.h. What it parses, it writes
// again byte for byte.
// THREADS: values.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "plugins/cipher/gcrypt/kdf.h"
#include "plugins/cipher/gcrypt/key_ring.h"
#include "plugins/cipher/gcrypt/library.h"
#include "walrig/result.h"

namespace walrig::gcrypt {

inline constexpr std::array<uint8_t, 8> kMagic = {0x89, 'W', 'R', 'G', 'C', 0x0D, 0x0A, 0x1A};
inline constexpr size_t kFixedBytes = 48;  // up to the first slot
inline constexpr size_t kHeaderBytesMax = 4096;
inline constexpr size_t kSlotsMax = 16;
inline constexpr uint8_t kChunkLogMin = 12;
inline constexpr uint8_t kChunkLogMax = 20;
inline constexpr uint8_t kChunkLogUsual = 16;

enum class SlotKind : uint8_t { kSymmetric = 1, kPassphrase = 2, kX25519 = 3 };

// One way to the object's key.
struct Slot {
  SlotKind kind = SlotKind::kSymmetric;
  KeyId id{};
  KdfParameters kdf;                       // of kPassphrase
  std::array<uint8_t, 32> ephemeral{};     // of kX25519
  std::array<uint8_t, kKeyBytes + kTagBytes> wrapped{};
};

struct Header {
  Algorithm algorithm = Algorithm::kAes256Gcm;
  uint8_t chunk_log = kChunkLogUsual;
  std::array<uint8_t, 32> salt{};
  std::vector<Slot> slots;

  size_t chunk_bytes() const { return size_t{1} << chunk_log; }
};

// Without the MAC that follows it; the size in it counts the MAC. REQUIRES: 1 to kSlotsMax slots.
std::vector<uint8_t> FormatHeader(const Header& header);

// How long a header is that begins with `head`. FAILS WITH: kCorruption (not of this format: what it is instead, if that
// can be told; an unknown version). REQUIRES: 16 bytes.
Result<size_t> HeaderSize(ByteSpan head);

// `bytes` are a whole header with its MAC. FAILS WITH: kCorruption.
Result<Header> ParseHeader(ByteSpan bytes);

// Whether `head`, which may be shorter than the magic number, could begin an object of this format.
bool MayBegin(ByteSpan head);

}  // namespace walrig::gcrypt
