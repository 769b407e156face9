#include "cli/commands/restore_command.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>

namespace walrig {
namespace {

// Groups of settings that say nothing about where the archive is and how to read it.
bool Irrelevant(const KeySpec& key) {
  for (const std::string_view group : {"Backup", "Delta backups", "PostgreSQL connection", "Logging and diagnostics"}) {
    if (key.group == group) return true;
  }
  for (const std::string_view name : {"WALRIG_PROGRESS", "WALRIG_VERIFY", "WALRIG_COMMAND_TIMEOUT",
                                      "WALG_FETCH_TARGET_USER_DATA", "WALRIG_MANIFEST_CHECKSUMS"}) {
    if (key.name == name) return true;
  }
  return false;
}

// For a POSIX shell inside restore_command: % begins a placeholder there.
Result<std::string> Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == '\0')
      return InvalidArgument("a value with a line break cannot stand in restore_command");
    if (c == '\'')
      out += "'\\''";
    else if (c == '%')
      out += "%%";
    else
      out += c;
  }
  return out + "'";
}

bool IsPlain(std::string_view text) {
  return !text.empty() && text.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "/._-+:@,=") == std::string_view::npos;
}

Result<std::string> Word(std::string_view text) {
  if (IsPlain(text)) return std::string(text);
  return Quoted(text);
}

// A relative path means another file when the server's data directory is the working directory.
std::string Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

bool IsRelativePath(const KeySpec& key, const std::string& text) {
  return key.type == KeyType::kPath && !text.empty() && text[0] != '/' && text.find("://") == std::string::npos;
}

}  // namespace

Result<std::string> RestoreCommand(const std::string& executable, const Settings& settings,
                                   std::vector<std::string>* missing_secrets) {
  if (executable.empty())
    return NotFound("the path of the running program is unknown, so no restore_command can be written");
  WALRIG_ASSIGN(std::string command, Word(executable));
  const std::string config = settings.config_path();
  if (!config.empty()) {
    WALRIG_ASSIGN(const std::string word, Word(Absolute(config)));
    command += " --config " + word;
  }
  for (const KeySpec& key : AllKeys()) {
    if (Irrelevant(key)) continue;
    const std::optional<SettingValue> value = settings.FindExplicit(key.name);
    if (!value.has_value() || value->origin == SettingOrigin::kFile) continue;
    if (key.secret) {
      missing_secrets->emplace_back(key.name);
      continue;
    }
    WALRIG_ASSIGN(const std::string word, Word(IsRelativePath(key, value->text) ? Absolute(value->text) : value->text));
    command += fmt::format(" --{} {}", FlagName(key.name), word);
  }
  return command + " wal-fetch \"%f\" \"%p\"";
}

}  // namespace walrig
