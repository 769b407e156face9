// Args: from words to a parsed command line.
//
// Three kinds of options share one line: global ones (kGlobalOptions), a flag for every known setting
// (--walg-file-prefix,
// --pghost; always with a value), and the command's own. The first two may stand anywhere, before "--". Only the
// command's own are given to Boost.Program_options: describing 240 settings to it would cost more than starting.
//
// THREADS: any; no state.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "core/config/load.h"
#include "walrig/result.h"

namespace walrig {

struct GlobalOption {
  std::string_view name;
  std::string_view value_name;  // "" for a switch
  std::string_view help;
  std::string_view setting;  // the setting that it stands for, or ""
};
std::span<const GlobalOption> GlobalOptions();

struct ParsedLine {
  const Command* command = nullptr;  // null: no command was named
  std::map<std::string, std::vector<std::string>, std::less<>> options;
  std::vector<std::string> arguments;
  std::vector<FlagValue> flags;
  std::string config_path;
  std::vector<std::string> plugin_dirs;
  bool turbo = false;
  bool help = false;
  bool version = false;
};

// `words` without the program's name. With --help or --version the rest need not make sense.
// FAILS WITH: kInvalidArgument, a usage error; the hint names what was probably meant or where help is.
Result<ParsedLine> ParseLine(std::span<const std::string> words);
// The same; on failure `line` holds what was understood before the error.
Status ParseLine(std::span<const std::string> words, ParsedLine* line);

}  // namespace walrig
