#include "cli/plugin_check/runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <regex>

#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/base/json.h"

extern char** environ;

namespace walrig {
namespace {

using conformance::Check;
using conformance::Verdict;

constexpr size_t kAnswerBytesMax = 64 * 1024;

std::string_view KindName(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::kPass:
      return "pass";
    case Verdict::Kind::kWarn:
      return "warn";
    case Verdict::Kind::kSkip:
      return "skip";
    case Verdict::Kind::kFail:
      return "fail";
  }
  return "fail";
}

Verdict VerdictOf(std::string_view kind, const std::string& why) {
  Verdict verdict;
  if (kind == "fail") verdict.Fail(why);
  if (kind == "skip") verdict.Skip(why);
  if (kind == "warn") verdict.Warn(why);
  return verdict;
}

// Starts the child with its standard output in a pipe. FAILS WITH: what the system says.
struct Child {
  pid_t pid = -1;
  Fd output;
};
Result<Child> StartChild(std::vector<std::string> words) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
  Child child;
  child.output.reset(ends[0]);
  const Fd write_end(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int error = posix_spawn(&child.pid, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return ErrnoStatus(error, "start a child");
  return child;
}

// The child's output until it ends or the time is over; false when it had to be killed.
bool ReadAnswer(const Context& ctx, const Child& child, uint64_t timeout_ms, std::string* answer) {
  const uint64_t deadline_ns = ctx.clock->MonotonicNs() + timeout_ms * 1'000'000;
  uint8_t buffer[4096];
  for (;;) {
    const uint64_t now_ns = ctx.clock->MonotonicNs();
    if (now_ns >= deadline_ns || ctx.stop.requested()) break;
    pollfd waits[2] = {{child.output.get(), POLLIN, 0}, {ctx.stop.fd(), POLLIN, 0}};
    if (poll(waits, ctx.stop.fd() >= 0 ? 2 : 1, static_cast<int>((deadline_ns - now_ns) / 1'000'000) + 1) <= 0)
      continue;
    if (waits[0].revents == 0) continue;
    auto got = ReadSome(child.output.get(), buffer, "read the child's answer");
    if (!got.ok() || *got == 0) return true;
    if (answer->size() < kAnswerBytesMax) answer->append(AsText({buffer, *got}));
  }
  kill(child.pid, SIGKILL);
  return false;
}

Verdict Judge(bool in_time, int wait_status, const std::string& answer, uint64_t timeout_ms) {
  Verdict verdict;
  if (!in_time) {
    verdict.Fail(fmt::format("no answer within {} s", timeout_ms / 1000));
  } else if (WIFSIGNALED(wait_status)) {
    verdict.Fail(
        fmt::format("the process died of signal {} ({})", WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status))));
  } else {
    auto document = ParseJson(answer, "the answer of the check");
    if (document.ok() && document->is_object() && document->contains("kind") && document->contains("why")) {
      return VerdictOf((*document)["kind"].get<std::string>(), (*document)["why"].get<std::string>());
    }
    verdict.Fail(fmt::format("exit {} without a verdict", WEXITSTATUS(wait_status)));
  }
  return verdict;
}

std::string XmlText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c >= ' ' || c == '\n' || c == '\t' ? c : '?';
    }
  }
  return out;
}

struct Tally {
  size_t pass = 0, warn = 0, skip = 0, fail = 0;
};
Tally Count(const std::vector<CheckResult>& results) {
  Tally counts;
  for (const CheckResult& result : results) {
    switch (result.verdict.kind()) {
      case Verdict::Kind::kPass:
        ++counts.pass;
        break;
      case Verdict::Kind::kWarn:
        ++counts.warn;
        break;
      case Verdict::Kind::kSkip:
        ++counts.skip;
        break;
      case Verdict::Kind::kFail:
        ++counts.fail;
        break;
    }
  }
  return counts;
}

}  // namespace

Result<std::vector<Check>> Select(std::vector<Check> checks, const CheckSelection& selection) {
  try {
    const std::regex filter(selection.filter);
    std::erase_if(checks, [&](const Check& check) {
      return check.level > selection.level_max || !std::regex_search(check.name, filter);
    });
  } catch (const std::regex_error& error) {
    return InvalidArgument(fmt::format("--filter '{}': {}", selection.filter, error.what()));
  }
  return checks;
}

CheckResult RunHere(const Check& check) {
  CheckResult result{.name = check.name, .level = check.level, .verdict = {}};
  try {
    check.run(result.verdict);
  } catch (const std::exception& error) {
    result.verdict.Fail(std::string("exception: ") + error.what());
  }
  return result;
}

