#include "cli/run.h"

#include <csignal>
#include <utility>

#include "cli/args.h"
#include "cli/output.h"
#include "cli/restore.h"
#include "cli/runner.h"
#include "cli/usage.h"
#include "core/base/clock.h"
#include "core/base/logger.h"

namespace walrig {
namespace {

ExitCode Print(std::FILE* file, const std::string& text, Logger& log) {
  Output out(file);
  out.Write(text);
  const Status status = out.Finish();
  if (status.ok()) return ExitCode::kOk;
  log.Write(LogLevel::kError, "", status.ToString());
  return ExitCode::kError;
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
  ParsedLine line;
  const Status parsed = ParseLine(input.words, &line);
  if (FetchesWal(input.words, line, parsed)) return RunRestore(input, std::move(line), parsed);
  Logger first_log{Logger::Options{}};
  if (!parsed.ok()) {
    first_log.Write(LogLevel::kError, "", parsed.ToString());
    return ExitCode::kUsage;
  }
  if (line.version) return Print(input.out, VersionLine() + "\n", first_log);
  if (line.command == nullptr) {
    const ExitCode printed = Print(input.out, MainHelp(), first_log);
    return line.help ? printed : ExitCode::kUsage;
  }
  if (line.help) return Print(input.out, CommandHelp(*line.command), first_log);
  Clock& clock = input.clock != nullptr ? *input.clock : RealClock();
  Runner runner(input, std::move(line), first_log, clock, clock.MonotonicNs());
  const Status prepared = runner.Prepare();
  const Result<ExitCode> code = prepared.ok() ? runner.Call() : Result<ExitCode>(prepared);
  return code.ok() ? *code : Fail(code.status(), input, runner.log());
}

}  // namespace walrig
