// Runner: one parsed line with the settings and the log that it runs with.
//
// THREADS: the main thread, before others exist.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/args.h"
#include "cli/output.h"
#include "cli/run.h"
#include "core/base/logger.h"
#include "core/config/load.h"
#include "walrig/log.h"

namespace walrig {

// What settings are read from: the line's flags, the environment, the file.
LoadInput LoadInputOf(const RunInput& input, const ParsedLine& line);

class Runner {
 public:
  // `input` and `first_log` must outlive this object; `first_log` serves until the configured one is open.
  // REQUIRES: line.command is set. `started_ns`: when the command began; WALRIG_COMMAND_TIMEOUT counts from there.
  Runner(const RunInput& input, ParsedLine line, Logger& first_log, Clock& clock, uint64_t started_ns)
      : input_(input), line_(std::move(line)), first_log_(first_log), clock_(clock), started_ns_(started_ns), out_(input.out) {}

  // Reads the settings and opens the log, unless the command needs neither. FAILS WITH: what these do.
  Status Prepare(bool say_warnings = true);
  // Runs the command, with these arguments instead of the line's. REQUIRES: Prepare.
  Result<ExitCode> Call(std::vector<std::string> arguments);
  Result<ExitCode> Call() { return Call(line_.arguments); }

  const Settings& settings() const { return settings_; }
  // A value for a setting that nobody gave one; `where` says who chose it. REQUIRES: Prepare.
  void SetUnlessGiven(std::string_view key, std::string text, std::string where);
  // Where errors go: as configured once that is known.
  Logger& log() { return log_ != nullptr ? *log_ : first_log_; }

 private:
  const RunInput& input_;
  ParsedLine line_;
  Logger& first_log_;
  Clock& clock_;
  const uint64_t started_ns_;
  Output out_;
  Settings settings_;
  std::unique_ptr<Logger> log_;
};

// Logs what ended a command and gives the exit code: the signal's when one stopped it.
ExitCode Fail(const Status& status, const RunInput& input, Logger& log);

}  // namespace walrig
