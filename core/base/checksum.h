// Checksums and digests: CRC-32C (PostgreSQL's and the manifest's), XXH3-128 (stored objects), SHA-256 (plugins, pins
// and manifests that ask for it).
//
// CRC-32C comes from ISA-L and runs at the speed of memory; SHA-256 from libgcrypt, which is loaded on first use, so
// that a command that needs none never maps a crypto library.
// THREADS: functions any; an object one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig {

// Continues a CRC-32C: begin with 0, give the answer to the next call. Crc32c(0, "123456789") == 0xE3069283.
uint32_t Crc32c(uint32_t crc, ByteSpan bytes) noexcept;
// The CRC of A followed by B, from the CRCs of both and the length of B, in time logarithmic in it.
uint32_t Crc32cCombine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b) noexcept;

// XXH3, 128 bits, seed 0. Movable; a copy continues on its own.
class Xxh128 {
 public:
  Xxh128();
  Xxh128(const Xxh128& other);
  Xxh128& operator=(const Xxh128& other);
  Xxh128(Xxh128&&) noexcept;
  Xxh128& operator=(Xxh128&&) noexcept;
  ~Xxh128();

  void Update(ByteSpan bytes) noexcept;
  // 32 lower-case digits, as xxh128sum prints them; of all bytes so far, may be asked at any time.
  std::string Hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The digest of one piece of memory.
std::string Xxh128Hex(ByteSpan bytes);

class Sha256 {
 public:
  // FAILS WITH: kNotSupported when libgcrypt cannot be loaded; the hint names the package.
  static Result<Sha256> New();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  // REQUIRES: Digest() and Hex() were not called.
  void Update(ByteSpan bytes);
  // Ends the stream of bytes; may be called again and answers the same.
  std::array<uint8_t, 32> Digest();
  std::string Hex();

 private:
  struct State;
  explicit Sha256(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

// 64 lower-case digits. FAILS WITH: what Sha256::New and reading say.
Result<std::string> Sha256File(const std::string& path);

}  // namespace walrig
