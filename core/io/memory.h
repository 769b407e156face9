// Source and Sink in memory, for small objects and for tests.
//
// THREADS: one at a time.
#pragma once

#include <cstdint>
#include <string>

#include "walrig/stream.h"

namespace walrig {

class MemorySource final : public Source {
 public:
  // Gives at most `read_bytes_max` bytes a call; a test uses it to force short reads. REQUIRES: read_bytes_max > 0.
  explicit MemorySource(std::string bytes, size_t read_bytes_max = SIZE_MAX);
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override;

 private:
  std::string bytes_;
  size_t read_bytes_max_;
  size_t position_ = 0;
};

class MemorySink final : public Sink {
 public:
  // On Commit the bytes are moved to *target when it is not null; it must outlive the sink. Until then, and after an
  // Abort, *target is as it was.
  explicit MemorySink(std::string* target = nullptr) : target_(target) {}
  Status Write(const Context& ctx, ByteSpan bytes) override;
  Status Commit(const Context& ctx) override;
  void Abort() noexcept override;

  // What was written and neither moved away nor aborted.
  const std::string& bytes() const noexcept { return bytes_; }
  bool committed() const noexcept { return state_ == State::kCommitted; }
  bool aborted() const noexcept { return state_ == State::kAborted; }

 private:
  enum class State { kOpen, kCommitted, kAborted };
  std::string* target_;
  std::string bytes_;
  State state_ = State::kOpen;
};

}  // namespace walrig
