#include "core/postgres/liveness.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>

#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::HasCode;
using test::TestContext;

// Waits for the event itself, bounded so that a bug is no hang.
bool Stopped(const LivenessWatch& watch) {
  pollfd fd = {watch.context().stop.fd(), POLLIN, 0};
  return poll(&fd, 1, 10000) == 1 && watch.context().stop.requested();
}

TEST(LivenessTest, StopsTheWorkWhenAPingFails) {
  TestContext test;
  test.UseRealClock();
  ASSERT_OK_AND_ASSIGN(auto watch, LivenessWatch::Start(test, 1, [](const Context&) { return Unavailable("gone"); }));
  ASSERT_TRUE(Stopped(*watch));
  EXPECT_THAT(watch->cause(), HasCode(Code::kUnavailable));
  EXPECT_FALSE(test.ctx().stop.requested()) << "the user's own token is not touched";
}

TEST(LivenessTest, PassesTheUsersStopOnWithoutAnyPing) {
  TestContext test;
  test.UseRealClock();
  std::atomic<int> pings{0};
  ASSERT_OK_AND_ASSIGN(auto watch, LivenessWatch::Start(test, 0, [&](const Context&) { return ++pings, OkStatus(); }));
  test.stop().RequestStop();
  ASSERT_TRUE(Stopped(*watch));
  EXPECT_THAT(watch->cause(), HasCode(Code::kCancelled));
  EXPECT_EQ(pings, 0);
}

TEST(LivenessTest, EndsAtOnceWithoutACause) {
  TestContext test;
  test.UseRealClock();
  ASSERT_OK_AND_ASSIGN(auto watch, LivenessWatch::Start(test, 60000, [](const Context&) { return OkStatus(); }));
  EXPECT_OK(watch->cause());
}

}  // namespace
}  // namespace walrig
