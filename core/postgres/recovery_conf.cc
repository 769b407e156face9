#include "core/postgres/recovery_conf.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/string_util.h"
#include "core/postgres/timeline.h"

namespace walrig {
namespace {

int CountTargets(const RecoverySettings& s) {
  return int{!s.target_time.empty()} + int{s.target_lsn.has_value()} + int{!s.target_xid.empty()} +
         int{!s.target_name.empty()} + int{s.target_immediate};
}

Status CheckText(std::string_view name, std::string_view value) {
  for (char c : value) {
    if (c == '\0' || c == '\n' || c == '\r') {
      return InvalidArgument(fmt::format("{} holds a line end or a NUL byte", name))
          .Hint("postgresql.auto.conf cannot hold such a value");
    }
  }
  return OkStatus();
}

// PostgreSQL reads many spellings of a time; only what can be none of them is refused here. It would refuse that, too,
// but at the start of the restored server. The words without digits are those that check_recovery_target_time refuses.
Status CheckTime(std::string_view time) {
  if (time.empty() || time.find_first_of("0123456789") != std::string_view::npos) return OkStatus();
  return InvalidArgument(fmt::format("recovery target time '{}' is no moment", Printable(time)))
      .Hint("write it as 2026-11-23 10:15:00+00");
}

constexpr std::string_view kBlanks = " \t\r\n\f\v";

std::string_view TrimBlanks(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// The value at the beginning of `text`: a quoted string, or a word.
std::string UnquoteConfValue(std::string_view text) {
  if (!text.starts_with('\'')) return std::string(text.substr(0, text.find_first_of(" \t#;")));
  std::string value;
  for (size_t i = 1; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' || (text[i] == '\'' && i + 1 < text.size() && text[i + 1] == '\'');
    if (escape && i + 1 < text.size()) ++i;
    else if (text[i] == '\'') break;
    value.push_back(text[i]);
  }
  return value;
}

}  // namespace

bool RecoverySettings::any_target() const { return CountTargets(*this) > 0; }

Status CheckRecoverySettings(const RecoverySettings& s) {
  if (CountTargets(s) > 1) {
    return InvalidArgument("more than one recovery target").Hint("give one of time, lsn, xid, name, immediate");
  }
  WALRIG_TRY(CheckText("restore_command", s.restore_command));
  WALRIG_TRY(CheckText("recovery target time", s.target_time));
  WALRIG_TRY(CheckTime(s.target_time));
  WALRIG_TRY(CheckText("recovery target name", s.target_name));
  // MAXFNAMELEN of PostgreSQL.
  if (s.target_name.size() >= 64) return InvalidArgument("a recovery target name has at most 63 bytes");
  if (!s.target_xid.empty()) {
    const Result<uint64_t> xid = ParseUint(s.target_xid);
    if (!xid.ok()) return InvalidArgument(fmt::format("recovery target xid '{}' is no number", Printable(s.target_xid)));
  }
  const std::string& action = s.target_action;
  if (!action.empty() && action != "pause" && action != "promote" && action != "shutdown") {
    return InvalidArgument(fmt::format("recovery target action '{}' does not exist", Printable(action)))
        .Hint("use pause, promote or shutdown");
  }
  const std::string& timeline = s.target_timeline;
  if (!timeline.empty() && timeline != "current" && timeline != "latest" && !ParseTimeline(timeline).ok()) {
    return InvalidArgument(fmt::format("recovery target timeline '{}' is none", Printable(timeline)))
        .Hint("use current, latest or a number");
  }
  return OkStatus();
}

std::string FormatRecoverySettings(const RecoverySettings& s) {
  std::string text = "# Recovery settings, written by walrig when it restored this directory.\n";
  const auto line = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{} = {}\n", name, QuoteConfValue(value));
  };
  if (!s.restore_command.empty()) line("restore_command", s.restore_command);
  // PostgreSQL refuses to start with two targets, and the restored file may still hold one of an earlier recovery. An
  // empty value unsets it; the one that is set must come last, since PostgreSQL (guc.c, assign_recovery_target_*) takes
  // even an empty second target, seen after it, for a contradiction.
  const std::pair<std::string_view, std::string> targets[] = {
      {"recovery_target", s.target_immediate ? "immediate" : ""},
      {"recovery_target_time", s.target_time},
      {"recovery_target_lsn", s.target_lsn.has_value() ? FormatLsn(*s.target_lsn) : ""},
      {"recovery_target_xid", s.target_xid},
      {"recovery_target_name", s.target_name},
  };
  for (const bool set : {false, true}) {
    for (const auto& [name, value] : targets) {
      if (value.empty() != set) line(name, value);
    }
  }
  if (s.target_inclusive.has_value()) line("recovery_target_inclusive", *s.target_inclusive ? "on" : "off");
  if (!s.target_timeline.empty()) line("recovery_target_timeline", s.target_timeline);
  if (!s.target_action.empty()) line("recovery_target_action", s.target_action);
  return text;
}

std::string CommentOutRecoveryTargets(std::string_view conf) {
  std::string text;
  while (!conf.empty()) {
    const size_t end = std::min(conf.find('\n'), conf.size() - 1) + 1;
    const std::string_view line = conf.substr(0, end);
    const size_t word = line.find_first_not_of(" \t");
    // Names of settings know no letter case (guc.c, guc_name_compare).
    if (word != std::string_view::npos && ToLower(line.substr(word)).starts_with("recovery_target")) {
      text += "# of an earlier recovery: ";
    }
    text += line;
    conf.remove_prefix(end);
  }
  return text;
}

std::string ConfSetting(std::string_view conf, std::string_view name) {
  std::string value;
  while (!conf.empty()) {
    const size_t end = std::min(conf.find('\n'), conf.size() - 1) + 1;
    std::string_view line = TrimBlanks(conf.substr(0, end));
    conf.remove_prefix(end);
    if (!ToLower(line.substr(0, name.size())).starts_with(name)) continue;
    line.remove_prefix(name.size());
    // A letter that follows makes it another name; the '=' may be missing (guc-file.l).
    if (line.empty() || (line[0] != '=' && kBlanks.find(line[0]) == std::string_view::npos)) continue;
    line = TrimBlanks(line);
    if (line.starts_with('=')) line = TrimBlanks(line.substr(1));
    value = UnquoteConfValue(line);
  }
  return value;
}

std::string QuoteConfValue(std::string_view value) {
  std::string quoted = "'";
  for (char c : value) {
    if (c == '\'' || c == '\\') quoted.push_back(c);
    quoted.push_back(c);
  }
  quoted.push_back('\'');
  return quoted;
}

std::string QuoteShellWord(std::string_view word) {
  constexpr std::string_view kHarmless = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:,+@=%";
  if (!word.empty() && word.find_first_not_of(kHarmless) == std::string_view::npos) return std::string(word);
  std::string quoted = "'";
  for (char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back('\'');
  return quoted;
}

std::string FormatRestoreCommand(std::string_view program, std::string_view arguments) {
  std::string command = QuoteShellWord(program);
  if (!arguments.empty()) command += " " + std::string(arguments);
  std::string escaped;
  for (char c : command) {
    escaped.push_back(c);
    if (c == '%') escaped.push_back('%');
  }
  return escaped + " wal-fetch %f %p";
}

}  // namespace walrig
