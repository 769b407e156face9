// StopToken: how a call learns that it shall end early.
//
// The source of the request lives in core/base/stop.h; here is only what a reader of the token needs. A call that
// sees a stop answers kCancelled within a second and leaves nothing half done that looks whole.
//
// THREADS: tokens are values; any thread may ask.
#pragma once

#include <atomic>

#include "walrig/status.h"

namespace walrig {

// Shared between a StopSource and its tokens. `fd` becomes readable, and stays so, when stop is requested; -1 when
// there is none. Never read from it and never close it: put it into poll().
struct StopState {
  std::atomic<bool> requested{false};
  int fd = -1;
};

class StopToken {
 public:
  // A token that is never set.
  StopToken() = default;
  // `state` must outlive the token.
  explicit StopToken(const StopState* state) : state_(state) {}

  bool requested() const noexcept { return state_ != nullptr && state_->requested.load(std::memory_order_relaxed); }
  int fd() const noexcept { return state_ != nullptr ? state_->fd : -1; }
  // kCancelled when stop was requested, else OK. Call it once per chunk of work.
  Status Poll() const { return requested() ? Cancelled() : OkStatus(); }

 private:
  const StopState* state_ = nullptr;
};

}  // namespace walrig
