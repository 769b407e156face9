#include "core/base/random.h"

#include <sys/random.h>
#include <unistd.h>

#include <bit>

#include "core/base/assert.h"
#include "core/base/clock.h"

namespace walrig {
namespace {

// splitmix64: spreads a seed, even a small one, over all bits.
uint64_t Spread(uint64_t& seed) {
  uint64_t z = (seed += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(uint64_t seed) noexcept {
  for (uint64_t& word : state_) word = Spread(seed);
}

uint64_t Random::Next() noexcept {
  const uint64_t answer = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return answer;
}

uint64_t Random::Below(uint64_t n) noexcept {
  WALRIG_ASSERT(n > 0);
  // Numbers below 2^64 mod n would make the first remainders more likely than the last.
  const uint64_t reject_below = (0 - n) % n;
  uint64_t x = Next();
  while (x < reject_below) x = Next();
  return x % n;
}

double Random::Unit() noexcept { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

uint64_t SeedFromSystem() noexcept {
  uint64_t seed = 0;
  if (::getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == static_cast<ssize_t>(sizeof(seed))) return seed;
  return static_cast<uint64_t>(RealClock().WallNs()) ^ RealClock().MonotonicNs() << 20 ^
         static_cast<uint64_t>(::getpid()) << 48;
}

}  // namespace walrig
