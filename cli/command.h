// Command: one verb of the command line, as a line of a table. Help, man page, completion and parsing are all made
// from it.
//
// To add a command: define a Command in cli/commands/<verb>.cc, declare the function that returns it here, list it in
// cli/command.cc. Tables are constant data that lives as long as the program. No third-party type is visible here.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.h"
#include "core/config/settings.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

class Logger;
class Output;

enum class OptionKind : uint8_t {
  kFlag,           // --confirm
  kValue,          // --delta-from-name NAME; the last one counts
  kList,           // may be given several times
  kOptionalValue,  // --verify or --verify=strict: a value only after '='
};

struct CliOption {
  std::string_view name = {};  // long name without dashes
  char letter = 0;             // short name or 0
  OptionKind kind = OptionKind::kFlag;
  std::string_view value_name = {};  // "NAME"; for help
  std::string_view help = {};        // one sentence, no full stop
  std::string_view choices = {};     // "warn|strict|off": checked, and completed by shells
  std::string_view implied = {};     // for kOptionalValue: the value of a bare --name
};

// What a command's run function gets to see.
struct Invocation {
  const Context& ctx;
  const Settings& settings;
  Logger& log;
  Output& out;                         // standard output
  std::vector<std::string> arguments;  // what is left besides options; their number is already checked
  std::map<std::string, std::vector<std::string>, std::less<>> options;  // by long name
  bool turbo = false;                                                    // --turbo

  bool Has(std::string_view option) const { return options.find(option) != options.end(); }
  // The last value of an option, `fallback` when it was not given.
  std::string Text(std::string_view option, std::string_view fallback = {}) const;
  std::vector<std::string> List(std::string_view option) const;
  std::string Argument(size_t index, std::string_view fallback = {}) const {
    return index < arguments.size() ? arguments[index] : std::string(fallback);
  }
};

enum class ArgumentHint : uint8_t { kNone, kFile, kDirectory, kBackupName };  // for shells

struct Command {
  std::string_view name = {};         // words apart by one space: "backup-push", "plugin list"
  std::string_view summary = {};      // one line, imperative, no full stop
  std::string_view arguments = {};    // "PGDATA [NAME|LATEST]"; for help
  std::string_view description = {};  // paragraphs, lines up to 100 characters; may be empty
  std::span<const CliOption> options = {};
  size_t arguments_min = 0;
  size_t arguments_max = 0;
  ArgumentHint hint = ArgumentHint::kNone;
  bool hidden = false;
  bool needs_settings = true;  // false: runs without reading any configuration (help, version, completion)
  // FAILS WITH: anything; main prints the status and exits with 1, or with the signal's code for kCancelled.
  Result<ExitCode> (*run)(Invocation&) = nullptr;
};

// Every command, in the order of the help.
std::vector<const Command*> AllCommands();

// Finds by words; "plugin list" before "plugin". `used` gets how many words the name took.
const Command* FindCommand(std::span<const std::string> words, size_t* used);

// The commands, by file of cli/commands.
const Command& BackupPushCommand();
const Command& BackupFetchCommand();
const Command& BackupListCommand();
const Command& BackupShowCommand();
const Command& BackupVerifyCommand();
const Command& WalPushCommand();
const Command& WalFetchCommand();
std::span<const Command> DeleteCommands();
std::span<const Command> PluginCommands();  // plugin*.cc: "plugin list", "plugin info", ...
std::span<const Command> StReadCommands();   // st_read.cc: ls, stat, cat, get
std::span<const Command> StWriteCommands();  // st_write.cc: put, rm, check
std::span<const Command> StMoveCommands();   // st_move.cc: copy, transfer
const Command& PluginCheckCommand();
std::span<const Command> KeyCommands();  // "key new", "key list", "key rotate"
std::span<const Command> ConfigCommands();
const Command& CompletionCommand();
const Command& FlagsCommand();
const Command& VersionCommand();
const Command& HelpCommand();

}  // namespace walrig
