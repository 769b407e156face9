#include "core/config/load.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/config/config_file.h"

namespace walrig {
namespace {

std::string UnknownWarning(const ConfigEntry& entry, std::string_view where) {
  const std::string nearest = NearestKey(entry.key);
  std::string text = fmt::format("{}: {} is unknown", where, Printable(entry.key));
  if (!nearest.empty()) text += fmt::format("; did you mean {}?", nearest);
  return text;
}

// The implicit file of WAL-G, in viper's order of formats; "" when there is none.
std::string HomeConfig(const std::string& home, LoadReport* report) {
  if (home.empty()) return {};
  for (const char* extension : {"json", "yaml", "yml", "dotenv", "env"}) {
    std::string path = fmt::format("{}/.walg.{}", home, extension);
    if (access(path.c_str(), F_OK) == 0) return path;
  }
  for (const char* extension : {"toml", "hcl", "ini", "properties"}) {
    const std::string path = fmt::format("{}/.walg.{}", home, extension);
    if (access(path.c_str(), F_OK) != 0) continue;
    report->warnings.push_back(fmt::format("{}: files of this form are not read; write it as JSON, YAML or env", path));
  }
  return {};
}

Status ReadFileInto(const std::string& path, Settings* settings, LoadReport* report) {
  Result<std::string> text = ReadWholeFile(path, kConfigBytesMax);
  if (!text.ok()) return std::move(text).status().With("reading the configuration file");
  WALRIG_ASSIGN(const ConfigFormat format, FormatOfConfig(path, *text));
  WALRIG_ASSIGN(const std::vector<ConfigEntry> entries, ParseConfig(format, *text, path));
  for (const ConfigEntry& entry : entries) {
    std::string where = entry.line == 0 ? path : fmt::format("{}:{}", path, entry.line);
    const KeySpec* key = FindKey(entry.key);
    if (key == nullptr) report->warnings.push_back(UnknownWarning(entry, where));
    if (entry.text.empty()) continue;
    settings->Put(entry.key, {.text = entry.text, .origin = SettingOrigin::kFile, .where = std::move(where)});
  }
  settings->set_config_path(path);
  report->config_path = path;
  return OkStatus();
}

// The environment holds much that is not ours: only what looks like a misspelt setting is worth a word.
void WarnOfMisspelling(std::string_view name, LoadReport* report) {
  if (!StartsWith(name, "WALG_") && !StartsWith(name, "WALE_")) return;
  if (FindKey(name) != nullptr) return;
  const std::string nearest = NearestKey(name);
  if (nearest.empty()) return;
  report->warnings.push_back(fmt::format("environment: {} is unknown; did you mean {}?", Printable(name), nearest));
}

void ReadEnvironment(const char* const* environment, Settings* settings, LoadReport* report) {
  for (const char* const* each = environment; each != nullptr && *each != nullptr; ++each) {
    const std::string_view entry(*each);
    const size_t at = entry.find('=');
    if (at == std::string_view::npos || at + 1 == entry.size()) continue;
    const std::string_view name = entry.substr(0, at);
    // The environment knows letter case: "pghost" is not PGHOST there, for libpq as for WAL-G.
    if (name != ToUpper(name)) continue;
    WarnOfMisspelling(name, report);
    settings->Put(name, {.text = std::string(entry.substr(at + 1)),
                         .origin = SettingOrigin::kEnvironment,
                         .where = fmt::format("environment {}", name)});
  }
}

void ReadFlags(const std::vector<FlagValue>& flags, Settings* settings, LoadReport* report) {
  for (const FlagValue& flag : flags) {
    if (flag.value.empty()) continue;
    const KeySpec* key = FindKey(flag.key);
    if (key != nullptr && key->secret) {
      report->warnings.push_back(
          fmt::format("{}: a secret on the command line can be seen by every user of this host; put it into a file or "
                      "the environment",
                      flag.where));
    }
    settings->Put(flag.key, {.text = flag.value, .origin = SettingOrigin::kFlag, .where = flag.where});
  }
}

}  // namespace

Result<Settings> LoadSettings(const LoadInput& input, LoadReport* report) {
  Settings settings;
  ReadEnvironment(input.environment, &settings, report);
  ReadFlags(input.flags, &settings, report);
  if (input.without_file) return settings;
  std::string path = input.config_path;
  if (path.empty()) path = settings.Text("WALG_CONFIG_PATH");
  if (path.empty()) path = HomeConfig(input.home, report);
  if (path.empty() && input.other_home != nullptr) {
    if (const std::string other = input.other_home(); other != input.home) path = HomeConfig(other, report);
  }
  if (!path.empty()) WALRIG_TRY(ReadFileInto(path, &settings, report));
  return settings;
}

Status ExportToEnvironment(const Settings& settings) {
  for (const KeySpec& key : AllKeys()) {
    if (!key.exported) continue;
    const std::optional<SettingValue> value = settings.FindExplicit(key.name);
    if (!value.has_value() || value->origin == SettingOrigin::kEnvironment) continue;
    const std::string name(key.name);
    if (setenv(name.c_str(), value->text.c_str(), 1) != 0) return ErrnoStatus(errno, "setenv " + name);
  }
  return OkStatus();
}

}  // namespace walrig
