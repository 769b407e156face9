#include "core/base/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace walrig {
namespace {

TEST(ProcessMarkTest, KnowsItsOwnProcess) {
  const ProcessMark mark = OwnProcessMark();
  EXPECT_EQ(mark.pid, static_cast<uint64_t>(getpid()));
  EXPECT_FALSE(mark.machine.empty());
  EXPECT_EQ(mark, OwnProcessMark());
  EXPECT_EQ(StateOf(mark), ProcessState::kRuns);
}

// Killed and not yet waited for, it writes nothing any more either.
TEST(ProcessMarkTest, SeesThatAKilledProcessIsGone) {
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  const pid_t child = fork();
  if (child == 0) {
    const ProcessMark own = OwnProcessMark();
    if (write(pipe_fds[1], &own.started, sizeof own.started) < 0) _exit(1);
    pause();
    _exit(0);
  }
  ProcessMark mark = OwnProcessMark();
  mark.pid = static_cast<uint64_t>(child);
  ASSERT_EQ(read(pipe_fds[0], &mark.started, sizeof mark.started), static_cast<ssize_t>(sizeof mark.started));
  EXPECT_EQ(StateOf(mark), ProcessState::kRuns);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(StateOf(mark), ProcessState::kGone) << "a zombie";
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(StateOf(mark), ProcessState::kGone);
  close(pipe_fds[0]), close(pipe_fds[1]);
}

TEST(ProcessMarkTest, DoesNotTakeANumberThatWasGivenAgainForTheOldProcess) {
  ProcessMark mark = OwnProcessMark();
  --mark.started;
  EXPECT_EQ(StateOf(mark), ProcessState::kGone);
}

TEST(ProcessMarkTest, KnowsNothingOfAnotherMachine) {
  ProcessMark mark = OwnProcessMark();
  mark.machine += "x";
  EXPECT_EQ(StateOf(mark), ProcessState::kUnknown);
  mark.machine.clear();
  EXPECT_EQ(StateOf(mark), ProcessState::kUnknown);
  EXPECT_EQ(StateOf(ProcessMark()), ProcessState::kUnknown);
}

}  // namespace
}  // namespace walrig
