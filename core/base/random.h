// Random: a small seeded generator (xoshiro256**) for jitter, names and tests. Not for keys.
//
// The same seed gives the same numbers on every machine. THREADS: one at a time.
#pragma once

#include <cstdint>

namespace walrig {

class Random {
 public:
  explicit Random(uint64_t seed) noexcept;
  uint64_t Next() noexcept;
  // Uniform in [0, n). REQUIRES: n > 0.
  uint64_t Below(uint64_t n) noexcept;
  // Uniform in [0, 1).
  double Unit() noexcept;

 private:
  uint64_t state_[4];
};

// A seed that differs between processes and calls, from the kernel; falls back to clock and pid when it has none.
uint64_t SeedFromSystem() noexcept;

}  // namespace walrig
