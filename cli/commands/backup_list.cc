// walrig backup-list: prints what core/backup/list found.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cli/commands/common.h"
#include "cli/output.h"
#include "cli/wiring.h"
#include "core/backup/list.h"
#include "core/catalog/leftovers.h"
#include "core/storage/failover.h"

namespace walrig {
namespace {

constexpr CliOption kBackupListOptions[] = {
    {.name = "pretty", .help = "Print a table with borders, or indented JSON"},
    {.name = "json", .help = "Print a JSON array"},
    {.name = "detail", .help = "Print more about each backup"},
    kTargetStorage,
};

void PrintBackupList(Invocation& call, const BackupListReport& report, bool detail, bool pretty) {
  if (report.rows.empty()) {
    LogInfo(call, "No backups found");
    return;
  }
  std::vector<std::vector<std::string>> cells = BackupListTable(report, detail, pretty);
  Table table;
  if (!cells.empty()) {
    table.titles = std::move(cells.front());
    cells.erase(cells.begin());
  }
  table.rows = std::move(cells);
  call.out.Write(pretty ? PrettyTable(table) : PlainTable(table));
}

// What killed runs left is no backup and stands in no row. That it cannot be looked for does not harm a list.
void TellLeftovers(const Invocation& call, Storage& storage) {
  const Result<Leftovers> leftovers = FindLeftovers(call.ctx, storage, kLeftoverAgeNs);
  if (leftovers.ok() && !leftovers->empty()) LogWarning(call, DescribeLeftovers(*leftovers));
}

Result<ExitCode> RunBackupList(Invocation& call) {
  Wiring wiring(call.settings, call.log);
  WALRIG_ASSIGN(const std::vector<NamedStorage> storages,
                wiring.OpenStorages(call.ctx, {.read_only = true, .turbo = call.turbo, .target = TargetStorage(call)}));
  BackupListOptions options{.detail = call.Has("detail")};
  BackupListReport report;
  for (const NamedStorage& one : storages) {
    if (one.storage == nullptr) continue;
    options.storage_name = one.name;
    WALRIG_ASSIGN(BackupListReport part, BackupList(call.ctx, options, *one.storage));
    if (!part.order_warning.empty()) {
      LogWarning(call, storages.size() > 1 ? fmt::format("storage {}: {}", one.name, part.order_warning) : part.order_warning);
    }
    TellLeftovers(call, *one.storage);
    std::move(part.rows.begin(), part.rows.end(), std::back_inserter(report.rows));
  }
  const bool some = std::any_of(storages.begin(), storages.end(), [](const auto& one) { return one.storage != nullptr; });
  if (!some) return NoneReached(storages);
  if (storages.size() > 1) {
    std::stable_sort(report.rows.begin(), report.rows.end(),
                     [](const auto& a, const auto& b) { return a.modified_ns < b.modified_ns; });
  }
  for (const BackupListRow& row : report.rows) {
    if (!row.problem.empty()) LogWarning(call, fmt::format("{}: {}", row.backup_name, row.problem));
  }
  if (!call.Has("json")) {
    PrintBackupList(call, report, options.detail, call.Has("pretty"));
    return ExitCode::kOk;
  }
  Json array = Json::array();
  for (const BackupListRow& row : report.rows) array.push_back(BackupListRowJson(row));
  call.out.Json(array, call.Has("pretty"));
  return ExitCode::kOk;
}

constexpr Command kBackupListCommand = {
    .name = "backup-list",
    .summary = "List the backups of the storage, oldest first",
    .options = kBackupListOptions,
    .run = RunBackupList,
};

}  // namespace

const Command& BackupListCommand() { return kBackupListCommand; }

}  // namespace walrig
