// What fuzzers need: bytes as text, a source over them, checks that stay on, a context, and choices that follow from
// the input.
//
// A seed is a file as it comes from the world, without a head for the fuzzer; what else a run needs (how many bytes a
// read gives) is drawn from a hash of the input, so that an input always does the same.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "walrig/bytes.h"
#include "walrig/context.h"
#include "walrig/stream.h"

namespace walrig::fuzz {

inline std::string_view Text(const uint8_t* data, size_t size) { return AsText(ByteSpan(data, size)); }

// What must hold whatever the input is.
inline void Check(bool holds) {
  if (!holds) std::abort();
}

// Gives the bytes in pieces of an uneven length, so that borders fall everywhere.
class PieceSource final : public Source {
 public:
  explicit PieceSource(std::string_view text, size_t piece_bytes = 61) : text_(text), piece_bytes_(piece_bytes) {}
  Result<size_t> Read(const Context&, MutableByteSpan buffer) override {
    const size_t n = std::min({buffer.size(), piece_bytes_, text_.size()});
    text_.copy(reinterpret_cast<char*>(buffer.data()), n);
    text_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view text_;
  size_t piece_bytes_;
};

// Takes every message, so that it is made, and forgets it.
class ForgetfulLog final : public Log {
 public:
  bool Enabled(LogLevel) const override { return true; }
  void Write(LogLevel, std::string_view, std::string_view) override {}
};

inline const Context& FuzzContext() {
  static ForgetfulLog log;
  static const Context context = [] {
    Context c;
    c.log = &log;
    c.clock = &RealClock();
    return c;
  }();
  return context;
}

inline Random ChoicesFor(ByteSpan input) {
  uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (const uint8_t byte : input) hash = (hash ^ byte) * 0x100000001b3u;
  return Random(hash);
}

// A failure says something.
inline void CheckMessage(const Status& status) {
  WALRIG_ASSERT(!status.ok());
  WALRIG_ASSERT(!status.message().empty());
}

}  // namespace walrig::fuzz
