#include "core/base/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;

TEST(SignalsTest, SignalRequestsStopAndIsRemembered) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StopSource> source, StopSource::New());
  ASSERT_OK(StopOnSignals(*source, {SIGUSR1, SIGUSR2}));
  EXPECT_EQ(LastSignal(), 0);
  ::raise(SIGUSR2);
  EXPECT_TRUE(source->requested());
  EXPECT_EQ(LastSignal(), SIGUSR2);
  ::raise(SIGUSR1);
  EXPECT_EQ(LastSignal(), SIGUSR1);
  RestoreSignals();
  EXPECT_EQ(LastSignal(), 0);
}

TEST(SignalsTest, RestoredSignalHasItsDefaultEffectAgain) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StopSource> source, StopSource::New());
  ASSERT_OK(StopOnSignals(*source, {SIGUSR1}));
  RestoreSignals();
  struct sigaction now = {};
  ASSERT_EQ(::sigaction(SIGUSR1, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

TEST(SignalsTest, RefusesSignalsThatCannotBeCaught) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StopSource> source, StopSource::New());
  EXPECT_THAT(StopOnSignals(*source, {SIGKILL}), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(StopOnSignals(*source, {0}), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(StopOnSignals(*source, {1000}), HasCode(Code::kInvalidArgument));
  RestoreSignals();
}

TEST(SignalsTest, WriteToClosedPipeIsAnErrorAndNotTheEnd) {
  IgnoreSignalsOfWrites();
  int fds[2] = {-1, -1};
  ASSERT_EQ(::pipe(fds), 0);
  ::close(fds[0]);
  EXPECT_EQ(::write(fds[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  ::close(fds[1]);
}

TEST(SignalsTest, WriteBeyondTheSizeLimitIsAnErrorAndNotTheEnd) {
  IgnoreSignalsOfWrites();
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  EXPECT_EQ(::write(::fileno(file), "x", 1), -1);
  EXPECT_EQ(errno, EFBIG);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::fclose(file);
}

}  // namespace
}  // namespace walrig
