#include "cli/usage.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/args.h"
#include "cli/version.h"
#include "core/base/string_util.h"
#include "core/wal/restore_role.h"
#include "walrig/abi/version.h"

namespace walrig {
namespace {

constexpr size_t kHelpColumn = 30;

// "  left      right", right on a line of its own when left is too long.
std::string Entry(const std::string& left, std::string_view right) {
  std::string out = "  " + left;
  if (out.size() + 2 > kHelpColumn) return fmt::format("{}\n{:{}}{}\n", out, "", kHelpColumn, right);
  return fmt::format("{:<{}}{}\n", out, kHelpColumn, right);
}

std::string OptionLeft(const CliOption& option) {
  std::string left =
      option.letter != 0 ? fmt::format("-{}, --{}", option.letter, option.name) : fmt::format("    --{}", option.name);
  if (option.kind == OptionKind::kOptionalValue) return left + fmt::format("[={}]", option.value_name);
  if (option.kind != OptionKind::kFlag) left += fmt::format(" {}", option.value_name);
  return left;
}

std::string OptionRight(const CliOption& option) {
  std::string right(option.help);
  if (!option.choices.empty()) right += fmt::format(" ({})", Join(Split(option.choices, '|'), ", "));
  if (option.kind == OptionKind::kList) right += "; may be given several times";
  return right;
}

std::string GlobalLeft(const GlobalOption& option) {
  return option.value_name.empty() ? fmt::format("    --{}", option.name)
                                   : fmt::format("    --{} {}", option.name, option.value_name);
}

std::string UsageLine(const Command& command) {
  std::string line = fmt::format("walrig {}", command.name);
  if (!command.options.empty()) line += " [OPTIONS]";
  if (!command.arguments.empty()) line += fmt::format(" {}", command.arguments);
  return line;
}

std::string KeyHelp(const KeySpec& key) {
  std::string text(key.help);
  if (!key.choices.empty()) text += fmt::format(" One of {}.", Join(Split(key.choices, '|'), ", "));
  if (!key.default_text.empty()) text += fmt::format(" Default {}.", key.default_text);
  return text;
}

struct ExitLine {
  ExitCode code;
  std::string_view meaning;
};
constexpr ExitLine kExitLines[] = {
    {ExitCode::kOk, "done"},
    {ExitCode::kError, "an error; what was begun is undone or visibly incomplete"},
    {ExitCode::kUsage, "unknown command, option or number of arguments; nothing was done"},
    {ExitCode::kFindings, "done, but damage was found: corrupt pages under --verify=strict, or by backup-verify"},
    {ExitCode::kWalAbsent, "wal-fetch: the archive does not hold this file"},
    {static_cast<ExitCode>(kStopRecoveryCode),
     "wal-fetch: an error of any kind, usage included, except on a standby (1); PostgreSQL stops and can be started again"},
    {ExitCode::kHungUp, "ended by SIGHUP, after cleaning up"},
    {ExitCode::kInterrupted, "ended by SIGINT, after cleaning up"},
    {ExitCode::kQuit, "ended by SIGQUIT, after cleaning up"},
    {ExitCode::kTerminated, "ended by SIGTERM, after cleaning up"},
};

// For man: backslashes and leading dots are commands there, hyphens would become dashes.
std::string Roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    line_start = c == '\n';
  }
  return out;
}

std::string ManTagged(const std::string& tag, std::string_view text) {
  return fmt::format(".TP\n.B {}\n{}\n", Roff(tag), Roff(text));
}

std::string ManCommands() {
  std::string out = ".SH COMMANDS\n";
  for (const Command* command : AllCommands()) {
    if (command->hidden) continue;
    out += fmt::format(".SS \"{}\"\n{}.\n", Roff(UsageLine(*command).substr(7)), Roff(command->summary));
    if (!command->description.empty()) out += fmt::format(".PP\n{}\n", Roff(command->description));
    for (const CliOption& option : command->options) {
      out += ManTagged(std::string(Trim(OptionLeft(option))), OptionRight(option) + ".");
    }
  }
  return out;
}

