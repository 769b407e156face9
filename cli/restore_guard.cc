#include "cli/restore_guard.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>

#include "cli/restore.h"
#include "core/base/fd.h"
#include "core/wal/restore_role.h"

namespace walrig {
namespace {

constexpr int kPassedOn[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

// The code, or nothing when `work` could not begin or threw.
std::optional<ExitCode> Attempt(const std::function<std::optional<ExitCode>()>& work) {
  try {
    return work();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

ExitCode Lost(const RunInput& input, const Status& why, ExitCode otherwise) {
  try {
    return AnswerForLost(input, why, otherwise);
  } catch (const std::exception&) {
    return static_cast<ExitCode>(kStopRecoveryCode);
  }
}

ExitCode InChild(const std::function<std::optional<ExitCode>()>& work, const Fd& verdict, pid_t parent) {
  // Nobody would hear the answer of a child whose parent was killed.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) raise(SIGTERM);
  const std::optional<ExitCode> code = Attempt(work);
  if (!code.has_value()) return ExitCode::kError;
  const auto byte = static_cast<uint8_t>(*code);
  while (write(verdict.get(), &byte, 1) < 0 && errno == EINTR) {
  }
  return *code;
}

// Until the child has ended; answers the stop signal that came meanwhile, or 0.
int AwaitChild(pid_t child, const sigset_t& awaited, int* status) {
  int stopped_by = 0;
  for (;;) {
    const int signal = sigwaitinfo(&awaited, nullptr);
    if (signal == SIGCHLD) {
      const pid_t done = waitpid(child, status, WNOHANG);
      if (done == child || (done < 0 && errno == ECHILD)) return stopped_by;
    } else if (signal > 0) {
      stopped_by = signal;
      kill(child, signal);
    }
  }
}

Status WhyLost(int status) {
  if (!WIFSIGNALED(status)) return Internal("the process that fetched the file ended without an answer");
  const char* const name = sigabbrev_np(WTERMSIG(status));
  const bool killed = WTERMSIG(status) == SIGKILL;
  return Internal(fmt::format("the process that fetched the file was ended by SIG{}", name == nullptr ? "?" : name))
      .Hint(killed ? "the kernel's log tells whether memory was short" : "a plugin or a library of it crashed; `walrig plugin doctor` looks at them");
}

ExitCode InParent(const RunInput& input, pid_t child, const sigset_t& awaited, const Fd& verdict) {
  int status = 0;
  const int stopped_by = AwaitChild(child, awaited, &status);
  uint8_t code = 0;
  // What it said counts, whatever became of it afterwards.
  if (read(verdict.get(), &code, 1) == 1) return static_cast<ExitCode>(code);
  const int ended_by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  for (const int signal : kPassedOn) {
    if (signal == stopped_by || signal == ended_by) return ExitCodeOfSignal(signal);
  }
  return Lost(input, WhyLost(status), static_cast<ExitCode>(ended_by != 0 ? 128 + ended_by : WEXITSTATUS(status)));
}

}  // namespace

ExitCode GuardRestore(const RunInput& input, const std::function<std::optional<ExitCode>()>& work) {
  int ends[2] = {-1, -1};
  // Not blocking: something that the child left running may hold the other end.
  const bool piped = pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
  Fd reader(ends[0]);
  Fd writer(ends[1]);
  sigset_t awaited;
  sigset_t before;
  sigemptyset(&awaited);
  for (const int signal : kPassedOn) sigaddset(&awaited, signal);
  sigaddset(&awaited, SIGCHLD);
  // Whoever started us may ignore it: then there would be nothing to wait for.
  signal(SIGCHLD, SIG_DFL);
  sigprocmask(SIG_BLOCK, &awaited, &before);
  const pid_t parent = getpid();
  const pid_t child = piped ? fork() : -1;
  if (child <= 0) sigprocmask(SIG_SETMASK, &before, nullptr);
  if (child == 0) return InChild(work, writer, parent);
  if (child < 0) {
    const std::optional<ExitCode> code = Attempt(work);
    return code.has_value() ? *code : Lost(input, Internal("wal-fetch could not begin"), ExitCode::kError);
  }
  writer.reset();
  const ExitCode code = InParent(input, child, awaited, reader);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return code;
}

}  // namespace walrig
