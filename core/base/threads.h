// How the core starts a thread: joined always, all signals blocked so that they reach the main thread, no exception out.
#pragma once

#include <functional>
#include <thread>

#include "walrig/result.h"

namespace walrig {

// Starts a thread that runs `body`, which must not throw. FAILS WITH: kUnavailable when the system refuses a thread.
Result<std::jthread> StartThread(std::function<void()> body);

}  // namespace walrig
