// walrig help, flags, completion, version: what needs no configuration.
#include <fmt/format.h>

#include "cli/commands/common.h"
#include "cli/completion.h"
#include "cli/output.h"
#include "cli/usage.h"
#include "cli/version.h"
#include "core/base/string_util.h"
#include "walrig/abi/version.h"

namespace walrig {
namespace {

constexpr CliOption kHelpOptions[] = {
    {.name = "man", .help = "Print the man page"},
};
constexpr CliOption kVersionOptions[] = {
    {.name = "json", .help = "Print JSON"},
};

Result<ExitCode> RunHelp(Invocation& call) {
  if (call.Has("man")) {
    call.out.Write(ManPage());
    return ExitCode::kOk;
  }
  if (call.arguments.empty()) {
    call.out.Write(MainHelp());
    return ExitCode::kOk;
  }
  size_t used = 0;
  const Command* command = FindCommand(call.arguments, &used);
  if (command == nullptr || used != call.arguments.size()) {
    return UsageError(call, fmt::format("no command {}", Printable(Join(call.arguments, " "))));
  }
  call.out.Write(CommandHelp(*command));
  return ExitCode::kOk;
}

Result<ExitCode> RunFlags(Invocation& call) {
  call.out.Write(FlagsHelp());
  return ExitCode::kOk;
}

Result<ExitCode> RunCompletion(Invocation& call) {
  WALRIG_ASSIGN(const std::string script, CompletionScript(call.Argument(0)));
  call.out.Write(script);
  return ExitCode::kOk;
}

Result<ExitCode> RunVersion(Invocation& call) {
  if (call.Has("json")) {
    call.out.Json(Json{{"version", kWalrigVersion}, {"abi_major", WALRIG_ABI_MAJOR}, {"abi_minor", WALRIG_ABI_MINOR}});
  } else {
    call.out.Line(VersionLine());
  }
  return ExitCode::kOk;
}

constexpr Command kHelp = {
    .name = "help",
    .summary = "Show help for a command",
    .arguments = "[COMMAND]",
    .options = kHelpOptions,
    .arguments_max = 3,
    .needs_settings = false,
    .run = RunHelp,
};
constexpr Command kFlags = {
    .name = "flags",
    .summary = "Show every setting as an option",
    .needs_settings = false,
    .run = RunFlags,
};
constexpr Command kCompletion = {
    .name = "completion",
    .summary = "Print the completion script for a shell",
    .arguments = "bash|zsh|fish",
    .arguments_min = 1,
    .arguments_max = 1,
    .needs_settings = false,
    .run = RunCompletion,
};
constexpr Command kVersion = {
    .name = "version",
    .summary = "Show the version",
    .options = kVersionOptions,
    .needs_settings = false,
    .run = RunVersion,
};

}  // namespace

const Command& HelpCommand() { return kHelp; }
const Command& FlagsCommand() { return kFlags; }
const Command& CompletionCommand() { return kCompletion; }
const Command& VersionCommand() { return kVersion; }

}  // namespace walrig
