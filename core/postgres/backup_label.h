// backup_label and tablespace_map, the two files that pg_backup_stop gives back.
//
//   START WAL LOCATION: 0/2000028 (file 000000010000000000000002)
//   CHECKPOINT LOCATION: 0/2000060
//   BACKUP METHOD: streamed
//   BACKUP FROM: primary
//   START TIME: 2026-11-23 17:11:52 UTC
//   LABEL: text
//   START TIMELINE: 1
//
// The files are stored as the server wrote them; the parsers only look. THREADS: values and pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/postgres/lsn.h"
#include "core/postgres/timeline.h"
#include "core/postgres/wal_name.h"
#include "walrig/result.h"

namespace walrig {

struct BackupLabel {
  Lsn start;
  WalName start_segment;
  Lsn checkpoint;
  std::string method;      // "streamed", "pg_start_backup"
  std::string from;        // "primary" ("master" up to 13), "standby"
  std::string start_time;  // as written
  std::string label;
  Timeline timeline = 0;   // 0: line absent
  bool incremental = false;  // has INCREMENTAL FROM lines: PostgreSQL 17 refuses to start on it uncombined

  bool from_standby() const { return from == "standby"; }
};

// FAILS WITH: kCorruption when START WAL LOCATION or CHECKPOINT LOCATION is absent or malformed, or the lines contradict
// one another. Unknown lines are passed over.
Result<BackupLabel> ParseBackupLabel(std::string_view text);

struct TablespaceMapEntry {
  std::string oid;
  std::string path;  // absolute, unescaped
};
// One line an entry, "OID PATH"; newline, carriage return and backslash in a path are escaped by a backslash.
// FAILS WITH: kCorruption.
Result<std::vector<TablespaceMapEntry>> ParseTablespaceMap(std::string_view text);
std::string FormatTablespaceMap(const std::vector<TablespaceMapEntry>& entries);

}  // namespace walrig
