#include "cli/run.h"

#include <fmt/format.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <string_view>

#include "cli/args.h"
#include "cli/output.h"
#include "cli/usage.h"
#include "core/base/clock.h"
#include "core/base/home.h"
#include "core/base/logger.h"
#include "core/base/string_util.h"
#include "core/config/load.h"

namespace walrig {
namespace {

Result<LogLevel> LevelFrom(const Settings& settings) {
  WALRIG_ASSIGN(const std::string level, settings.Choice("WALG_LOG_LEVEL"));
  if (level == "trace") return LogLevel::kTrace;
  if (level == "devel") return LogLevel::kDebug;
  return level == "error" ? LogLevel::kError : LogLevel::kInfo;
}

Result<std::unique_ptr<Logger>> LoggerFrom(const Settings& settings) {
  Logger::Options options;
  WALRIG_ASSIGN(options.level, LevelFrom(settings));
  WALRIG_ASSIGN(const std::string format, settings.Choice("WALRIG_LOG_FORMAT"));
  options.json = format == "json";
  const std::string destination = settings.Text("WALG_LOG_DESTINATION");
  if (destination == "stderr") return std::make_unique<Logger>(options);
  options.path = destination;
  return Logger::Open(options);
}

std::string HomeOf(const char* const* environment) {
  constexpr std::string_view kHome = "HOME=";
  for (const char* const* each = environment; each != nullptr && *each != nullptr; ++each) {
    if (StartsWith(*each, kHome)) return std::string(*each).substr(kHome.size());
  }
  return {};
}

class Runner {
 public:
  Runner(const RunInput& input, ParsedLine line) : input_(input), line_(std::move(line)), out_(input.out) {}

  Result<ExitCode> Go(Logger& first_log) {
    if (!line_.command->needs_settings) return Call(Settings(), first_log);
    WALRIG_ASSIGN(const Settings settings, Load());
    WALRIG_ASSIGN(log_, LoggerFrom(settings));
    for (const std::string& secret : settings.SecretValues()) log_->RegisterSecret(secret);
    for (const std::string& warning : report_.warnings) log_->Write(LogLevel::kWarning, "", warning);
    WALRIG_TRY(ExportToEnvironment(settings));
    return Call(settings, *log_);
  }

  // Where errors go: as configured once that is known.
  Logger& log(Logger& first_log) { return log_ != nullptr ? *log_ : first_log; }

 private:
  Result<Settings> Load() {
    LoadInput load{.flags = line_.flags,
                   .config_path = line_.config_path,
                   .environment = input_.environment,
                   .home = HomeOf(input_.environment),
                   .other_home = HomeByPasswordDatabase};
    return LoadSettings(load, &report_);
  }

  Result<ExitCode> Call(const Settings& settings, Logger& log) {
    Context ctx{.stop = input_.stop, .log = &log, .clock = &RealClock()};
    WALRIG_ASSIGN(const int64_t limit_ns, settings.DurationNs("WALRIG_COMMAND_TIMEOUT"));
    if (limit_ns > 0) ctx.deadline_ns = ctx.clock->MonotonicNs() + static_cast<uint64_t>(limit_ns);
    Invocation call{.ctx = ctx,
                    .settings = settings,
                    .log = log,
                    .out = out_,
                    .arguments = std::move(line_.arguments),
                    .options = std::move(line_.options),
                    .turbo = line_.turbo};
    WALRIG_ASSIGN(const ExitCode code, line_.command->run(call));
    WALRIG_TRY(out_.Finish());
    return code;
  }

  const RunInput& input_;
  ParsedLine line_;
  Output out_;
  LoadReport report_;
  std::unique_ptr<Logger> log_;
};

ExitCode Print(std::FILE* file, const std::string& text, Logger& log) {
  Output out(file);
  out.Write(text);
  const Status status = out.Finish();
  if (status.ok()) return ExitCode::kOk;
  log.Write(LogLevel::kError, "", status.ToString());
  return ExitCode::kError;
}

// The signal that a command ended for; 0 when it failed by itself.
int SignalOf(const Status& status, const RunInput& input) {
  return status.code() != Code::kCancelled || input.last_signal == nullptr ? 0 : input.last_signal();
}

ExitCode Fail(const Status& status, const RunInput& input, Logger& log) {
  const int signal = SignalOf(status, input);
  if (signal == 0) {
    log.Write(LogLevel::kError, "", status.ToString());
    return ExitCode::kError;
  }
  // Whoever reads the log asks who ended it, not which call noticed.
  const char* name = sigabbrev_np(signal);
  log.Write(LogLevel::kError, "", fmt::format("stopped by SIG{}: {}", name == nullptr ? "?" : name, status.ToString()));
  return ExitCodeOfSignal(signal);
}

}  // namespace

ExitCode ExitCodeOfSignal(int signal) {
  switch (signal) {
    case SIGHUP:
      return ExitCode::kHungUp;
    case SIGINT:
      return ExitCode::kInterrupted;
    case SIGQUIT:
      return ExitCode::kQuit;
    case SIGTERM:
      return ExitCode::kTerminated;
    default:
      return ExitCode::kError;
  }
}

ExitCode Run(const RunInput& input) {
  Logger first_log{Logger::Options{}};
  Result<ParsedLine> line = ParseLine(input.words);
  if (!line.ok()) {
    first_log.Write(LogLevel::kError, "", line.status().ToString());
    return ExitCode::kUsage;
  }
  if (line->version) return Print(input.out, VersionLine() + "\n", first_log);
  if (line->command == nullptr) {
    const ExitCode printed = Print(input.out, MainHelp(), first_log);
    if (line->help) return printed;
    return ExitCode::kUsage;
  }
  if (line->help) return Print(input.out, CommandHelp(*line->command), first_log);
  Runner runner(input, std::move(*line));
  const Result<ExitCode> code = runner.Go(first_log);
  if (code.ok()) return *code;
  return Fail(code.status(), input, runner.log(first_log));
}

}  // namespace walrig
