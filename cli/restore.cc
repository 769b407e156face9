#include "cli/restore.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

#include "cli/runner.h"
#include "core/base/clock.h"
#include "core/base/logger.h"
#include "core/base/string_util.h"
#include "core/postgres/wal_name.h"
#include "core/wal/fetch.h"
#include "core/wal/restore_role.h"
#include "core/wal/unanswered_files.h"

namespace walrig {
namespace {

constexpr std::string_view kVerb = "wal-fetch";
constexpr std::string_view kErrorCode = "WALRIG_WAL_FETCH_ERROR_CODE";
constexpr uint64_t kSecondNs = 1'000'000'000;

bool IsWalFileName(const std::string& word) { return ClassifyWalFile(word).kind != WalFileKind::kOther; }

bool NamesAFile(std::span<const std::string> words) { return std::any_of(words.begin(), words.end(), IsWalFileName); }

bool HasVerb(std::span<const std::string> words) { return std::find(words.begin(), words.end(), kVerb) != words.end(); }

// %f and %p; of a line that cannot be parsed, what looks like them.
struct Asked {
  std::string name, destination;
};

Asked AskedBy(std::span<const std::string> words, const ParsedLine& line) {
  if (line.arguments.size() == 2) return {line.arguments[0], line.arguments[1]};
  const auto name = std::find_if(words.begin(), words.end(), IsWalFileName);
  if (name == words.end()) return {};
  return {*name, name + 1 == words.end() ? std::string() : *(name + 1)};
}

Result<int> ErrorCodeFrom(const SettingValue& value) {
  const Result<uint64_t> code = ParseUint(value.text);
  if (!code.ok() || *code < 1 || *code > 255) {
    return ConfigError(fmt::format("{}: \"{}\" is not a number between 1 and 255 ({})", kErrorCode,
                                   Printable(value.text), value.where));
  }
  if (*code == static_cast<uint64_t>(ExitCode::kWalAbsent)) {
    return ConfigError(fmt::format("{}: {} says that the archive does not hold the file ({})", kErrorCode, *code, value.where))
        .Hint("take the setting away: wal-fetch finds the right code by itself");
  }
  return static_cast<int>(*code);
}

// Fills what is right, and tells the first thing that is not.
Status ReadPolicy(const Settings& settings, uint64_t started_ns, RestorePolicy* policy) {
  Status first;
  const auto note = [&first](const Status& status) {
    if (first.ok()) first = status;
  };
  if (const auto value = settings.FindExplicit(kErrorCode); value.has_value()) {
    const Result<int> code = ErrorCodeFrom(*value);
    if (code.ok())
      policy->error_code = *code;
    else
      note(code.status());
  }
  const Result<int64_t> patience_ns = settings.DurationNs("WALRIG_RESTORE_PATIENCE");
  if (patience_ns.ok())
    policy->patience_ns = static_cast<uint64_t>(*patience_ns);
  else
    note(patience_ns.status());
  const Result<int64_t> timeout_ns = settings.DurationNs("WALRIG_COMMAND_TIMEOUT");
  if (timeout_ns.ok() && *timeout_ns > 0) policy->deadline_ns = started_ns + static_cast<uint64_t>(*timeout_ns);
  return first;
}

class Restore {
 public:
  Restore(const RunInput& input, ParsedLine line, Status parsed)
      : input_(input), line_(std::move(line)), parsed_(std::move(parsed)), asked_(AskedBy(input.words, line_)),
        kind_(ClassifyWalFile(asked_.name)), place_(FindRestorePlace(".", asked_.destination)),
        patience_(place_.role, kind_.kind == WalFileKind::kHistory), unanswered_(place_.wal_directory),
        clock_(input.clock != nullptr ? *input.clock : RealClock()), started_ns_(clock_.MonotonicNs()) {
    if (!parsed_.ok()) return;
    parsed_ = line_.help || line_.version
                  ? InvalidArgument("--help and --version fetch nothing").Hint("take them out of restore_command")
                  : CheckWalFetchArguments(asked_.name, asked_.destination);
  }

  ExitCode Go() {
    for (bool first = true;; first = false) {
      Runner runner(input_, line_, first_log_, clock_, started_ns_);
      const Result<ExitCode> code = Try(runner, first);
      if (code.ok()) return *code;
      if (Stopped()) return Fail(Cancelled(std::string(code.status().message())), input_, runner.log());
      const RestorePatience::Next next = AfterFailure(code.status(), runner.log(), !parsed_.ok() || input_.stop.requested());
      if (!next.again) return static_cast<ExitCode>(next.exit_code);
      clock_.SleepNs(next.pause_ns, input_.stop.fd());
      if (Stopped()) return Fail(Cancelled("while waiting for the archive"), input_, runner.log());
    }
  }

  ExitCode GiveUp(const Status& why) {
    return static_cast<ExitCode>(AfterFailure(why, first_log_, true).exit_code);
  }

 private:
  // Without a signal's number there is no code that says who stopped it: then it is a failure like others.
  bool Stopped() const {
    return input_.stop.requested() && input_.last_signal != nullptr && input_.last_signal() != 0;
  }

  bool IsStandby() const { return place_.role == RestoreRole::kStandby; }

