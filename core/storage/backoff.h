// Backoff: the attempts of one call: how many, how long between, and when to give up.
//
// THREADS: one at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/random.h"
#include "walrig/context.h"

namespace walrig {

struct RetryPolicy;

class Backoff {
 public:
  // `policy` must outlive it.
  Backoff(const RetryPolicy& policy, uint64_t seed);

  // After a failed attempt: pauses and returns OK when the call shall be repeated; otherwise the error to give: `failure`
  // when it may not be repeated or the attempts or the time are used up, kCancelled or kTimeout by ctx.
  // `what` names the call for the log: "get wal_005/x".
  Status Again(const Context& ctx, Status failure, std::string_view what);

  // The last attempt got somewhere (a stream moved on): the next failure is a first one.
  void Progress() { attempt_ = 1; }

  // What the next attempt is called with: `ctx` with its number.
  Context Attempt(const Context& ctx) const;

 private:
  uint64_t PauseNs(const Status& failure);

  const RetryPolicy& policy_;
  Random random_;
  uint32_t attempt_ = 1;
  uint64_t begin_ns_ = 0;  // of the first failure; a stream may have run well for hours before
};

}  // namespace walrig
