#include "core/base/clock.h"

#include <poll.h>
#include <time.h>

#include <cerrno>

namespace walrig {
namespace {

constexpr uint64_t kNsPerS = 1'000'000'000;

uint64_t Now(clockid_t id) {
  timespec ts = {};
  ::clock_gettime(id, &ts);
  return static_cast<uint64_t>(ts.tv_sec) * kNsPerS + static_cast<uint64_t>(ts.tv_nsec);
}

class SystemClock final : public Clock {
 public:
  int64_t WallNs() const override { return static_cast<int64_t>(Now(CLOCK_REALTIME)); }
  uint64_t MonotonicNs() const override { return Now(CLOCK_MONOTONIC); }

  void SleepNs(uint64_t ns, int stop_fd) override {
    const uint64_t start_ns = MonotonicNs();
    pollfd poll_fd = {stop_fd, POLLIN, 0};
    for (uint64_t passed_ns = 0; passed_ns < ns; passed_ns = MonotonicNs() - start_ns) {
      uint64_t left_ns = ns - passed_ns;
      timespec ts = {};
      ts.tv_sec = static_cast<time_t>(left_ns / kNsPerS);
      ts.tv_nsec = static_cast<long>(left_ns % kNsPerS);
      int ready = ::ppoll(&poll_fd, stop_fd >= 0 ? 1 : 0, &ts, nullptr);
      if (ready > 0 || (ready < 0 && errno != EINTR)) return;
    }
  }
};

}  // namespace

Clock& RealClock() {
  static SystemClock clock;
  return clock;
}

}  // namespace walrig
