// FakeClock: time that moves only when somebody sleeps or the test says so.
#pragma once

#include <poll.h>

#include <atomic>
#include <cstdint>

#include "walrig/log.h"

namespace walrig::test {

// THREADS: any.
class FakeClock final : public Clock {
 public:
  static constexpr int64_t kStartWallNs = 1'790'000'000'000'000'000;  // 2026-09-21T14:13:20Z

  int64_t WallNs() const override { return kStartWallNs + static_cast<int64_t>(elapsed_ns_.load()); }
  uint64_t MonotonicNs() const override { return 1'000'000'000 + elapsed_ns_.load(); }
  // A stop that was requested already cuts the sleep to nothing, as with the real clock.
  void SleepNs(uint64_t ns, int stop_fd) override {
    sleeps_.fetch_add(1);
    if (stop_fd >= 0) {
      pollfd poll_fd = {stop_fd, POLLIN, 0};
      if (::poll(&poll_fd, 1, 0) > 0) return;
    }
    Advance(ns);
  }

  void Advance(uint64_t ns) { elapsed_ns_.fetch_add(ns); }
  uint64_t elapsed_ns() const { return elapsed_ns_.load(); }
  uint64_t sleeps() const { return sleeps_.load(); }

 private:
  std::atomic<uint64_t> elapsed_ns_{0};
  std::atomic<uint64_t> sleeps_{0};
};

}  // namespace walrig::test