CheckResult RunInChild(const Context& ctx, const Check& check, const std::vector<std::string>& command,
                       uint64_t timeout_ms) {
  CheckResult result{.name = check.name, .level = check.level, .verdict = {}};
  std::vector<std::string> words = command;
  words.push_back("--one");
  words.push_back(check.name);
  const uint64_t start_ns = ctx.clock->MonotonicNs();
  auto child = StartChild(std::move(words));
  if (!child.ok()) {
    result.verdict.Fail(child.status().ToString());
    return result;
  }
  std::string answer;
  const bool in_time = ReadAnswer(ctx, *child, timeout_ms, &answer);
  int wait_status = 0;
  while (waitpid(child->pid, &wait_status, 0) < 0 && errno == EINTR) {
  }
  result.verdict = Judge(in_time, wait_status, answer, timeout_ms);
  result.elapsed_ms = (ctx.clock->MonotonicNs() - start_ns) / 1'000'000;
  return result;
}

std::string VerdictToLine(const Verdict& verdict) {
  return DumpJson(Json{{"kind", KindName(verdict.kind())}, {"why", verdict.why()}}) + "\n";
}

std::string ReportText(const std::vector<CheckResult>& results, const std::string& subject) {
  std::string out;
  for (const CheckResult& result : results) {
    if (result.verdict.kind() == Verdict::Kind::kPass) continue;
    out += fmt::format("{:4}  L{} {}: {}\n", KindName(result.verdict.kind()), result.level, result.name,
                       result.verdict.why());
  }
  const Tally counts = Count(results);
  out += fmt::format("{}: {}  ({} ok, {} failed, {} skipped, {} warnings)\n", subject,
                     counts.fail == 0 ? "PASS" : "FAIL", counts.pass, counts.fail, counts.skip, counts.warn);
  return out;
}

std::string ReportTap(const std::vector<CheckResult>& results) {
  std::string out = fmt::format("TAP version 13\n1..{}\n", results.size());
  for (size_t i = 0; i < results.size(); ++i) {
    const Verdict& verdict = results[i].verdict;
    out += fmt::format("{} {} - {}", verdict.kind() == Verdict::Kind::kFail ? "not ok" : "ok", i + 1, results[i].name);
    if (verdict.kind() == Verdict::Kind::kSkip) out += " # SKIP " + verdict.why();
    out += "\n";
    if (verdict.kind() == Verdict::Kind::kFail || verdict.kind() == Verdict::Kind::kWarn) {
      out += fmt::format("# {}: {}\n", KindName(verdict.kind()), verdict.why());
    }
  }
  return out;
}

std::string ReportJunit(const std::vector<CheckResult>& results, const std::string& subject) {
  const Tally counts = Count(results);
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" "
      "skipped=\"{}\">\n",
      XmlText(subject), results.size(), counts.fail, counts.skip);
  for (const CheckResult& result : results) {
    out += fmt::format("  <testcase name=\"{}\" time=\"{:.3f}\">", XmlText(result.name),
                       static_cast<double>(result.elapsed_ms) / 1000);
    const std::string why = XmlText(result.verdict.why());
    switch (result.verdict.kind()) {
      case Verdict::Kind::kFail:
        out += "<failure message=\"" + why + "\"/>";
        break;
      case Verdict::Kind::kSkip:
        out += "<skipped message=\"" + why + "\"/>";
        break;
      case Verdict::Kind::kWarn:
        out += "<system-out>" + why + "</system-out>";
        break;
      case Verdict::Kind::kPass:
        break;
    }
    out += "</testcase>\n";
  }
  return out + "</testsuite>\n";
}

std::string ReportJson(const std::vector<CheckResult>& results, const std::string& subject) {
  const Tally counts = Count(results);
  Json list = Json::array();
  for (const CheckResult& result : results) {
    list.push_back(Json{{"name", result.name},
                        {"level", result.level},
                        {"result", KindName(result.verdict.kind())},
                        {"why", result.verdict.why()},
                        {"elapsed_ms", result.elapsed_ms}});
  }
  return DumpJson(Json{{"subject", subject},
                       {"ok", counts.pass},
                       {"failed", counts.fail},
                       {"skipped", counts.skip},
                       {"warnings", counts.warn},
                       {"checks", std::move(list)}},
                  2) +
         "\n";
}

}  // namespace walrig
