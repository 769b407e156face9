// CountingSource and CountingSink: observers that count what passes.
//
// OWNS: the wrapped stream. `total`, when given, is added to as bytes pass, may be shared by many streams and threads,
// and must outlive the wrapper. THREADS: one at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "walrig/stream.h"

namespace walrig {

class CountingSource final : public Source {
 public:
  explicit CountingSource(std::unique_ptr<Source> source, std::atomic<uint64_t>* total = nullptr);
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override;
  uint64_t bytes() const noexcept { return bytes_; }

 private:
  std::unique_ptr<Source> source_;
  std::atomic<uint64_t>* total_;
  uint64_t bytes_ = 0;
};

class CountingSink final : public Sink {
 public:
  explicit CountingSink(std::unique_ptr<Sink> sink, std::atomic<uint64_t>* total = nullptr);
  Status Write(const Context& ctx, ByteSpan bytes) override;
  Status Commit(const Context& ctx) override { return sink_->Commit(ctx); }
  void Abort() noexcept override { sink_->Abort(); }
  // Counts what the wrapped sink took without an error.
  uint64_t bytes() const noexcept { return bytes_; }

 private:
  std::unique_ptr<Sink> sink_;
  std::atomic<uint64_t>* total_;
  uint64_t bytes_ = 0;
};

}  // namespace walrig