std::string ManSettings() {
  std::string out = ".SH SETTINGS\n";
  out += Roff(
      "Each setting may be given as a flag (lower case, hyphens: --walg-file-prefix DIR), in the environment, or in a "
      "configuration file; a flag wins over the environment, the environment over the file. The file is the one of "
      "--config, else of WALG_CONFIG_PATH, else ~/.walg.json, .yaml, .yml, .dotenv or .env.\n");
  std::string_view group;
  for (const KeySpec& key : AllKeys()) {
    if (key.group != group) out += fmt::format(".SS \"{}\"\n", Roff(key.group));
    group = key.group;
    out += ManTagged(std::string(key.name), KeyHelp(key));
  }
  return out;
}

}  // namespace

std::string VersionLine() {
  return fmt::format("walrig {} (PostgreSQL 13 to 18, plugin ABI {}.{})", kWalrigVersion, WALRIG_ABI_MAJOR,
                     WALRIG_ABI_MINOR);
}

std::string MainHelp() {
  std::string out =
      "walrig backs up, archives and restores PostgreSQL; it reads and writes the storage of WAL-G.\n\n"
      "Usage: walrig COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n";
  for (const Command* command : AllCommands()) {
    if (!command->hidden) out += Entry(std::string(command->name), command->summary);
  }
  out += "\nOptions of every command:\n";
  for (const GlobalOption& option : GlobalOptions()) out += Entry(GlobalLeft(option), option.help);
  out +=
      "\nEvery setting of WAL-G is also an option, as --walg-file-prefix DIR: see walrig flags.\n"
      "walrig help COMMAND tells more about one command.\n";
  return out;
}

std::string CommandHelp(const Command& command) {
  std::string out = fmt::format("{}.\n\nUsage: {}\n", command.summary, UsageLine(command));
  if (!command.description.empty()) out += fmt::format("\n{}\n", command.description);
  std::string children;
  const std::string prefix = std::string(command.name) + " ";
  for (const Command* other : AllCommands()) {
    if (StartsWith(other->name, prefix) && !other->hidden) children += Entry(std::string(other->name), other->summary);
  }
  if (!children.empty()) out += "\nCommands:\n" + children;
  if (!command.options.empty()) out += "\nOptions:\n";
  for (const CliOption& option : command.options) out += Entry(OptionLeft(option), OptionRight(option));
  out += "\nOptions of every command:\n";
  for (const GlobalOption& option : GlobalOptions()) out += Entry(GlobalLeft(option), option.help);
  return out;
}

std::string FlagsHelp() {
  std::string out =
      "Every setting as an option of every command. In the environment and in files they are written\n"
      "in capitals with underscores: --walg-file-prefix is WALG_FILE_PREFIX.\n";
  std::string_view group;
  for (const KeySpec& key : AllKeys()) {
    if (key.group != group) out += fmt::format("\n{}:\n", key.group);
    group = key.group;
    out += fmt::format("  --{} {}\n        {}\n", FlagName(key.name), ToUpper(KeyTypeName(key.type)), KeyHelp(key));
  }
  return out;
}

std::string ManPage() {
  std::string out = fmt::format(".TH WALRIG 1 \"\" \"walrig {}\" \"PostgreSQL backup\"\n", kWalrigVersion);
  out += ".SH NAME\nwalrig \\- back up, archive and restore PostgreSQL\n";
  out += ".SH SYNOPSIS\n.B walrig\n.I COMMAND\n[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n";
  out +=
      ".SH DESCRIPTION\nwalrig makes base backups of a running PostgreSQL, archives its WAL, and restores it to any "
      "moment "
      "between. It reads and writes the storage layout of WAL\\-G. Storages, compressors and ciphers are plugins.\n";
  out += ".SH OPTIONS\nThese belong to every command.\n";
  for (const GlobalOption& option : GlobalOptions())
    out += ManTagged(std::string(Trim(GlobalLeft(option))), option.help);
  out += ManCommands();
  out += ".SH \"EXIT STATUS\"\n";
  for (const ExitLine& line : kExitLines) out += ManTagged(std::to_string(static_cast<int>(line.code)), line.meaning);
  out += ManSettings();
  return out;
}

}  // namespace walrig
