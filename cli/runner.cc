#include "cli/runner.h"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

#include "core/base/home.h"
#include "core/base/string_util.h"

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

// The signal that a command ended for; 0 when it failed by itself.
int SignalOf(const Status& status, const RunInput& input) {
  return status.code() != Code::kCancelled || input.last_signal == nullptr ? 0 : input.last_signal();
}

}  // namespace

LoadInput LoadInputOf(const RunInput& input, const ParsedLine& line) {
  return {.flags = line.flags,
          .config_path = line.config_path,
          .environment = input.environment,
          .home = HomeOf(input.environment),
          .other_home = HomeByPasswordDatabase};
}

Status Runner::Prepare(bool say_warnings) {
  if (!line_.command->needs_settings) return OkStatus();
  LoadReport report;
  WALRIG_ASSIGN(settings_, LoadSettings(LoadInputOf(input_, line_), &report));
  WALRIG_ASSIGN(log_, LoggerFrom(settings_));
  for (const std::string& secret : settings_.SecretValues()) log_->RegisterSecret(secret);
  for (const std::string& warning : report.warnings) {
    if (say_warnings) log_->Write(LogLevel::kWarning, "", warning);
  }
  return ExportToEnvironment(settings_);
}

void Runner::SetUnlessGiven(std::string_view key, std::string text, std::string where) {
  if (settings_.Has(key)) return;
  settings_.Put(key, {.text = std::move(text), .origin = SettingOrigin::kDefault, .where = std::move(where)});
}

Result<ExitCode> Runner::Call(std::vector<std::string> arguments) {
  Context ctx{.stop = input_.stop, .log = &log(), .clock = &clock_};
  WALRIG_ASSIGN(const int64_t limit_ns, settings_.DurationNs("WALRIG_COMMAND_TIMEOUT"));
  if (limit_ns > 0) ctx.deadline_ns = started_ns_ + static_cast<uint64_t>(limit_ns);
  Invocation call{.ctx = ctx,
                  .settings = settings_,
                  .log = log(),
                  .out = out_,
                  .arguments = std::move(arguments),
                  .options = line_.options,
                  .turbo = line_.turbo};
  WALRIG_ASSIGN(const ExitCode code, line_.command->run(call));
  WALRIG_TRY(out_.Finish());
  return code;
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

}  // namespace walrig
