#include "plugins/common/http/digest.h"

#include <gcrypt.h>
#include <isa-l/crc.h>

#include <algorithm>

namespace walrig::http {
namespace {

// CRC-32C as a polynomial over GF(2), bits reflected: bit 31 is x^0. Multiplication modulo the polynomial.
constexpr uint32_t kPolynomial = 0x82f63b78;

uint32_t Multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 0x80000000u; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? kPolynomial : 0);
  }
  return product;
}

int AlgorithmOf(DigestKind kind) {
  switch (kind) {
    case DigestKind::kSha256: return GCRY_MD_SHA256;
    case DigestKind::kMd5: return GCRY_MD_MD5;
    case DigestKind::kSha1: return GCRY_MD_SHA1;
  }
  return GCRY_MD_SHA256;
}

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kForUrls = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string Base64With(std::string_view alphabet, bool pad, ByteSpan bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k) word = (word << 8) | (k < n ? bytes[i + k] : 0u);
    for (size_t k = 0; k <= n; ++k) text += alphabet[(word >> (18 - 6 * k)) & 63];
    if (pad) text.append(3 - n, '=');
  }
  return text;
}

int Base64Value(char c) {
  if (c == '-') return 62;
  if (c == '_') return 63;
  const size_t at = kStandard.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

Status DigestGlobalInit() {
  // The core, or another plugin, may have been first; then the rest is done, and must not be done again.
  if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P) != 0) return OkStatus();
  if (gcry_check_version(nullptr) == nullptr) return Internal("libgcrypt does not start");
  gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
  gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
  return OkStatus();
}

Sha256Digest Sha256Of(ByteSpan bytes) {
  Sha256Digest digest{};
  gcry_md_hash_buffer(GCRY_MD_SHA256, digest.data(), bytes.data(), bytes.size());
  return digest;
}

Sha256Digest HmacSha256(ByteSpan key, ByteSpan bytes) {
  // RFC 2104, over the one-shot digest, which cannot fail.
  std::array<uint8_t, 64> block{};
  if (key.size() > block.size()) {
    const Sha256Digest shorter = Sha256Of(key);
    std::copy(shorter.begin(), shorter.end(), block.begin());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  std::array<uint8_t, 64> pad{};
  Digester inner(DigestKind::kSha256);
  std::transform(block.begin(), block.end(), pad.begin(), [](uint8_t b) { return static_cast<uint8_t>(b ^ 0x36); });
  inner.Update(pad);
  inner.Update(bytes);
  const std::string inside = inner.Final();
  inner.Reset();
  std::transform(block.begin(), block.end(), pad.begin(), [](uint8_t b) { return static_cast<uint8_t>(b ^ 0x5c); });
  inner.Update(pad);
  inner.Update(AsBytes(inside));
  const std::string outside = inner.Final();
  Sha256Digest digest{};
  std::copy(outside.begin(), outside.end(), digest.begin());
  return digest;
}

Md5Digest Md5Of(ByteSpan bytes) {
  Md5Digest digest{};
  gcry_md_hash_buffer(GCRY_MD_MD5, digest.data(), bytes.data(), bytes.size());
  return digest;
}

Digester::Digester(DigestKind kind) : kind_(kind) {
  gcry_md_hd_t handle = nullptr;
  // Fails only without memory, or in FIPS mode for MD5: then Final() answers nothing, and the server refuses.
  if (gcry_md_open(&handle, AlgorithmOf(kind), 0) == 0) handle_ = handle;
}
Digester::~Digester() {
  if (handle_ != nullptr) gcry_md_close(static_cast<gcry_md_hd_t>(handle_));
}
void Digester::Update(ByteSpan bytes) {
  if (handle_ != nullptr) gcry_md_write(static_cast<gcry_md_hd_t>(handle_), bytes.data(), bytes.size());
}
std::string Digester::Final() {
  const unsigned size = gcry_md_get_algo_dlen(AlgorithmOf(kind_));
  if (handle_ == nullptr) return std::string(size, '\0');
  const unsigned char* digest = gcry_md_read(static_cast<gcry_md_hd_t>(handle_), AlgorithmOf(kind_));
  return std::string(reinterpret_cast<const char*>(digest), size);
}
void Digester::Reset() {
  if (handle_ != nullptr) gcry_md_reset(static_cast<gcry_md_hd_t>(handle_));
}

uint32_t Crc32c(uint32_t crc, ByteSpan bytes) noexcept {
  // ISA-L takes an int for the length and neither inverts at the start nor at the end.
  constexpr size_t kCallBytesMax = 1u << 30;
  uint32_t inverted = ~crc;
  while (!bytes.empty()) {
    const size_t n = std::min(bytes.size(), kCallBytesMax);
    inverted = ::crc32_iscsi(const_cast<unsigned char*>(bytes.data()), static_cast<int>(n), inverted);
    bytes = bytes.subspan(n);
  }
  return ~inverted;
}

uint32_t Crc32cCombine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b) noexcept {
  uint32_t power = 0x80000000u;   // x^0
  uint32_t square = 0x00800000u;  // x^8
  for (; length_b != 0; length_b >>= 1) {
    if ((length_b & 1) != 0) power = Multiply(power, square);
    square = Multiply(square, square);
  }
  return Multiply(power, crc_a) ^ crc_b;
}

std::string Crc32cBase64(uint32_t crc) {
  const std::array<uint8_t, 4> bytes = {static_cast<uint8_t>(crc >> 24), static_cast<uint8_t>(crc >> 16),
                                        static_cast<uint8_t>(crc >> 8), static_cast<uint8_t>(crc)};
  return Base64Of(bytes);
}

std::string HexOf(ByteSpan bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const uint8_t b : bytes) {
    text += kDigits[b >> 4];
    text += kDigits[b & 15];
  }
  return text;
}

std::string Base64Of(ByteSpan bytes) { return Base64With(kStandard, true, bytes); }
std::string Base64UrlOf(ByteSpan bytes) { return Base64With(kForUrls, false, bytes); }

Result<std::string> Base64Decode(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.size() % 4 == 1) return InvalidArgument("not base64: a wrong number of letters");
  std::string bytes;
  uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    const int value = Base64Value(c);
    if (value < 0) return InvalidArgument("not base64: a letter that is none of its alphabet");
    word = (word << 6) | static_cast<uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>((word >> bits) & 0xff);
  }
  return bytes;
}

}  // namespace walrig::http
