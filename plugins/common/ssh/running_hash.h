// RunningHash: XXH3 of 128 bits of a stream of bytes. It finds damage; it is no signature.
//
// THREADS: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "walrig/bytes.h"

namespace walrig::ssh {

class RunningHash {
 public:
  RunningHash();
  ~RunningHash();

  void Update(ByteSpan bytes) noexcept;
  // Of all bytes so far; may be asked at any time. Low half first.
  std::array<uint64_t, 2> Value() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace walrig::ssh
