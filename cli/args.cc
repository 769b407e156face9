#include "cli/args.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <optional>
#include <utility>

#include "core/base/string_util.h"

namespace walrig {
namespace {

namespace po = boost::program_options;

constexpr GlobalOption kGlobalOptions[] = {
    {"config", "FILE", "Read settings from FILE (JSON, YAML or env) instead of ~/.walg.*", ""},
    {"storage", "NAME[,K=V...]", "Use this storage plugin instead of the one that a WALG_*_PREFIX chooses",
     "WALRIG_STORAGE"},
    {"compressor", "NAME[,K=V...]", "Compress with this plugin instead of WALG_COMPRESSION_METHOD",
     "WALRIG_COMPRESSOR"},
    {"cipher", "NAME[,K=V...]", "Encrypt with this plugin instead of the one that a key's setting chooses",
     "WALRIG_CIPHER"},
    {"transport", "NAME[,K=V...]", "For later: no command talks to another host yet", "WALRIG_TRANSPORT"},
    {"plugin-dir", "DIR", "Look for plugins in DIR first; may be given several times", "WALRIG_PLUGIN_DIR"},
    {"turbo", "", "Ignore rate limits and read from disk with at least 4 workers", ""},
    {"help", "", "Show help for the command", ""},
    {"version", "", "Show the version", ""},
};

// A long option taken apart: "--name=value".
struct LongOption {
  std::string name;
  std::optional<std::string> value;
};

LongOption TakeApart(std::string_view word) {
  const std::string_view body = word.substr(2);
  const size_t at = body.find('=');
  if (at == std::string_view::npos) return {std::string(body), std::nullopt};
  return {std::string(body.substr(0, at)), std::string(body.substr(at + 1))};
}

const GlobalOption* FindGlobal(std::string_view name) {
  for (const GlobalOption& option : kGlobalOptions) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

Status UsageAt(const Command* command, std::string message) {
  std::string hint = command == nullptr ? "see walrig help" : fmt::format("see walrig help {}", command->name);
  return InvalidArgument(std::move(message)).Hint(std::move(hint));
}

// First pass: takes global options and flags of settings out of the line; the rest keeps its order.
class Sorter {
 public:
  explicit Sorter(std::span<const std::string> words) : words_(words) {}

  Status Run(ParsedLine* line, std::vector<std::string>* rest) {
    for (; at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      if (word == "--") {
        rest->insert(rest->end(), words_.begin() + static_cast<std::ptrdiff_t>(at_), words_.end());
        break;
      }
      if (word == "-h")
        line->help = true;
      else if (!StartsWith(word, "--"))
        rest->push_back(word);
      else
        WALRIG_TRY(Long(TakeApart(word), word, line, rest));
    }
    return OkStatus();
  }

 private:
  Status Long(LongOption option, const std::string& word, ParsedLine* line, std::vector<std::string>* rest) {
    if (const GlobalOption* global = FindGlobal(option.name)) {
      if (global->value_name.empty()) return Switch(option, line);
      WALRIG_ASSIGN(std::string value, Value(option));
      Take(*global, std::move(value), line);
      return OkStatus();
    }
    const KeySpec* key = FindKeyOfFlag(option.name);
    if (key == nullptr) {
      rest->push_back(word);
      return OkStatus();
    }
    WALRIG_ASSIGN(std::string value, Value(option));
    std::string name = ToUpper(option.name);
    std::replace(name.begin(), name.end(), '-', '_');
    line->flags.push_back({std::move(name), std::move(value), "flag --" + option.name});
    return OkStatus();
  }

  static Status Switch(const LongOption& option, ParsedLine* line) {
    if (option.value.has_value()) return UsageAt(nullptr, fmt::format("--{} takes no value", option.name));
    if (option.name == "turbo") line->turbo = true;
    if (option.name == "help") line->help = true;
    if (option.name == "version") line->version = true;
    return OkStatus();
  }

  static void Take(const GlobalOption& global, std::string value, ParsedLine* line) {
    if (global.name == "config")
      line->config_path = std::move(value);
    else if (global.name == "plugin-dir")
      line->plugin_dirs.push_back(std::move(value));
    else
      line->flags.push_back({std::string(global.setting), std::move(value), fmt::format("flag --{}", global.name)});
  }

  Result<std::string> Value(const LongOption& option) {
    if (option.value.has_value()) return *option.value;
    if (at_ + 1 == words_.size()) return UsageAt(nullptr, fmt::format("--{} needs a value", option.name));
    return words_[++at_];
  }

  std::span<const std::string> words_;
  size_t at_ = 0;
};

po::options_description Describe(const Command& command) {
  po::options_description description;
  for (const CliOption& option : command.options) {
    std::string name(option.name);
    if (option.letter != 0) name += fmt::format(",{}", option.letter);
    switch (option.kind) {
      case OptionKind::kFlag:
      case OptionKind::kOptionalValue:
        description.add_options()(name.c_str(), "");
        break;
      case OptionKind::kValue:
      case OptionKind::kList:
        description.add_options()(name.c_str(), po::value<std::string>(), "");
        break;
    }
  }
  return description;
}

const CliOption* FindOption(const Command& command, std::string_view name) {
  for (const CliOption& option : command.options) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

Status CheckChoice(const Command& command, const CliOption& option, const std::string& value) {
  if (option.choices.empty()) return OkStatus();
  const std::vector<std::string> choices = Split(option.choices, '|');
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return OkStatus();
  return UsageAt(&command,
                 fmt::format("--{}: \"{}\" is not one of {}", option.name, Printable(value), Join(choices, ", ")));
}

// `word` may have a value after '=', which may be a secret under a misspelt name: it is not repeated.
Status UnknownOption(const Command& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> candidates;
  for (const CliOption& option : command.options) candidates.emplace_back(option.name);
  for (const GlobalOption& option : kGlobalOptions) candidates.emplace_back(option.name);
  std::string bare = name;
  bare.erase(0, bare.find_first_not_of('-'));
  std::string nearest = NearestName(bare, candidates);
  if (nearest.empty()) nearest = FlagName(NearestKey(FlagName(bare)));
  Status status = InvalidArgument(fmt::format("{}: unknown option {}", command.name, Printable(name)));
  if (!nearest.empty()) return std::move(status).Hint(fmt::format("did you mean --{}?", nearest));
  return std::move(status).Hint(fmt::format("see walrig help {}", command.name));
}

Status Collect(const Command& command, const po::parsed_options& parsed, ParsedLine* line) {
  for (const po::basic_option<char>& each : parsed.options) {
    if (each.position_key >= 0 || each.string_key.empty()) {
      line->arguments.insert(line->arguments.end(), each.value.begin(), each.value.end());
      continue;
    }
    const CliOption* option = FindOption(command, each.string_key);
    if (option == nullptr) return UnknownOption(command, each.string_key);
    std::vector<std::string>& values = line->options[each.string_key];
    if (option->kind == OptionKind::kFlag) continue;
    if (option->kind == OptionKind::kOptionalValue) {
      if (values.empty()) values.emplace_back(option->implied);
      continue;
    }
    WALRIG_TRY(CheckChoice(command, *option, each.value.at(0)));
    values.push_back(each.value[0]);
  }
  return OkStatus();
}

// Takes "--name=value" of optional values out of the line. Boost would let a bare "--name" take the next word.
Status TakeOptionalValues(const Command& command, std::vector<std::string>* words, ParsedLine* line) {
  std::vector<std::string> rest;
  bool options_ended = false;
  for (std::string& word : *words) {
    options_ended = options_ended || word == "--";
    const LongOption option = StartsWith(word, "--") ? TakeApart(word) : LongOption();
    const CliOption* known = options_ended || !option.value.has_value() ? nullptr : FindOption(command, option.name);
    if (known == nullptr || known->kind != OptionKind::kOptionalValue) {
      rest.push_back(std::move(word));
      continue;
    }
    WALRIG_TRY(CheckChoice(command, *known, *option.value));
    line->options[option.name].push_back(*option.value);
  }
  *words = std::move(rest);
  return OkStatus();
}

Status ParseOwn(const Command& command, std::vector<std::string> words, ParsedLine* line) {
  WALRIG_TRY(TakeOptionalValues(command, &words, line));
  try {
    const po::options_description description = Describe(command);
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    return Collect(command, po::command_line_parser(words).options(description).style(style).run(), line);
  } catch (const po::unknown_option& error) {
    return UnknownOption(command, error.get_option_name());
  } catch (const std::exception& error) {
    return UsageAt(&command, fmt::format("{}: {}", command.name, error.what()));
  }
}

Status CheckCount(const Command& command, size_t count) {
  if (count >= command.arguments_min && count <= command.arguments_max) return OkStatus();
  if (command.arguments_max == 0) return UsageAt(&command, fmt::format("{} takes no arguments", command.name));
  const std::string_view what = count < command.arguments_min ? "too few arguments" : "too many arguments";
  return UsageAt(&command, fmt::format("{}: {}, expected: {}", command.name, what, command.arguments));
}

// Verbs of WAL-G that a script may call and that are not here yet.
bool IsLaterVerb(std::string_view word) {
  for (const std::string_view verb :
       {"backup-mark", "wal-prefetch", "wal-receive", "wal-restore", "wal-show", "wal-verify", "catchup-push",
        "catchup-fetch", "catchup-list", "catchup-send", "catchup-receive", "copy", "daemon", "pgbackrest"}) {
    if (verb == word) return true;
  }
  return false;
}

Status UnknownCommand(const std::string& word) {
  if (StartsWith(word, "-")) {
    return UsageAt(nullptr, fmt::format("unknown option {} before the command", Printable(word)));
  }
  if (IsLaterVerb(word)) {
    return NotSupported(fmt::format("{}: WAL-G has this command, this version of walrig does not yet", word));
  }
  std::vector<std::string> names;
  for (const Command* command : AllCommands()) names.emplace_back(command->name);
  const std::string nearest = NearestName(word, names);
  Status status = InvalidArgument(fmt::format("unknown command {}", Printable(word)));
  if (nearest.empty()) return std::move(status).Hint("see walrig help");
  return std::move(status).Hint(fmt::format("did you mean {}?", nearest));
}

}  // namespace

std::span<const GlobalOption> GlobalOptions() { return kGlobalOptions; }

Status ParseLine(std::span<const std::string> words, ParsedLine* line) {
  std::vector<std::string> rest;
  const Status sorted = Sorter(words).Run(line, &rest);
  // Before anything can fail, since the search path belongs to the settings.
  if (!line->plugin_dirs.empty()) {
    line->flags.push_back({"WALRIG_PLUGIN_DIR", Join(line->plugin_dirs, ":"), "flag --plugin-dir"});
  }
  WALRIG_TRY(sorted);
  if (line->version || rest.empty()) return OkStatus();
  size_t used = 0;
  line->command = FindCommand(rest, &used);
  if (line->command == nullptr) return UnknownCommand(rest[0]);
  if (line->help) return OkStatus();
  rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(used));
  WALRIG_TRY(ParseOwn(*line->command, std::move(rest), line));
  return CheckCount(*line->command, line->arguments.size());
}

Result<ParsedLine> ParseLine(std::span<const std::string> words) {
  ParsedLine line;
  WALRIG_TRY(ParseLine(words, &line));
  return line;
}

}  // namespace walrig
