// walrig plugin ...: the table of the commands about plugins.
#include <fmt/format.h>

#include "cli/commands/plugin_commands.h"

#include "cli/commands/common.h"
#include "cli/output.h"
#include "cli/usage.h"

namespace walrig {
namespace {

constexpr CliOption kPluginJson = {.name = "json", .help = "Print JSON"};
constexpr CliOption kPluginListOptions[] = {
    {.name = "kind",
     .kind = OptionKind::kValue,
     .value_name = "KIND",
     .help = "Only this kind",
     .choices = "storage|compressor|cipher|transport"},
    {.name = "all", .help = "Also plugins that another file of the same name hides"},
    kPluginJson,
};
constexpr CliOption kInfoOptions[] = {kPluginJson};
constexpr CliOption kScanOptions[] = {
    {.name = "system", .help = "Write the catalogue of the whole system instead of the user's own"},
    {.name = "retry",
     .kind = OptionKind::kList,
     .value_name = "NAME",
     .help = "Probe a plugin again although it is in quarantine; * for all"},
    {.name = "output", .kind = OptionKind::kValue, .value_name = "FILE", .help = "Write the catalogue to this file"},
    {.name = "quiet", .help = "Print only what is wrong"},
    kPluginJson,
};
constexpr CliOption kVerifyOptions[] = {
    {.name = "lock", .help = "Pin the plugins as they are now in the lock file"},
    kPluginJson,
};
constexpr CliOption kDoctorOptions[] = {kPluginJson};
constexpr CliOption kReleaseOptions[] = {kPluginJson};
constexpr CliOption kNewOptions[] = {
    {.name = "kind",
     .kind = OptionKind::kValue,
     .value_name = "KIND",
     .help = "What to begin with: a storage in C++ (the default) or a compressor in C",
     .choices = "storage|compressor"},
    kPluginJson,
};

Result<ExitCode> RunPluginAlone(Invocation& call) {
  if (!call.arguments.empty()) {
    return UsageError(call, "plugin: list, info, scan, verify, check, doctor, release or new");
  }
  for (const Command* command : AllCommands()) {
    if (!command->name.starts_with("plugin ")) continue;
    call.out.Line(fmt::format("  walrig {:<16} {}", command->name, command->summary));
  }
  return ExitCode::kOk;
}

constexpr Command kPluginCommands[] = {
    {.name = "plugin",
     .summary = "List, examine and check plugins",
     .arguments_max = 1000,
     .hidden = true,
     .needs_settings = false,
     .run = RunPluginAlone},
    {.name = "plugin list",
     .summary = "List the plugins that are installed",
     .description = "Loads none of them: what the catalogue does not know is probed in a process of its own.",
     .options = kPluginListOptions,
     .run = RunPluginList},
    {.name = "plugin info",
     .summary = "Show what a plugin is, what it can do and its options",
     .arguments = "NAME",
     .options = kInfoOptions,
     .arguments_min = 1,
     .arguments_max = 1,
     .run = RunPluginInfo},
    {.name = "plugin scan",
     .summary = "Examine the plugin files and write the catalogue anew",
     .description = "Plugins work without a catalogue. It makes their start faster, and it knows aliases, options and\n"
                    "which file crashed. Packages run this command after installing a plugin.",
     .options = kScanOptions,
     .run = RunPluginScan},
    {.name = "plugin verify",
     .summary = "Check owners, modes and hashes of plugin files",
     .arguments = "[NAME...]",
     .description = "Compares with the lock file where there is one (WALRIG_PLUGIN_LOCK, else\n"
                    "/etc/walrig/plugins.lock), else with the catalogue. Ends with exit code 1 when a file differs.",
     .options = kVerifyOptions,
     .arguments_max = 1000,
     .run = RunPluginVerify},
    {.name = "plugin doctor",
     .summary = "Say what is wrong with the plugins and what puts it right",
     .options = kDoctorOptions,
     .run = RunPluginDoctor},
    {.name = "plugin release",
     .summary = "Take a plugin out of quarantine without probing it",
     .arguments = "NAME",
     .options = kReleaseOptions,
     .arguments_min = 1,
     .arguments_max = 1,
     .run = RunPluginRelease},
    {.name = "plugin new",
     .summary = "Begin a plugin of your own from the template",
     .arguments = "DIR",
     .options = kNewOptions,
     .arguments_min = 1,
     .arguments_max = 1,
     .hint = ArgumentHint::kDirectory,
     .needs_settings = false,
     .run = RunPluginNew},
};

}  // namespace

std::span<const Command> PluginCommands() { return kPluginCommands; }

}  // namespace walrig