  Result<ExitCode> Try(Runner& runner, bool first) {
    try {
      WALRIG_TRY(parsed_);
      WALRIG_TRY(runner.Prepare(first));
      RestorePolicy policy;
      WALRIG_TRY(ReadPolicy(runner.settings(), started_ns_, &policy));
      if (first) WarnOf(policy, runner.log());
      // While a storage is asked again and again, a standby does not stream; it asks again itself.
      if (IsStandby()) runner.SetUnlessGiven("WALRIG_RETRY_ATTEMPTS", "1", "standby.signal");
      if (IsStandby() && kind_.kind == WalFileKind::kSegment) WALRIG_TRY(AskFirst(runner));
      WALRIG_ASSIGN(const ExitCode code, runner.Call());
      if (code != ExitCode::kOk && code != ExitCode::kWalAbsent) return Internal("wal-fetch has no answer");
      if (IsStandby() && UnansweredFiles::Matters(kind_)) unanswered_.Remove(asked_.name);
      return code;
    } catch (const std::bad_alloc&) {
      return OutOfMemory("wal-fetch");
    } catch (const std::exception& error) {
      return Internal(fmt::format("internal error: {}", error.what()));
    }
  }

  static void WarnOf(const RestorePolicy& policy, Logger& log) {
    const int code = policy.error_code.value_or(0);
    if (code < 2 || code > 125) return;
    log.Write(LogLevel::kWarning, "",
              fmt::format("{}={}: PostgreSQL takes exit codes from 1 to 125 for the end of the archive, and may end recovery "
                          "on any error; hint: take the setting away, wal-fetch finds the right code by itself",
                          kErrorCode, code));
  }

  // PostgreSQL went on as if these did not exist. One that exists after all it has to ask for again, before it replays more
  // of an older timeline; it does when a segment is refused (rescanLatestTimeLine, XLogFileReadAnyTLI).
  Status AskFirst(Runner& runner) {
    for (const std::string& name : unanswered_.Before(kind_.segment)) {
      const std::string answer = unanswered_.AnswerPath(name);
      unlink(answer.c_str());
      const Result<ExitCode> code = runner.Call({name, answer});
      unlink(answer.c_str());
      if (!code.ok()) return Status(code.status()).With(fmt::format("{} is not handed out before the archive answers about {}", asked_.name, name));
      unanswered_.Remove(name);
      if (*code == ExitCode::kWalAbsent) continue;
      return Unavailable(fmt::format("{} is not handed out: {} could not be fetched when PostgreSQL asked for it, and is in "
                                     "the archive; PostgreSQL asks for it again",
                                     asked_.name, name));
    }
    return OkStatus();
  }

  // As much of the settings as can be had when the line, the file or something else is wrong.
  RestorePolicy KnownPolicy() const {
    RestorePolicy policy;
    LoadInput load = LoadInputOf(input_, line_);
    LoadReport unused;
    Result<Settings> settings = LoadSettings(load, &unused);
    load.without_file = true;
    if (!settings.ok()) settings = LoadSettings(load, &unused);
    if (settings.ok()) ReadPolicy(*settings, started_ns_, &policy).Ignore("it is reported by the try that it fails");
    return policy;
  }

  RestorePatience::Next AfterFailure(const Status& why, Logger& log, bool hopeless) {
    Note(log);
    const RestorePolicy policy = KnownPolicy();
    const RestorePatience::Next next = patience_.AfterFailure(clock_.MonotonicNs(), policy, hopeless);
    if (next.again && next.tell) {
      const uint64_t seconds = (next.left_ns + kSecondNs - 1) / kSecondNs;
      log.Write(LogLevel::kWarning, "",
                fmt::format("{}: {}; trying again for up to {}", asked_.name, why.ToString(),
                            FormatDuration(static_cast<int64_t>(seconds * kSecondNs))));
    }
    if (next.again) return next;
    log.Write(LogLevel::kError, "", why.ToString());
    if (patience_.role() == RestoreRole::kRecovery && next.exit_code > 125) {
      log.Write(LogLevel::kError, "",
                fmt::format("exit code {} stops the server rather than end recovery here; it goes on when it is started again",
                            next.exit_code));
    }
    return next;
  }

  // Before it is tried again, so that it is noted when this process is killed.
  void Note(Logger& log) {
    if (noted_ || patience_.role() != RestoreRole::kStandby || !UnansweredFiles::Matters(kind_)) return;
    const Context ctx{.stop = {}, .log = &log, .clock = &clock_};
    const Status status = unanswered_.Add(ctx, asked_.name);
    noted_ = status.ok();
    if (noted_) return;
    patience_.TreatAsRecovery();
    log.Write(LogLevel::kWarning, "",
              fmt::format("it cannot be noted that {} was not answered: {}", asked_.name, status.ToString()));
  }

  const RunInput& input_;
  const ParsedLine line_;
  Status parsed_;
  const Asked asked_;
  const WalFile kind_;
  const RestorePlace place_;
  RestorePatience patience_;
  const UnansweredFiles unanswered_;
  Clock& clock_;
  const uint64_t started_ns_;
  Logger first_log_{Logger::Options{}};
  bool noted_ = false;
};

}  // namespace

bool MayFetchWal(std::span<const std::string> words) { return HasVerb(words) || NamesAFile(words); }

bool FetchesWal(std::span<const std::string> words, const ParsedLine& line, const Status& parsed) {
  const bool prints = parsed.ok() && (line.help || line.version);
  if (prints) return HasVerb(words) && NamesAFile(words);
  if (line.command != nullptr) return line.command == &WalFetchCommand();
  return !parsed.ok() && MayFetchWal(words);
}

ExitCode RunRestore(const RunInput& input, ParsedLine line, Status parsed) {
  return Restore(input, std::move(line), std::move(parsed)).Go();
}

ExitCode AnswerForLost(const RunInput& input, const Status& why, ExitCode otherwise) {
  ParsedLine line;
  const Status parsed = ParseLine(input.words, &line);
  if (!FetchesWal(input.words, line, parsed)) return otherwise;
  return Restore(input, std::move(line), parsed).GiveUp(why);
}

}  // namespace walrig
