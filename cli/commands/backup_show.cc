// walrig backup-show: prints what core/backup/show found.
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/common.h"
#include "cli/output.h"
#include "cli/wiring.h"
#include "core/backup/show.h"

namespace walrig {
namespace {

constexpr CliOption kBackupShowOptions[] = {
    {.name = "json", .help = "Print JSON"},
    {.name = "pretty", .help = "Indent the JSON"},
    {.name = "target-user-data",
     .kind = OptionKind::kValue,
     .value_name = "JSON",
     .help = "Show the backup with this user data instead of one by name"},
    kTargetStorage,
};

void PrintBackupShow(Invocation& call, const BackupShowReport& report) {
  const auto lines = BackupShowLines(report);
  size_t width = 0;
  for (const auto& [label, value] : lines) width = std::max(width, label.size());
  for (const auto& [label, value] : lines) call.out.Line(fmt::format("{:<{}}  {}", label, width, value));
}

Result<ExitCode> RunBackupShow(Invocation& call) {
  BackupShowOptions options;
  options.selector.name = call.Argument(0);
  if (call.Has("target-user-data")) {
    WALRIG_ASSIGN(options.selector.user_data, ParseUserData(call.Text("target-user-data"), "--target-user-data"));
  }
  if (options.selector.name.empty() != options.selector.user_data.has_value()) {
    return UsageError(call, "backup-show needs a name or --target-user-data");
  }
  Wiring wiring(call.settings, call.log);
  WALRIG_ASSIGN(const auto storage, wiring.OpenStorage(call.ctx, {.read_only = true, .turbo = call.turbo, .target = TargetStorage(call)}));
  WALRIG_ASSIGN(const BackupShowReport report, BackupShow(call.ctx, options, *storage));
  if (call.Has("json")) {
    call.out.Json(BackupShowJson(report), call.Has("pretty"));
  } else {
    PrintBackupShow(call, report);
  }
  for (const std::string& problem : report.problems) LogWarning(call, problem);
  return ExitCode::kOk;
}

constexpr Command kBackupShowCommand = {
    .name = "backup-show",
    .summary = "Show all that the storage says about one backup",
    .arguments = "NAME|LATEST",
    .options = kBackupShowOptions,
    .arguments_min = 0,
    .arguments_max = 1,
    .hint = ArgumentHint::kBackupName,
    .run = RunBackupShow,
};

}  // namespace

const Command& BackupShowCommand() { return kBackupShowCommand; }

}  // namespace walrig
