#include "core/pipeline/worker_pool.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <latch>
#include <stdexcept>

#include "core/base/threads.h"
#include "tests/support/status_matchers.h"

namespace walrig::test {
namespace {

TEST(WorkerPoolTest, RunsEveryTask) {
  for (size_t threads : {0u, 1u, 3u}) {
    std::atomic<int> sum{0};
    WorkerPool pool(threads);
    for (int i = 1; i <= 100; i++) {
      pool.Submit([&sum, i] {
        sum += i;
        return OkStatus();
      });
    }
    EXPECT_OK(pool.Wait());
    EXPECT_EQ(sum, 5050) << threads;
  }
}

TEST(WorkerPoolTest, ReportsTheFirstErrorAndRunsNoneAfterIt) {
  for (size_t threads : {0u, 1u}) {
    std::atomic<int> ran{0};
    WorkerPool pool(threads);
    pool.Submit([] { return IoError("first"); });
    EXPECT_THAT(pool.Wait(), MessageHas("first"));
    EXPECT_TRUE(pool.failed());
    for (int i = 0; i < 10; i++) {
      pool.Submit([&ran] {
        ran++;
        return IoError("second");
      });
    }
    EXPECT_THAT(pool.Wait(), MessageHas("first"));
    EXPECT_EQ(ran, 0);
  }
}

TEST(WorkerPoolTest, TellsARunningTaskThatASiblingFailed) {
  WorkerPool pool(2);
  std::latch waiting(1);
  pool.Submit([&] {
    waiting.count_down();
    while (!pool.failed()) std::this_thread::yield();
    return Cancelled("a sibling failed");
  });
  pool.Submit([&] {
    waiting.wait();
    return IoError("first");
  });
  EXPECT_THAT(pool.Wait(), MessageHas("first"));
}

TEST(WorkerPoolTest, MayBeUsedAgainAfterSuccess) {
  WorkerPool pool(2);
  std::atomic<int> ran{0};
  for (int round = 0; round < 3; round++) {
    pool.Submit([&] {
      ran++;
      return OkStatus();
    });
    EXPECT_OK(pool.Wait());
  }
  EXPECT_EQ(ran, 3);
}

TEST(WorkerPoolTest, RunsTasksAtTheSameTime) {
  WorkerPool pool(3);
  std::latch all(3);
  for (int i = 0; i < 3; i++) {
    pool.Submit([&all] {
      all.arrive_and_wait();
      return OkStatus();
    });
  }
  EXPECT_OK(pool.Wait());
}

TEST(WorkerPoolTest, TurnsAnExceptionIntoAnError) {
  WorkerPool pool(1);
  pool.Submit([]() -> Status { throw std::runtime_error("oops"); });
  EXPECT_THAT(pool.Wait(), MessageHas("oops"));
}

TEST(WorkerPoolTest, BlocksAllSignalsInItsThreads) {
  WorkerPool pool(1);
  std::atomic<bool> blocked{false};
  pool.Submit([&blocked] {
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, nullptr, &set);
    blocked = sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGINT) == 1;
    return OkStatus();
  });
  EXPECT_OK(pool.Wait());
  EXPECT_TRUE(blocked);
  sigset_t set;
  pthread_sigmask(SIG_SETMASK, nullptr, &set);
  EXPECT_EQ(sigismember(&set, SIGTERM), 0) << "the caller's mask is as it was";
}

}  // namespace
}  // namespace walrig::test
