#include "core/io/throttle.h"

#include <algorithm>
#include <cmath>

namespace walrig {
namespace {

constexpr double kNsPerS = 1e9;
// So that a deadline is noticed soon although a sleep only ends early for a stop.
constexpr uint64_t kSleepNsMax = 200'000'000;

uint64_t BurstOf(const TokenBucket::Options& options) {
  if (options.burst_bytes != 0) return options.burst_bytes;
  return std::max<uint64_t>(options.rate_bytes_per_s / 20, 1);
}

}  // namespace

TokenBucket::TokenBucket(Options options)
    : rate_(options.rate_bytes_per_s), burst_(BurstOf(options)), credit_bytes_(static_cast<double>(burst_)) {}

uint64_t TokenBucket::piece_bytes_max() const noexcept { return rate_ == 0 ? UINT64_MAX : burst_; }

// Pays for `bytes` and answers how long the payer must wait.
uint64_t TokenBucket::Reserve(uint64_t now_ns, uint64_t bytes) {
  const double rate = static_cast<double>(rate_);
  std::lock_guard lock(mutex_);
  if (!started_) {
    started_ = true;
    filled_at_ns_ = now_ns;
  }
  // Another thread may have asked the clock later and come first.
  if (now_ns > filled_at_ns_) {
    double grown = static_cast<double>(now_ns - filled_at_ns_) / kNsPerS * rate;
    credit_bytes_ = std::min(credit_bytes_ + grown, static_cast<double>(burst_));
    filled_at_ns_ = now_ns;
  }
  credit_bytes_ -= static_cast<double>(bytes);
  if (credit_bytes_ >= 0) return 0;
  double wait_ns = std::ceil(-credit_bytes_ / rate * kNsPerS);
  return wait_ns < 0x1.0p62 ? static_cast<uint64_t>(wait_ns) : uint64_t{1} << 62;
}

void TokenBucket::GiveBack(double bytes) {
  std::lock_guard lock(mutex_);
  credit_bytes_ = std::min(credit_bytes_ + bytes, static_cast<double>(burst_));
}

Status TokenBucket::Take(const Context& ctx, uint64_t bytes) {
  WALRIG_TRY(ctx.Poll());
  if (rate_ == 0 || bytes == 0) return OkStatus();
  const uint64_t start_ns = ctx.clock->MonotonicNs();
  const uint64_t wait_ns = Reserve(start_ns, bytes);
  for (uint64_t now_ns = start_ns; now_ns - start_ns < wait_ns; now_ns = ctx.clock->MonotonicNs()) {
    const uint64_t left_ns = wait_ns - (now_ns - start_ns);
    if (Status status = ctx.Poll(); !status.ok()) {
      double unpaid = static_cast<double>(left_ns) / kNsPerS * static_cast<double>(rate_);
      GiveBack(std::min(unpaid, static_cast<double>(bytes)));
      return status;
    }
    ctx.clock->SleepNs(std::min(left_ns, kSleepNsMax), ctx.stop.fd());
  }
  return OkStatus();
}

ThrottledSource::ThrottledSource(std::unique_ptr<Source> source, TokenBucket* bucket)
    : source_(std::move(source)), bucket_(bucket) {}

Result<size_t> ThrottledSource::Read(const Context& ctx, MutableByteSpan buffer) {
  if (bucket_ == nullptr) return source_->Read(ctx, buffer);
  size_t piece = static_cast<size_t>(std::min<uint64_t>(buffer.size(), bucket_->piece_bytes_max()));
  WALRIG_ASSIGN(size_t n, source_->Read(ctx, buffer.first(piece)));
  WALRIG_TRY(bucket_->Take(ctx, n));
  return n;
}

ThrottledSink::ThrottledSink(std::unique_ptr<Sink> sink, TokenBucket* bucket)
    : sink_(std::move(sink)), bucket_(bucket) {}

Status ThrottledSink::Write(const Context& ctx, ByteSpan bytes) {
  if (bucket_ == nullptr) return sink_->Write(ctx, bytes);
  while (taken_bytes_ < bytes.size()) {
    const size_t left = bytes.size() - taken_bytes_;
    const size_t piece = static_cast<size_t>(std::min<uint64_t>(left, bucket_->piece_bytes_max()));
    WALRIG_TRY(bucket_->Take(ctx, piece));
    WALRIG_TRY(sink_->Write(ctx, bytes.subspan(taken_bytes_, piece)));
    taken_bytes_ += piece;
  }
  taken_bytes_ = 0;
  return OkStatus();
}

}  // namespace walrig
