#include "core/base/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "core/base/fd.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

constexpr uint64_t kProcFileBytesMax = 4096;
// Of /proc/PID/stat, counted behind the name, which may hold anything (proc(5): state is 3, starttime is 22).
constexpr size_t kStateField = 0;
constexpr size_t kStartField = 19;

std::string OwnMachine() {
  const Result<std::string> boot = ReadWholeFile("/proc/sys/kernel/random/boot_id", kProcFileBytesMax);
  char space[64];
  const ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space);
  if (!boot.ok() || n <= 0) return {};
  return fmt::format("{} {}", Trim(*boot), std::string_view(space, static_cast<size_t>(n)));
}

struct ProcStat {
  bool zombie = false;
  uint64_t started = 0;
};

std::optional<ProcStat> StatOf(uint64_t pid) {
  const Result<std::string> text = ReadWholeFile(fmt::format("/proc/{}/stat", pid), kProcFileBytesMax);
  if (!text.ok()) return std::nullopt;
  const size_t name_end = text->rfind(") ");
  if (name_end == std::string::npos) return std::nullopt;
  const std::vector<std::string> fields = Split(Trim(std::string_view(*text).substr(name_end + 2)), ' ');
  if (fields.size() <= kStartField) return std::nullopt;
  const Result<uint64_t> started = ParseUint(fields[kStartField]);
  if (!started.ok()) return std::nullopt;
  const std::string& state = fields[kStateField];
  return ProcStat{state == "Z" || state == "X", *started};
}

}  // namespace

ProcessMark OwnProcessMark() {
  ProcessMark mark;
  mark.pid = static_cast<uint64_t>(getpid());
  const std::optional<ProcStat> stat = StatOf(mark.pid);
  if (!stat) return mark;
  mark.started = stat->started;
  mark.machine = OwnMachine();
  return mark;
}

ProcessState StateOf(const ProcessMark& mark) {
  if (mark.machine.empty() || mark.pid == 0 || mark.pid > INT32_MAX || mark.machine != OwnMachine()) return ProcessState::kUnknown;
  if (kill(static_cast<pid_t>(mark.pid), 0) != 0 && errno == ESRCH) return ProcessState::kGone;
  // With hidepid another user's process is there and shows no stat.
  const std::optional<ProcStat> stat = StatOf(mark.pid);
  if (!stat) return ProcessState::kRuns;
  return stat->zombie || stat->started != mark.started ? ProcessState::kGone : ProcessState::kRuns;
}

}  // namespace walrig
