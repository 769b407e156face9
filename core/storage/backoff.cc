#include "core/storage/backoff.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/storage/retrying.h"

namespace walrig {

namespace {

constexpr uint64_t kNsPerMs = 1'000'000;
constexpr uint64_t kPauseMaxMs = 86'400'000;  // a day: longer ones are given up anyway, and nothing overflows

}  // namespace

Backoff::Backoff(const RetryPolicy& policy, uint64_t seed) : policy_(policy), random_(seed) {}

uint64_t Backoff::PauseNs(const Status& failure) {
  // Doubled until it reaches the bound, and no further: a shift could overflow.
  const uint64_t max_ms = std::min(policy_.max_ms, kPauseMaxMs);
  uint64_t bound_ms = std::min(policy_.initial_ms, max_ms);
  for (uint32_t doublings = attempt_ - 1; doublings > 0 && bound_ms != 0 && bound_ms < max_ms; --doublings) {
    bound_ms = std::min(max_ms, 2 * bound_ms);
  }
  const auto jitter_ns = static_cast<uint64_t>(random_.Unit() * static_cast<double>(bound_ms * kNsPerMs));
  return std::max(jitter_ns, uint64_t{failure.detail().retry_after_ms} * kNsPerMs);
}

Status Backoff::Again(const Context& ctx, Status failure, std::string_view what) {
  if (!failure.retryable()) return failure;
  WALRIG_TRY(ctx.Poll());
  const auto give_up = [&](std::string_view why) {
    return std::move(failure).With(fmt::format("gave up after {} attempts ({})", attempt_, why));
  };
  if (attempt_ >= policy_.attempts_max) return give_up("no more are allowed");
  const uint64_t now_ns = ctx.clock->MonotonicNs();
  if (attempt_ == 1) begin_ns_ = now_ns;
  const uint64_t pause_ns = PauseNs(failure);
  const uint64_t next_ns = now_ns + pause_ns;
  if (next_ns - begin_ns_ > policy_.total_ms_max * kNsPerMs) return give_up("the next would be too late");
  if (ctx.deadline_ns != 0 && next_ns >= ctx.deadline_ns) return give_up("the next would be after the deadline");

  attempt_++;
  if (ctx.log->Enabled(LogLevel::kInfo)) {
    ctx.log->Write(LogLevel::kInfo, "storage/retry",
                   fmt::format("{}: attempt {} of {} in {} ms, because: {}", what, attempt_, policy_.attempts_max,
                               pause_ns / kNsPerMs, failure.message()));
  }
  ctx.clock->SleepNs(pause_ns, ctx.stop.fd());
  return ctx.Poll();
}

Context Backoff::Attempt(const Context& ctx) const {
  Context attempt = ctx;
  attempt.attempt = attempt_;
  return attempt;
}

}  // namespace walrig
