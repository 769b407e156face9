#include "core/backup/list.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "core/base/time_format.h"
#include "core/catalog/latest.h"
#include "core/postgres/lsn.h"

namespace walrig {
namespace {

std::string TimeCell(int64_t ns, bool pretty) {
  if (ns == 0) return "-";
  if (!pretty) return FormatRfc3339Seconds(ns);
  // RFC 850, as Go's time.RFC850; in UTC, so that a listing does not depend on who makes it.
  static constexpr const char* kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int64_t seconds = ns / 1'000'000'000;
  if (ns < 0 && ns % 1'000'000'000 != 0) --seconds;
  const auto moment = static_cast<time_t>(seconds);
  tm parts{};
  if (gmtime_r(&moment, &parts) == nullptr) return "-";
  return fmt::format("{}, {:02}-{}-{:02} {:02}:{:02}:{:02} UTC", kDays[parts.tm_wday], parts.tm_mday,
                     kMonths[parts.tm_mon], parts.tm_year % 100, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string ProblemOf(const BackupEntry& entry, bool detail) {
  if (!entry.sentinel_status.ok()) return entry.sentinel_status.ToString();
  if (detail && !entry.metadata_status.ok()) return entry.metadata_status.ToString();
  return {};
}

std::vector<std::string> Header(bool detail, bool pretty) {
  std::vector<std::string> cells = pretty
      ? std::vector<std::string>{"Backup name", "Modified", "WAL file name", "Storage name"}
      : std::vector<std::string>{"backup_name", "modified", "wal_file_name", "storage_name"};
  if (!detail) return cells;
  const std::vector<std::string> more = pretty
      ? std::vector<std::string>{"Start time", "Finish time", "Hostname",  "Datadir",
                                 "PG version", "Start LSN",   "Finish LSN", "Permanent"}
      : std::vector<std::string>{"start_time", "finish_time", "hostname",   "data_dir",
                                 "pg_version", "start_lsn",   "finish_lsn", "is_permanent"};
  cells.insert(cells.end(), more.begin(), more.end());
  return cells;
}

void AddDetailCells(const std::optional<BackupMetadata>& metadata, bool pretty, std::vector<std::string>* cells) {
  if (!metadata) {
    cells->insert(cells->end(), 8, "-");
    return;
  }
  cells->push_back(TimeCell(metadata->start_time_ns, pretty));
  cells->push_back(TimeCell(metadata->finish_time_ns, pretty));
  cells->push_back(metadata->hostname);
  cells->push_back(metadata->data_directory);
  cells->push_back(std::to_string(metadata->pg_version));
  cells->push_back(FormatLsn(metadata->start_lsn));
  cells->push_back(FormatLsn(metadata->finish_lsn));
  cells->push_back(metadata->permanent ? "true" : "false");
}

// WAL-G's order is that of the storage's time stamps, LATEST that of the documents.
std::string OrderWarning(const std::vector<BackupEntry>& entries) {
  for (size_t i = 0; i + 1 < entries.size(); ++i) {
    const BackupEntry &one = entries[i], &next = entries[i + 1];
    if (!FinishTimeKnown(one) || !FinishTimeKnown(next) || FinishTimeNs(one) <= FinishTimeNs(next)) continue;
    return fmt::format("the list follows the storage's time stamps, and the backups were not finished in that order, as after "
                       "a copy ({} was finished after {}); LATEST is {}",
                       one.name, next.name, entries[NewestOf(entries)].name);
  }
  return {};
}

}  // namespace

Result<BackupListReport> BackupList(const Context& ctx, const BackupListOptions& options, Storage& storage) {
  ListBackupsOptions read;
  read.sentinels = true;  // a listing that names a backup nobody can restore would be no help
  read.metadata = options.detail;
  WALRIG_ASSIGN(std::vector<BackupEntry> entries, ListBackups(ctx, storage, read));
  BackupListReport report;
  report.order_warning = OrderWarning(entries);
  if (options.detail) {
    const bool all_known = std::all_of(entries.begin(), entries.end(), [](const BackupEntry& entry) {
      return entry.metadata && entry.metadata->start_time_ns != 0;
    });
    if (all_known) {
      std::stable_sort(entries.begin(), entries.end(), [](const BackupEntry& a, const BackupEntry& b) {
        return a.metadata->start_time_ns < b.metadata->start_time_ns;
      });
    }
  }
  for (BackupEntry& entry : entries) {
    BackupListRow row;
    row.backup_name = entry.name;
    row.modified_ns = entry.modified_ns;
    row.wal_file_name = entry.wal_file_name;
    row.storage_name = options.storage_name;
    row.problem = ProblemOf(entry, options.detail);
    row.metadata = std::move(entry.metadata);
    report.rows.push_back(std::move(row));
  }
  return report;
}

Json BackupListRowJson(const BackupListRow& row) {
  Json json = Json::object();
  json["backup_name"] = row.backup_name;
  json["time"] = FormatRfc3339Nano(row.modified_ns);
  json["wal_file_name"] = row.wal_file_name;
  json["storage_name"] = row.storage_name;
  if (row.metadata) json.update(BackupMetadataToJson(*row.metadata));
  return json;
}

std::vector<std::vector<std::string>> BackupListTable(const BackupListReport& report, bool detail, bool pretty) {
  std::vector<std::vector<std::string>> table{Header(detail, pretty)};
  for (const BackupListRow& row : report.rows) {
    std::vector<std::string> cells{row.backup_name, TimeCell(row.modified_ns, pretty), row.wal_file_name,
                                   row.storage_name};
    if (detail) AddDetailCells(row.metadata, pretty, &cells);
    table.push_back(std::move(cells));
  }
  return table;
}

}  // namespace walrig
