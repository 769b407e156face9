#include "core/plugin/probe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

constexpr size_t kAnswerBytesMax = 4u << 20;
constexpr size_t kErrorBytesMax = 4096;
constexpr int kChildChannel = 3;

struct Pipe {
  Fd reader, writer;
};

// Both ends above the numbers that the child uses, so that none of its redirections overwrites another.
Result<Pipe> NewPipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
  Fd reader(ends[0]), writer(ends[1]);
  Pipe pipe{Fd(fcntl(reader.get(), F_DUPFD_CLOEXEC, 10)), Fd(fcntl(writer.get(), F_DUPFD_CLOEXEC, 10))};
  if (!pipe.reader.valid() || !pipe.writer.valid()) return ErrnoStatus(errno, "duplicate a pipe");
  fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

struct FileActions {
  FileActions() { posix_spawn_file_actions_init(&raw); }
  ~FileActions() { posix_spawn_file_actions_destroy(&raw); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  posix_spawn_file_actions_t raw;
};

Result<pid_t> Spawn(const std::string& probe, const std::string& file, int channel, int error_fd) {
  FileActions actions;
  posix_spawn_file_actions_addopen(&actions.raw, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions.raw, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions.raw, error_fd, 2);
  posix_spawn_file_actions_adddup2(&actions.raw, channel, kChildChannel);
  std::string program = probe, argument = file;
  char* const argv[] = {program.data(), argument.data(), nullptr};
  pid_t pid = 0;
  const int err = posix_spawn(&pid, probe.c_str(), &actions.raw, nullptr, argv, environ);
  if (err != 0) return ErrnoStatus(err, "start " + probe);
  return pid;
}

class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (!reaped_) kill(pid_, SIGKILL), Reap();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  void Kill() { kill(pid_, SIGKILL); }
  int Reap() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    return status;
  }
  // Waits until `end_ns` for its end; false when it goes on.
  bool ReapBefore(const Clock& clock, uint64_t end_ns, int* status) {
    const timespec pause{0, 2'000'000};
    while (waitpid(pid_, status, WNOHANG) == 0) {
      if (clock.MonotonicNs() >= end_ns) return false;
      nanosleep(&pause, nullptr);
    }
    reaped_ = true;
    return true;
  }

 private:
  pid_t pid_;
  bool reaped_ = false;
};

// Takes what is there. False at the end.
bool Drain(int fd, size_t bytes_max, bool keep_last, std::string* into) {
  std::array<char, 16384> buffer;
  while (true) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    into->append(buffer.data(), static_cast<size_t>(got));
    if (into->size() <= bytes_max) continue;
    if (keep_last) into->erase(0, into->size() - bytes_max);
    if (!keep_last) return false;  // far too much to be an answer
  }
}

struct Heard {
  std::string answer, errors;
  bool timed_out = false;
};

// Listens until both pipes are closed or the time is over.
Result<Heard> Listen(const Context& ctx, int channel, int error_fd, uint64_t timeout_ms) {
  Heard heard;
  const uint64_t end_ns = ctx.clock->MonotonicNs() + timeout_ms * 1'000'000;
  std::array<pollfd, 3> fds{{{channel, POLLIN, 0}, {error_fd, POLLIN, 0}, {ctx.stop.fd(), POLLIN, 0}}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    const uint64_t now_ns = ctx.clock->MonotonicNs();
    if (now_ns >= end_ns) {
      heard.timed_out = true;
      return heard;
    }
    const int wait_ms = static_cast<int>(std::min<uint64_t>((end_ns - now_ns) / 1'000'000 + 1, 1000));
    if (poll(fds.data(), fds.size(), wait_ms) < 0 && errno != EINTR) return ErrnoStatus(errno, "poll");
    WALRIG_TRY(ctx.stop.Poll());
    if (fds[0].fd >= 0 && fds[0].revents != 0 && !Drain(channel, kAnswerBytesMax, false, &heard.answer)) fds[0].fd = -1;
    if (fds[1].fd >= 0 && fds[1].revents != 0 && !Drain(error_fd, kErrorBytesMax, true, &heard.errors)) fds[1].fd = -1;
  }
  return heard;
}

std::string LastLines(const std::string& errors) {
  const std::string_view text = Trim(errors);
  const size_t line = text.rfind('\n');
  const std::string_view last = line == std::string_view::npos ? text : text.substr(line + 1);
  return last.empty() ? "" : "; it wrote: " + Printable(last);
}

