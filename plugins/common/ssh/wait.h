// Waiting on descriptors so that a stop, a deadline and a stall all end it.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>

#include "plugins/common/fd.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig::ssh {

using common::Fd;

uint64_t MonotonicMs();

// Waits until `fd` has one of `events` (of poll), at most `wait_ms`; true when it has. FAILS WITH: kCancelled, kTimeout
// (the call's own deadline).
Result<bool> WaitFor(const Context& ctx, int fd, short events, uint64_t wait_ms);

// A connected, non-blocking TCP socket. Each address that the host has is tried until `timeout_ms` are over. The name is
// looked up in a thread of its own, since that cannot be interrupted. FAILS WITH: kUnavailable, kTimeout, retryable.
Result<Fd> ConnectTcp(const Context& ctx, const std::string& host, uint16_t port, uint64_t timeout_ms);

}  // namespace walrig::ssh
