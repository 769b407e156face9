// StopSource: where the wish to stop comes from.
//
// OWNS: the state and the eventfd that its tokens look at; must outlive them.
// THREADS: all methods from any thread; RequestStop also from a signal handler.
#pragma once

#include <memory>

#include "core/base/fd.h"
#include "walrig/result.h"
#include "walrig/stop.h"

namespace walrig {

class StopSource {
 public:
  // FAILS WITH: kUnavailable or kIoError when the process has no descriptor left.
  static Result<std::unique_ptr<StopSource>> New();

  StopSource(const StopSource&) = delete;
  StopSource& operator=(const StopSource&) = delete;

  StopToken token() const noexcept { return StopToken(&state_); }
  bool requested() const noexcept { return state_.requested.load(std::memory_order_relaxed); }
  // Sets the token and makes its fd readable for good. Async-signal-safe; a second call changes nothing. errno stays.
  void RequestStop() noexcept;

 private:
  explicit StopSource(Fd event) noexcept;

  Fd event_;
  StopState state_;
};

}  // namespace walrig