void Judge(const Heard& heard, int wait_status, uint64_t timeout_ms, ProbeResult* result) {
  result->state = FileState::kQuarantined;
  if (heard.timed_out) {
    result->signal = SIGKILL;
    result->reason = fmt::format("it hung the probe for {} ms", timeout_ms) + LastLines(heard.errors);
    return;
  }
  if (WIFSIGNALED(wait_status)) {
    result->signal = WTERMSIG(wait_status);
    const char* name = sigabbrev_np(result->signal);
    result->reason = fmt::format("it crashed the probe with SIG{}", name != nullptr ? name : "?") +
                     LastLines(heard.errors);
    return;
  }
  result->exit_code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
  uint32_t length = 0;
  for (size_t i = 4; i-- > 0 && heard.answer.size() >= 4;) length = length << 8 | static_cast<uint8_t>(heard.answer[i]);
  if (heard.answer.size() < 4 || heard.answer.size() - 4 != length || result->exit_code != 0) {
    result->reason = fmt::format("it ended the probe with status {} and without an answer", result->exit_code) +
                     LastLines(heard.errors);
    return;
  }
  auto parsed = ParseProbeAnswer(std::string_view(heard.answer).substr(4));
  if (!parsed.ok()) {
    result->reason = "the probe's answer makes no sense: " + std::string(parsed.status().message());
    return;
  }
  const double elapsed_ms = result->elapsed_ms;
  *result = std::move(*parsed);
  result->elapsed_ms = elapsed_ms;
}

}  // namespace

Result<ProbeResult> ParseProbeAnswer(std::string_view text) {
  constexpr std::string_view kWhat = "answer of the probe";
  WALRIG_ASSIGN(const Json json, ParseJson(text, kWhat));
  ProbeResult result;
  WALRIG_ASSIGN(const std::string outcome, JsonString(json, "outcome", kWhat));
  WALRIG_ASSIGN(result.state, ParseFileState(outcome));
  if (result.state != FileState::kOk && result.state != FileState::kUnloadable &&
      result.state != FileState::kIncompatible) {
    return Corruption("the probe cannot come to such an outcome");
  }
  WALRIG_ASSIGN(auto reason, JsonOptionalString(json, "reason", kWhat));
  result.reason = reason.value_or("");
  WALRIG_ASSIGN(auto load_ms, JsonOptionalDouble(json, "load_ms", kWhat));
  result.load_ms = load_ms.value_or(0);
  if (const Json* closure = JsonFind(json, "closure"); closure != nullptr && closure->is_array()) {
    for (const Json& item : *closure) {
      if (item.is_string()) result.closure.push_back(item.get_ref<const std::string&>());
    }
  }
  if (result.state != FileState::kOk) return result;
  const Json* module = JsonFind(json, "module");
  if (module == nullptr) return Corruption("the probe describes no module");
  WALRIG_ASSIGN(result.module, ModuleFromJson(*module));
  return result;
}

Result<ProbeResult> RunProbe(const Context& ctx, const std::string& probe, const std::string& file,
                             uint64_t timeout_ms) {
  if (probe.empty() || access(probe.c_str(), X_OK) != 0) {
    return NotFound("walrig-plugin-probe is not there" + (probe.empty() ? std::string() : ": " + probe))
        .Hint("it is installed with walrig in libexec/walrig; without it plugins cannot be examined");
  }
  WALRIG_ASSIGN(Pipe channel, NewPipe());
  WALRIG_ASSIGN(Pipe errors, NewPipe());
  const uint64_t begin_ns = ctx.clock->MonotonicNs();
  WALRIG_ASSIGN(const pid_t pid, Spawn(probe, file, channel.writer.get(), errors.writer.get()));
  Child child(pid);
  channel.writer.reset();
  errors.writer.reset();
  WALRIG_ASSIGN(Heard heard, Listen(ctx, channel.reader.get(), errors.reader.get(), timeout_ms));
  int wait_status = 0;
  // Closed pipes are not yet the end: a plugin may have closed them itself.
  if (heard.timed_out || !child.ReapBefore(*ctx.clock, begin_ns + timeout_ms * 1'000'000, &wait_status)) {
    heard.timed_out = true;
    child.Kill();
    wait_status = child.Reap();
  }
  ProbeResult result;
  result.elapsed_ms = static_cast<double>(ctx.clock->MonotonicNs() - begin_ns) / 1e6;
  Judge(heard, wait_status, timeout_ms, &result);
  return result;
}

}  // namespace walrig
