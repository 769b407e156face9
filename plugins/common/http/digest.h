// Digests, checksums and the text forms they travel in, for signing requests and checking bodies.
//
// Digests are libgcrypt's, CRC-32C is ISA-L's. REQUIRES: HttpGlobalInit() ran.
// THREADS: functions any; an object one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig::http {

using Sha256Digest = std::array<uint8_t, 32>;
using Md5Digest = std::array<uint8_t, 16>;

// Starts libgcrypt unless somebody in the process did; HttpGlobalInit does it.
Status DigestGlobalInit();

Sha256Digest Sha256Of(ByteSpan bytes);
Sha256Digest HmacSha256(ByteSpan key, ByteSpan bytes);
Md5Digest Md5Of(ByteSpan bytes);

enum class DigestKind { kSha256, kMd5, kSha1 };

// A digest of bytes that come in pieces.
class Digester {
 public:
  explicit Digester(DigestKind kind);
  Digester(Digester&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)), kind_(other.kind_) {}
  Digester& operator=(Digester&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(kind_, other.kind_);
    return *this;
  }
  ~Digester();
  void Update(ByteSpan bytes);
  // The raw bytes; ends the run. Reset() begins another.
  std::string Final();
  void Reset();

 private:
  void* handle_ = nullptr;
  DigestKind kind_;
};

// Continues a CRC-32C: begin with 0.
uint32_t Crc32c(uint32_t crc, ByteSpan bytes) noexcept;
// Of A followed by B, from both and the length of B.
uint32_t Crc32cCombine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b) noexcept;
// Four bytes, most significant first, in base64: as S3 and GCS write it.
std::string Crc32cBase64(uint32_t crc);

std::string HexOf(ByteSpan bytes);  // lower case
std::string Base64Of(ByteSpan bytes);
std::string Base64UrlOf(ByteSpan bytes);  // - and _, no padding
// The standard alphabet or the one of URLs, with or without padding; white space is not allowed.
Result<std::string> Base64Decode(std::string_view text);

}  // namespace walrig::http
