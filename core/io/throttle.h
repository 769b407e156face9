// TokenBucket: at most so many bytes a second, shared by any number of streams; and the wrappers that pay into it.
//
// A bucket holds `burst_bytes` of credit that grows at the rate. Take pays in full before it returns: what does not
// fit becomes a debt that the caller, and everybody after it, waits for. So over any stretch of time no more than
// rate * time + burst bytes pass; with the default burst, a twentieth of a second, five seconds are within 1 %.
// THREADS: TokenBucket any; the wrappers one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "walrig/stream.h"

namespace walrig {

class TokenBucket {
 public:
  struct Options {
    uint64_t rate_bytes_per_s = 0;  // 0: no limit
    uint64_t burst_bytes = 0;       // 0: a twentieth of a second's worth, at least one byte
  };
  explicit TokenBucket(Options options);

  // Waits until `bytes` may pass. The first call starts with a full burst.
  // FAILS WITH: kCancelled, kTimeout; what was not waited for is given back then.
  Status Take(const Context& ctx, uint64_t bytes);

  uint64_t rate_bytes_per_s() const noexcept { return rate_; }
  // How much to move between two calls of Take to keep the flow smooth; no limit when there is no rate.
  uint64_t piece_bytes_max() const noexcept;

 private:
  uint64_t Reserve(uint64_t now_ns, uint64_t bytes);
  void GiveBack(double bytes);

  const uint64_t rate_;
  const uint64_t burst_;
  std::mutex mutex_;
  double credit_bytes_;        // guarded by mutex_; negative: debt
  uint64_t filled_at_ns_ = 0;  // guarded by mutex_
  bool started_ = false;       // guarded by mutex_
};

// OWNS: the wrapped stream. Borrows the bucket, which must outlive it; null: no limit.
class ThrottledSource final : public Source {
 public:
  ThrottledSource(std::unique_ptr<Source> source, TokenBucket* bucket);
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override;

 private:
  std::unique_ptr<Source> source_;
  TokenBucket* bucket_;
};

class ThrottledSink final : public Sink {
 public:
  ThrottledSink(std::unique_ptr<Sink> sink, TokenBucket* bucket);
  Status Write(const Context& ctx, ByteSpan bytes) override;
  Status Commit(const Context& ctx) override { return sink_->Commit(ctx); }
  void Abort() noexcept override { sink_->Abort(); }

 private:
  std::unique_ptr<Sink> sink_;
  TokenBucket* bucket_;
  size_t taken_bytes_ = 0;  // of the Write at hand, when it failed resumably and will be made again
};

}  // namespace walrig
