#include "plugins/compressor/lzo/header.h"

#include <lzo/lzo1x.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace walrig::lzo {
namespace {

constexpr uint8_t kMagic[] = {0x89, 'L', 'Z', 'O', 0x00, 0x0D, 0x0A, 0x1A, 0x0A};
constexpr uint32_t kExtraField = 0x40, kMultipart = 0x400, kFilter = 0x800, kHeaderCrc = 0x1000;
constexpr uint32_t kReserved = ~(0x3FFFu | 0xFF000000u | 0x00F00000u);
constexpr uint16_t kVersionMin = 0x0900, kVersionNew = 0x0940, kVersionNeededMax = 0x1040;
constexpr uint8_t kMethodMin = 1, kMethodMax = 3;  // LZO1X-1, LZO1X-1(15), LZO1X-999: one decompressor

// Takes fields off the front; reading past the end only notes that bytes are missing.
class Fields {
 public:
  explicit Fields(ByteSpan bytes) : bytes_(bytes) {}
  uint32_t Take(size_t n) {
    uint32_t value = 0;
    if (missing_ || bytes_.size() - at_ < n) {
      missing_ = true;
      return 0;
    }
    for (size_t i = 0; i < n; ++i) value = value << 8 | bytes_[at_++];
    return value;
  }
  void Skip(size_t n) {
    if (missing_ || bytes_.size() - at_ < n) {
      missing_ = true;
    } else {
      at_ += n;
    }
  }
  bool missing() const { return missing_; }
  size_t at() const { return at_; }

 private:
  ByteSpan bytes_;
  size_t at_ = 0;
  bool missing_ = false;
};

Status CheckFlags(uint32_t flags) {
  if ((flags & kReserved) != 0) return Corruption("lzop: reserved flags are set");
  if ((flags & (kFilter | kExtraField | kMultipart)) != 0) {
    return NotSupported("lzop: filters, extra fields and part files are not read");
  }
  return OkStatus();
}

}  // namespace

uint32_t BigEndian32(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | uint32_t{p[3]};
}

Result<std::optional<Header>> ParseHeader(ByteSpan bytes) {
  const size_t compared = std::min(bytes.size(), sizeof kMagic);
  if (compared != 0 && std::memcmp(bytes.data(), kMagic, compared) != 0) return Corruption("lzop: no magic number");
  Fields fields(bytes);
  fields.Skip(sizeof kMagic);
  const uint32_t version = fields.Take(2);
  if (!fields.missing() && version < kVersionMin) return Corruption("lzop: version is too old to exist");
  const bool newer = version >= kVersionNew;
  fields.Skip(2);
  const uint32_t needed = newer ? fields.Take(2) : kVersionMin;
  if (!fields.missing() && (needed > kVersionNeededMax || needed < kVersionMin)) {
    return Corruption("lzop: written for a reader of another version");
  }
  const uint32_t method = fields.Take(1);
  if (newer) fields.Skip(1);
  const uint32_t flags = fields.Take(4);
  if (fields.missing()) return std::optional<Header>();
  if (method < kMethodMin || method > kMethodMax) return NotSupported("lzop: method " + std::to_string(method));
  WALRIG_TRY(CheckFlags(flags));
  fields.Skip(newer ? 12 : 8);
  fields.Skip(fields.Take(1));
  const size_t end = fields.at();
  const uint32_t checksum = fields.Take(4);
  if (fields.missing()) return std::optional<Header>();
  const uint8_t* begin = bytes.data() + sizeof kMagic;
  const size_t length = end - sizeof kMagic;
  const uint32_t actual =
      (flags & kHeaderCrc) != 0 ? lzo_crc32(0, begin, length) : lzo_adler32(1, begin, length);
  if (actual != checksum) return Corruption("lzop: the header's checksum does not hold");
  return std::optional<Header>(Header{flags, fields.at()});
}

}  // namespace walrig::lzo
