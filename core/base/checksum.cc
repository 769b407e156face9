#include "core/base/checksum.h"

#include <fmt/format.h>
#include <isa-l/crc.h>

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace walrig {
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

// x^(8 * bytes), by squaring.
uint32_t PowerOfBytes(uint64_t bytes) {
  uint32_t power = 0x80000000u;   // x^0
  uint32_t square = 0x00800000u;  // x^8
  for (; bytes != 0; bytes >>= 1) {
    if ((bytes & 1) != 0) power = Multiply(power, square);
    square = Multiply(square, square);
  }
  return power;
}

}  // namespace

uint32_t Crc32c(uint32_t crc, ByteSpan bytes) noexcept {
  // ISA-L takes an int for the length and neither inverts at the start nor at the end.
  constexpr size_t kCallBytesMax = 1u << 30;
  uint32_t inverted = ~crc;
  while (!bytes.empty()) {
    size_t n = std::min(bytes.size(), kCallBytesMax);
    inverted = ::crc32_iscsi(const_cast<unsigned char*>(bytes.data()), static_cast<int>(n), inverted);
    bytes = bytes.subspan(n);
  }
  return ~inverted;
}

uint32_t Crc32cCombine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b) noexcept {
  // The inversions of both cancel out.
  return Multiply(PowerOfBytes(length_b), crc_a) ^ crc_b;
}

struct Xxh128::State {
  XXH3_state_t xxh;
};

Xxh128::Xxh128() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh); }
Xxh128::Xxh128(const Xxh128& other) : state_(std::make_unique<State>()) {
  XXH3_copyState(&state_->xxh, &other.state_->xxh);
}
Xxh128& Xxh128::operator=(const Xxh128& other) {
  if (this != &other) *this = Xxh128(other);
  return *this;
}
Xxh128::Xxh128(Xxh128&&) noexcept = default;
Xxh128& Xxh128::operator=(Xxh128&&) noexcept = default;
Xxh128::~Xxh128() = default;

void Xxh128::Update(ByteSpan bytes) noexcept { XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size()); }

std::string Xxh128::Hex() const {
  XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string Xxh128Hex(ByteSpan bytes) {
  XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace walrig
