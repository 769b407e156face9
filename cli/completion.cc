#include "cli/completion.h"

#include <fmt/format.h>

#include <vector>

#include "cli/args.h"
#include "cli/command.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

std::vector<const Command*> Visible() {
  std::vector<const Command*> all;
  for (const Command* command : AllCommands()) {
    if (!command->hidden) all.push_back(command);
  }
  return all;
}

// Words that may come next as part of a command's name: after "" the first words, after "plugin" its second ones.
std::vector<std::string> NextWords(std::string_view before) {
  std::vector<std::string> words;
  for (const Command* command : Visible()) {
    std::string_view name = command->name;
    if (!before.empty()) {
      if (!StartsWith(name, std::string(before) + " ")) continue;
      name.remove_prefix(before.size() + 1);
    }
    std::string word(name.substr(0, name.find(' ')));
    if (words.empty() || words.back() != word) words.push_back(std::move(word));
  }
  return words;
}

std::string OptionWords(const Command& command) {
  std::vector<std::string> words;
  for (const CliOption& option : command.options) {
    words.push_back(fmt::format("--{}", option.name));
    if (option.kind != OptionKind::kOptionalValue) continue;
    for (const std::string& choice : Split(option.choices, '|'))
      words.push_back(fmt::format("--{}={}", option.name, choice));
  }
  return Join(words, " ");
}

std::string GlobalWords() {
  std::vector<std::string> words;
  for (const GlobalOption& option : GlobalOptions()) words.push_back(fmt::format("--{}", option.name));
  return Join(words, " ");
}

std::string FlagWords() {
  std::vector<std::string> words;
  for (const KeySpec& key : AllKeys()) words.push_back("--" + FlagName(key.name));
  return Join(words, " ");
}

std::string HintName(ArgumentHint hint) {
  switch (hint) {
    case ArgumentHint::kFile:
      return "file";
    case ArgumentHint::kDirectory:
      return "dir";
    case ArgumentHint::kBackupName:
      return "backup";
    case ArgumentHint::kNone:
      return "none";
  }
  return "none";
}

// What follows an option as its value, for bash and zsh: one case arm for each option that has choices.
std::string ChoiceArms(std::string_view indent) {
  std::string out;
  for (const Command* command : Visible()) {
    for (const CliOption& option : command->options) {
      if (option.kind != OptionKind::kValue || option.choices.empty()) continue;
      out += fmt::format("{}\"{}/--{}\") choices=\"{}\" ;;\n", indent, command->name, option.name,
                         Join(Split(option.choices, '|'), " "));
    }
  }
  return out;
}

std::string CommandArms(std::string_view indent) {
  std::string out = fmt::format("{}\"\") next=\"{}\" ;;\n", indent, Join(NextWords(""), " "));
  // A hidden "delete" still leads to "delete target".
  for (const Command* command : AllCommands()) {
    out += fmt::format("{}\"{}\") next=\"{}\" options=\"{}\" hint={} ;;\n", indent, command->name,
                       Join(NextWords(command->name), " "), OptionWords(*command), HintName(command->hint));
  }
  return out;
}

// Both shells share the arms; they find out the command in the same way.
constexpr std::string_view kBash = R"(# bash completion for walrig
_walrig() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} command="" next="" options="" hint=none choices="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case " $(_walrig_next "$command") " in
      *" ${{COMP_WORDS[i]}} "*) command="${{command:+$command }}${{COMP_WORDS[i]}}" ;;
    esac
  done
  _walrig_table "$command"
  case "$command/$prev" in
{choices}  esac
  if [ -n "$choices" ]; then
    COMPREPLY=($(compgen -W "$choices" -- "$cur"))
  elif [[ "$prev" == --config ]]; then
    COMPREPLY=($(compgen -f -- "$cur"))
  elif [[ "$prev" == --plugin-dir ]]; then
    COMPREPLY=($(compgen -d -- "$cur"))
  elif [[ "$cur" == --?* ]]; then
    COMPREPLY=($(compgen -W "$options {globals} {flags}" -- "$cur"))
  elif [[ "$cur" == -* ]]; then
    COMPREPLY=($(compgen -W "$options {globals}" -- "$cur"))
  elif [ -n "$next" ]; then
    COMPREPLY=($(compgen -W "$next" -- "$cur"))
  elif [ "$hint" = file ]; then
    COMPREPLY=($(compgen -f -- "$cur"))
  elif [ "$hint" = dir ]; then
    COMPREPLY=($(compgen -d -- "$cur"))
  elif [ "$hint" = backup ]; then
    COMPREPLY=($(compgen -W "LATEST" -- "$cur"))
  fi
}}
_walrig_table() {{
  case "$1" in
{commands}  esac
}}
_walrig_next() {{
  local next="" options hint
  _walrig_table "$1"
  echo "$next"
}}
complete -o filenames -o bashdefault -F _walrig walrig
)";

