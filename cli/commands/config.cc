// walrig config show, config check: what the settings are, where they come from, and whether they make sense.
#include <fmt/format.h>

#include "cli/commands/common.h"
#include "cli/commands/config_check.h"
#include "cli/output.h"
#include "cli/usage.h"

namespace walrig {
namespace {

constexpr CliOption kShowOptions[] = {
    {.name = "all", .help = "Also settings that have their default, or no value"},
    {.name = "json", .help = "Print JSON"},
};
constexpr CliOption kConfigCheckOptions[] = {
    {.name = "json", .help = "Print JSON"},
};

constexpr std::string_view OriginName(SettingOrigin origin) {
  switch (origin) {
    case SettingOrigin::kDefault:
      return "default";
    case SettingOrigin::kFile:
      return "file";
    case SettingOrigin::kEnvironment:
      return "environment";
    case SettingOrigin::kFlag:
      return "flag";
  }
  return "default";
}

// A secret that is set shows that it is, never what it is.
std::string Shown(const KeySpec& key, const SettingValue& value) { return key.secret ? "(hidden)" : value.text; }

Json ShowJson(const Settings& settings, bool all) {
  Json list = Json::array();
  for (const KeySpec& key : AllKeys()) {
    const std::optional<SettingValue> value = all ? settings.Find(key.name) : settings.FindExplicit(key.name);
    if (!value.has_value()) {
      if (all)
        list.push_back(
            {{"name", key.name}, {"value", nullptr}, {"origin", "unset"}, {"where", ""}, {"secret", key.secret}});
      continue;
    }
    list.push_back({{"name", key.name},
                    {"value", Shown(key, *value)},
                    {"origin", OriginName(value->origin)},
                    {"where", value->where},
                    {"secret", key.secret}});
  }
  return list;
}

Result<ExitCode> RunShow(Invocation& call) {
  const Json list = ShowJson(call.settings, call.Has("all"));
  if (call.Has("json")) {
    call.out.Json(list);
    return ExitCode::kOk;
  }
  Table table{.titles = {"SETTING", "VALUE", "FROM"}, .rows = {}};
  for (const Json& row : list) {
    const std::string value = row["value"].is_null() ? "-" : row["value"].get<std::string>();
    const std::string where = row["where"].get<std::string>();
    table.rows.push_back({row["name"].get<std::string>(), value, where.empty() ? "unset" : where});
  }
  if (table.rows.empty())
    LogInfo(call, "nothing is set; config show --all also shows defaults");
  else
    call.out.Write(PlainTable(table));
  return ExitCode::kOk;
}

Result<ExitCode> RunCheck(Invocation& call) {
  const std::vector<ConfigFinding> findings = CheckConfig(call.ctx, call.settings, call.log);
  size_t errors = 0;
  Json list = Json::array();
  for (const ConfigFinding& finding : findings) {
    if (!finding.ok) ++errors;
    list.push_back({{"what", finding.what}, {"ok", finding.ok}, {"text", finding.text}});
    if (!call.Has("json"))
      call.out.Line(fmt::format("{:<6} {}: {}", finding.ok ? "ok" : "ERROR", finding.what, finding.text));
  }
  if (call.Has("json")) call.out.Json(Json{{"ok", errors == 0}, {"findings", list}});
  return errors == 0 ? ExitCode::kOk : ExitCode::kError;
}

Result<ExitCode> RunConfigAlone(Invocation& call) {
  if (!call.arguments.empty()) return UsageError(call, "config: show or check");
  call.out.Write(CommandHelp(ConfigCommands()[0]));
  return ExitCode::kOk;
}

constexpr Command kConfigCommands[] = {
    {
        .name = "config",
        .summary = "Show or check the settings",
        .arguments_max = 1000,
        .hidden = true,
        .needs_settings = false,
        .run = RunConfigAlone,
    },
    {
        .name = "config show",
        .summary = "Show each setting with where it comes from; secrets are hidden",
        .options = kShowOptions,
        .run = RunShow,
    },
    {
        .name = "config check",
        .summary = "Check all settings, and the options of the plugins that they choose",
        .description = "Reads no storage and connects to no server. Ends with exit code 1 when something is wrong.",
        .options = kConfigCheckOptions,
        .run = RunCheck,
    },
};

}  // namespace

std::span<const Command> ConfigCommands() { return kConfigCommands; }

}  // namespace walrig
