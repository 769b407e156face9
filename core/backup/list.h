// backup-list and its details: rows for the CLI to print.
//
// THREADS: a function without state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/catalog/backups.h"
#include "walrig/storage.h"

namespace walrig {

struct BackupListOptions {
  bool detail = false;
  std::string storage_name = "default";
};

// One line of the listing. Times of 0 print as "-".
struct BackupListRow {
  std::string backup_name;
  int64_t modified_ns = 0;
  std::string wal_file_name;
  std::string storage_name;
  // Why the backup cannot be used, or is only half described; "" when all is well. Named on stderr by the CLI.
  std::string problem;
  // Only with detail, and only when metadata.json could be read.
  std::optional<BackupMetadata> metadata;
};

struct BackupListReport {
  std::vector<BackupListRow> rows;  // by modification time; with detail by start time unless one is unknown
  std::string order_warning;        // when backups were not finished in the order of their modification; else ""
};

// FAILS WITH: what listing fails with. Damage of one backup is a row's `problem`.
Result<BackupListReport> BackupList(const Context& ctx, const BackupListOptions& options, Storage& storage);

// The object that --json prints for a row: backup_name, time, wal_file_name, storage_name, with detail all keys of
// metadata.json after them (walg-format 9.1).
Json BackupListRowJson(const BackupListRow& row);

// The table, as text cells: header line first. Columns as WAL-G names them; `pretty` gives its titles and RFC 850 times.
std::vector<std::vector<std::string>> BackupListTable(const BackupListReport& report, bool detail, bool pretty);

}  // namespace walrig