constexpr std::string_view kZsh = R"(#compdef walrig
# zsh completion for walrig
_walrig_table() {{
  case "$1" in
{commands}  esac
}}
_walrig() {{
  local cur=${{words[CURRENT]}} prev=${{words[CURRENT-1]}} command="" next="" options="" hint=none choices="" i
  for ((i = 2; i < CURRENT; i++)); do
    _walrig_table "$command"
    case " $next " in
      *" ${{words[i]}} "*) command="${{command:+$command }}${{words[i]}}" ;;
    esac
  done
  next="" options="" hint=none
  _walrig_table "$command"
  case "$command/$prev" in
{choices}  esac
  if [[ -n $choices ]]; then
    compadd -- ${{=choices}}
  elif [[ $prev == --config ]]; then
    _files
  elif [[ $prev == --plugin-dir ]]; then
    _files -/
  elif [[ $cur == --?* ]]; then
    compadd -- ${{=options}} {globals} {flags}
  elif [[ $cur == -* ]]; then
    compadd -- ${{=options}} {globals}
  elif [[ -n $next ]]; then
    compadd -- ${{=next}}
  elif [[ $hint == file ]]; then
    _files
  elif [[ $hint == dir ]]; then
    _files -/
  elif [[ $hint == backup ]]; then
    compadd -- LATEST
  fi
}}
if [ "${{funcstack[1]}}" = _walrig ]; then
  _walrig "$@"
else
  compdef _walrig walrig
fi
)";

std::string FishQuoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string FishOption(std::string_view condition, const CliOption& option) {
  std::string line = fmt::format("complete -c walrig -n {} -l {}", FishQuoted(condition), option.name);
  if (option.letter != 0) line += fmt::format(" -s {}", option.letter);
  if (option.kind == OptionKind::kValue || option.kind == OptionKind::kList) line += " -r";
  if (!option.choices.empty()) line += fmt::format(" -f -a {}", FishQuoted(Join(Split(option.choices, '|'), " ")));
  return line + fmt::format(" -d {}\n", FishQuoted(option.help));
}

std::string Fish() {
  std::string out =
      "# fish completion for walrig\n"
      "function __walrig_at\n"
      "  set -l words (commandline -opc | string match -v -- '-*')\n"
      "  test \"$words[2..-1]\" = \"$argv\"\n"
      "end\n"
      "function __walrig_in\n"
      "  set -l words (commandline -opc | string match -v -- '-*')\n"
      "  string match -q -- \"$argv*\" \"$words[2..-1]\"\n"
      "end\n"
      "complete -c walrig -f\n";
  for (const Command* command : Visible()) {
    const std::string_view name = command->name;
    const size_t space = name.rfind(' ');
    const std::string before(space == std::string_view::npos ? std::string_view() : name.substr(0, space));
    const std::string_view word = space == std::string_view::npos ? name : name.substr(space + 1);
    out += fmt::format("complete -c walrig -n {} -a {} -d {}\n", FishQuoted("__walrig_at " + before), word,
                       FishQuoted(command->summary));
    const std::string inside = fmt::format("__walrig_in {}", name);
    if (command->hint == ArgumentHint::kFile || command->hint == ArgumentHint::kDirectory) {
      out += fmt::format("complete -c walrig -n {} -F\n", FishQuoted(inside));
    }
    for (const CliOption& option : command->options) out += FishOption(inside, option);
  }
  for (const GlobalOption& option : GlobalOptions()) {
    out += fmt::format("complete -c walrig -l {}{} -d {}\n", option.name, option.value_name.empty() ? "" : " -r",
                       FishQuoted(option.help));
  }
  for (const KeySpec& key : AllKeys()) {
    out += fmt::format("complete -c walrig -l {} -r -d {}\n", FlagName(key.name), FishQuoted(key.help));
  }
  return out;
}

}  // namespace

Result<std::string> CompletionScript(std::string_view shell) {
  if (shell == "fish") return Fish();
  if (shell != "bash" && shell != "zsh") {
    return InvalidArgument(fmt::format("no completion for the shell {}", Printable(shell))).Hint("bash, zsh or fish");
  }
  const std::string choices = ChoiceArms("    ");
  return fmt::format(fmt::runtime(shell == "bash" ? kBash : kZsh), fmt::arg("choices", choices),
                     fmt::arg("commands", CommandArms("    ")), fmt::arg("globals", GlobalWords()),
                     fmt::arg("flags", FlagWords()));
}

}  // namespace walrig
