// LimitedSource and LimitedSink: streams of at most n bytes.
//
// OWNS: the wrapped stream. THREADS: one at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "walrig/stream.h"

namespace walrig {

enum class LimitPolicy {
  kCut,   // the stream ends at the limit, whatever follows
  kFail,  // a byte beyond the limit is kTooLarge
};

class LimitedSource final : public Source {
 public:
  LimitedSource(std::unique_ptr<Source> source, uint64_t bytes_max, LimitPolicy policy);
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override;
  uint64_t remaining_bytes() const noexcept { return remaining_bytes_; }

 private:
  std::unique_ptr<Source> source_;
  const uint64_t bytes_max_;
  uint64_t remaining_bytes_;
  const LimitPolicy policy_;
};

class LimitedSink final : public Sink {
 public:
  LimitedSink(std::unique_ptr<Sink> sink, uint64_t bytes_max);
  // FAILS WITH: kTooLarge before anything of a piece that does not fit is written.
  Status Write(const Context& ctx, ByteSpan bytes) override;
  Status Commit(const Context& ctx) override { return sink_->Commit(ctx); }
  void Abort() noexcept override { sink_->Abort(); }

 private:
  std::unique_ptr<Sink> sink_;
  const uint64_t bytes_max_;
  uint64_t remaining_bytes_;
};

}  // namespace walrig
