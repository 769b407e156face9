#include "cli/commands/restore_command.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <set>
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

// What libraries and plugins look for in the environment by themselves.
constexpr std::string_view kReadByLibraries[] = {
    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "GNUPGHOME", "CLOUDSDK_CONFIG", "GCE_METADATA_HOST", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
};

std::string InEnvironment(const char* const* environment, std::string_view name) {
  for (const char* const* each = environment; each != nullptr && *each != nullptr; ++each) {
    const std::string_view entry(*each);
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.substr(0, name.size()) == name) {
      return std::string(entry.substr(name.size() + 1));
    }
  }
  return {};
}

// A proxy may be given with its password.
bool HoldsSecret(std::string_view name, std::string_view value) {
  return name == "AWS_CONTAINER_AUTHORIZATION_TOKEN" || value.find('@') != std::string_view::npos;
}

class Writer {
 public:
  Writer(const Settings& settings, const RestoreCommandInput& input) : settings_(settings), input_(input) {}

  Result<RestoreCommandText> Run() {
    if (input_.executable.empty())
      return NotFound("the path of the running program is unknown, so no restore_command can be written");
    for (const OptionOrigin& origin : input_.origins) WALRIG_TRY(Take(origin));
    for (const std::string_view name : kReadByLibraries) WALRIG_TRY(TakeVariable(name));
    WALRIG_ASSIGN(const std::string program, Word(input_.executable));
    text_.command += program;
    if (const std::string config = settings_.config_path(); !config.empty()) {
      WALRIG_ASSIGN(const std::string word, Word(Absolute(config)));
      text_.command += " --config " + word;
    }
    for (const KeySpec& key : AllKeys()) WALRIG_TRY(TakeKey(key));
    text_.command += " wal-fetch \"%f\" \"%p\"";
    return std::move(text_);
  }

 private:
  // What the server's environment must supply; a configuration file may, unless `only_environment`.
  void WarnOfSecret(std::string_view name, bool only_environment) {
    text_.warnings.push_back(fmt::format("restore_command does not hold the secret {}: put it into the environment of the server{}",
                                         name, only_environment ? "" : ", or into a configuration file"));
  }

  Status Assign(std::string_view name, const std::string& value) {
    WALRIG_ASSIGN(const std::string word, Word(value));
    if (assigned_.insert(std::string(name)).second) text_.command += fmt::format("{}={} ", name, word);
    return OkStatus();
  }

  Status Take(const OptionOrigin& origin) {
    switch (origin.kind) {
      case OptionOrigin::Kind::kRelativePath:
        return InvalidArgument(fmt::format("option {} of a plugin is a relative path, and restore_command runs in the data directory",
                                           origin.name))
            .Hint("write it as an absolute path");
      case OptionOrigin::Kind::kEnvironment:
        WarnOfSecret(origin.name, true);
        return OkStatus();
      case OptionOrigin::Kind::kCredential:
        text_.warnings.push_back(fmt::format(
            "restore_command reads the credential {}: the unit of the server needs LoadCredential= for it", origin.name));
        return OkStatus();
      case OptionOrigin::Kind::kSetting:
        break;
    }
    if (FindKey(origin.name) != nullptr) return OkStatus();  // a flag says it
    const std::optional<SettingValue> value = settings_.FindExplicit(origin.name);
    if (!value.has_value() || value->origin == SettingOrigin::kFile) return OkStatus();
    if (origin.secret) {
      WarnOfSecret(origin.name, false);
      return OkStatus();
    }
    return Assign(origin.name, origin.path && value->text[0] != '/' ? Absolute(value->text) : value->text);
  }

  Status TakeVariable(std::string_view name) {
    const std::string value = InEnvironment(input_.environment, name);
    if (value.empty() || FindKey(name) != nullptr) return OkStatus();
    if (!HoldsSecret(name, value)) return Assign(name, value);
    WarnOfSecret(name, true);
    return OkStatus();
  }

  Status TakeKey(const KeySpec& key) {
    if (Irrelevant(key)) return OkStatus();
    const std::optional<SettingValue> value = settings_.FindExplicit(key.name);
    if (!value.has_value() || value->origin == SettingOrigin::kFile) return OkStatus();
    if (key.secret) {
      WarnOfSecret(key.name, false);
      return OkStatus();
    }
    WALRIG_ASSIGN(const std::string word, Word(IsRelativePath(key, value->text) ? Absolute(value->text) : value->text));
    text_.command += fmt::format(" --{} {}", FlagName(key.name), word);
    return OkStatus();
  }

  const Settings& settings_;
  const RestoreCommandInput& input_;
  RestoreCommandText text_;
  std::set<std::string> assigned_;
};

}  // namespace

Result<RestoreCommandText> RestoreCommand(const Settings& settings, const RestoreCommandInput& input) {
  return Writer(settings, input).Run();
}

}  // namespace walrig
