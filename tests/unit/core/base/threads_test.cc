#include "core/base/threads.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

TEST(ThreadsTest, ANewThreadTakesNoSignalAndTheOldOneStillDoes) {
  sigset_t inside, outside;
  sigemptyset(&inside);
  {
    ASSERT_OK_AND_ASSIGN(std::jthread thread, StartThread([&inside] { pthread_sigmask(SIG_SETMASK, nullptr, &inside); }));
  }
  EXPECT_EQ(sigismember(&inside, SIGTERM), 1);
  EXPECT_EQ(sigismember(&inside, SIGINT), 1);
  pthread_sigmask(SIG_SETMASK, nullptr, &outside);
  EXPECT_EQ(sigismember(&outside, SIGTERM), 0);
}

}  // namespace
}  // namespace walrig
