// The real clock. Everything that asks for the time or sleeps gets a Clock from its Context, so that tests need not
// wait.
#pragma once

#include "walrig/log.h"

namespace walrig {

// CLOCK_REALTIME and CLOCK_MONOTONIC; sleeps in poll() on the stop fd. Lives as long as the process.
Clock& RealClock();

}  // namespace walrig
