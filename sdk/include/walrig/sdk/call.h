// SPDX-License-Identifier: MIT-0
// Call: one call of the host into the plugin, seen as a walrig::Context.
//
// Made on the stack of every call that takes a walrig_op. The log forwards to the host, the clock is the real one,
// the metrics are the host's counters.
//
// The token's flag is read once, when the call begins; its descriptor becomes readable the moment the host cancels.
// A call that may last (a long copy, a large listing, a wait for the network) therefore asks PollStop() once per chunk
// of work, or has the descriptor in its poll set.
//
// THREADS: belongs to the call that made it.
#pragma once

#include <poll.h>
#include <time.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include "walrig/abi/host.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig::sdk {

// kCancelled or kTimeout when the call shall end; sees a cancellation that came after the call began.
inline Status PollStop(const Context& ctx) {
  WALRIG_TRY(ctx.Poll());
  if (ctx.stop.fd() < 0) return OkStatus();
  pollfd wait{ctx.stop.fd(), POLLIN, 0};
  if (::poll(&wait, 1, 0) > 0 && (wait.revents & POLLIN) != 0) return Cancelled();
  return OkStatus();
}

class HostLog final : public Log {
 public:
  explicit HostLog(const walrig_host* host) : host_(host) {}
  bool Enabled(LogLevel level) const override { return host_->log_enabled(host_, static_cast<int32_t>(level)) != 0; }
  void Write(LogLevel level, std::string_view area, std::string_view text) override {
    host_->log(host_, static_cast<int32_t>(level), std::string(area).c_str(), text.data(), text.size());
  }

 private:
  const walrig_host* host_;
};

class HostMetrics final : public Metrics {
 public:
  explicit HostMetrics(const walrig_host* host) : host_(host) {}
  void Add(std::string_view name, double value) override {
    host_->metric_add(host_, host_->metric_id(host_, std::string(name).c_str(), 0), value);
  }

 private:
  const walrig_host* host_;
};

class SystemClock final : public Clock {
 public:
  int64_t WallNs() const override { return static_cast<int64_t>(Read(CLOCK_REALTIME)); }
  uint64_t MonotonicNs() const override { return Read(CLOCK_MONOTONIC); }
  void SleepNs(uint64_t ns, int stop_fd) override {
    const uint64_t end = MonotonicNs() + ns;
    pollfd wait{stop_fd, POLLIN, 0};
    for (uint64_t now = MonotonicNs(); now < end; now = MonotonicNs()) {
      const uint64_t left = end - now;
      const timespec span{static_cast<time_t>(left / kSecondNs), static_cast<long>(left % kSecondNs)};
      const int n = ::ppoll(&wait, 1, &span, nullptr);
      if (n > 0 || (n < 0 && errno != EINTR)) return;
    }
  }

 private:
  static constexpr uint64_t kSecondNs = 1'000'000'000;
  static uint64_t Read(clockid_t id) {
    timespec t{};
    ::clock_gettime(id, &t);
    return static_cast<uint64_t>(t.tv_sec) * kSecondNs + static_cast<uint64_t>(t.tv_nsec);
  }
};

class Call {
 public:
  Call(const walrig_host* host, const walrig_op* op) : log_(host), metrics_(host) {
    state_.requested.store(host->op_cancelled(op) != 0, std::memory_order_relaxed);
    state_.fd = host->op_cancel_fd(op);
    ctx_.stop = StopToken(&state_);
    ctx_.log = &log_;
    ctx_.clock = &clock_;
    ctx_.metrics = &metrics_;
    ctx_.deadline_ns = host->op_deadline_ns(op);
    ctx_.attempt = host->op_attempt(op);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const Context& ctx() const noexcept { return ctx_; }

 private:
  StopState state_;
  HostLog log_;
  HostMetrics metrics_;
  SystemClock clock_;
  Context ctx_;
};

}  // namespace walrig::sdk
