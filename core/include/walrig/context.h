// Context: what travels with a call and is not its business: stop, deadline, log, clock, metrics.
//
// Passed first, by const reference, never stored beyond the call (an object that must log in its destructor takes a
// Log at construction and says so).
#pragma once

#include <cstdint>

#include "walrig/log.h"
#include "walrig/stop.h"

namespace walrig {

struct Context {
  StopToken stop;
  Log* log = nullptr;          // never null in the core; borrowed
  Clock* clock = nullptr;      // never null in the core; borrowed
  Metrics* metrics = nullptr;  // may be null; borrowed
  uint64_t deadline_ns = 0;    // CLOCK_MONOTONIC; 0 = none
  uint32_t attempt = 1;        // set by the retrying wrapper, for logs and plugins

  Status Poll() const {
    if (stop.requested()) return Cancelled();
    if (deadline_ns != 0 && clock != nullptr && clock->MonotonicNs() >= deadline_ns) return Timeout("deadline passed");
    return OkStatus();
  }
};

}  // namespace walrig
