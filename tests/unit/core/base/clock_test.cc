#include "core/base/clock.h"

#include <gtest/gtest.h>
#include <time.h>

#include "core/base/stop.h"
#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

TEST(RealClockTest, TellsTheTimeOfTheSystem) {
  int64_t seconds = static_cast<int64_t>(::time(nullptr));
  EXPECT_NEAR(static_cast<double>(RealClock().WallNs()) / 1e9, static_cast<double>(seconds), 5.0);
  uint64_t first = RealClock().MonotonicNs();
  EXPECT_GE(RealClock().MonotonicNs(), first);
}

TEST(RealClockTest, SleepsAtLeastAsLongAsAsked) {
  uint64_t start_ns = RealClock().MonotonicNs();
  RealClock().SleepNs(3'000'000, -1);
  EXPECT_GE(RealClock().MonotonicNs() - start_ns, 3'000'000u);
}

TEST(RealClockTest, RequestedStopEndsTheSleepAtOnce) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StopSource> source, StopSource::New());
  source->RequestStop();
  uint64_t start_ns = RealClock().MonotonicNs();
  RealClock().SleepNs(3'600'000'000'000, source->token().fd());
  EXPECT_LT(RealClock().MonotonicNs() - start_ns, 60'000'000'000u);
}

}  // namespace
}  // namespace walrig
