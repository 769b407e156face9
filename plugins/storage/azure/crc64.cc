#include "plugins/storage/azure/crc64.h"

#include <array>
#include <bit>
#include <cstring>

#include "plugins/common/http/digest.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace walrig::azure {
namespace {

constexpr uint64_t kPolynomial = 0x9A6C9329AC4BC9B5;

constexpr uint64_t TimesX(uint64_t v) { return (v >> 1) ^ ((v & 1) != 0 ? kPolynomial : 0); }

constexpr std::array<std::array<uint64_t, 256>, 8> MakeTables() {
  std::array<std::array<uint64_t, 256>, 8> tables{};
  for (size_t i = 0; i < 256; ++i) {
    uint64_t v = i;
    for (int bit = 0; bit < 8; ++bit) v = TimesX(v);
    tables[0][i] = v;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t i = 0; i < 256; ++i) tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 0xFF];
  }
  return tables;
}
constexpr auto kTables = MakeTables();

// Without the inversions at the ends.
uint64_t RawByTable(uint64_t crc, const uint8_t* p, size_t n) noexcept {
  static_assert(std::endian::native == std::endian::little);
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, p, 8);
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(word >> (8 * k)) & 0xFF];
  }
  for (; n > 0; ++p, --n) crc = (crc >> 8) ^ kTables[0][(crc ^ *p) & 0xFF];
  return crc;
}

#if defined(__x86_64__)
// x^n mod P, reflected. A product of two reflected halves comes out multiplied by x, hence the n - 1 at the uses.
constexpr uint64_t PowerOfX(unsigned n) {
  uint64_t v = uint64_t{1} << 63;
  for (unsigned i = 0; i < n; ++i) v = TimesX(v);
  return v;
}

// Moves 128 bits `distance` bits ahead and adds what is there.
template <unsigned distance>
__attribute__((target("pclmul,sse4.1"))) __m128i Fold(__m128i state, __m128i next) noexcept {
  const __m128i k = _mm_set_epi64x(static_cast<int64_t>(PowerOfX(distance - 1)),
                                   static_cast<int64_t>(PowerOfX(distance + 63)));
  const __m128i low = _mm_clmulepi64_si128(state, k, 0x00);
  const __m128i high = _mm_clmulepi64_si128(state, k, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("pclmul,sse4.1"))) uint64_t RawByMultiplication(uint64_t crc, const uint8_t* p,
                                                                      size_t n) noexcept {
  const auto load = [](const uint8_t* at) __attribute__((target("pclmul,sse4.1"))) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  };
  __m128i a = _mm_xor_si128(load(p), _mm_set_epi64x(0, static_cast<int64_t>(crc)));
  __m128i b = load(p + 16), c = load(p + 32), d = load(p + 48);
  for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
    a = Fold<512>(a, load(p));
    b = Fold<512>(b, load(p + 16));
    c = Fold<512>(c, load(p + 32));
    d = Fold<512>(d, load(p + 48));
  }
  a = Fold<128>(Fold<128>(Fold<128>(a, b), c), d);
  for (; n >= 16; p += 16, n -= 16) a = Fold<128>(a, load(p));
  uint8_t rest[16];
  std::memcpy(rest, &a, 16);
  // The state is a message of 16 bytes with the same remainder as all before.
  return RawByTable(RawByTable(0, rest, 16), p, n);
}
#endif

}  // namespace

uint64_t Crc64ByTable(uint64_t crc, ByteSpan bytes) noexcept { return ~RawByTable(~crc, bytes.data(), bytes.size()); }

uint64_t Crc64(uint64_t crc, ByteSpan bytes) noexcept {
#if defined(__x86_64__)
  if (bytes.size() >= 128 && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
    return ~RawByMultiplication(~crc, bytes.data(), bytes.size());
  }
#endif
  return Crc64ByTable(crc, bytes);
}

std::string Crc64Header(uint64_t crc) {
  uint8_t bytes[8];
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(crc >> (8 * i));
  return http::Base64Of({bytes, sizeof bytes});
}

}  // namespace walrig::azure
