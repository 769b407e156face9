// The questions that walrig asks a PostgreSQL server, by server version (13 to 18).
//
// THREADS: as Connection: one at a time a session.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/postgres/connection.h"
#include "core/postgres/lsn.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

struct ServerInfo {
  int version = 0;                  // server_version_num: 150004
  std::string data_directory;       // as the server shows it; may hold symbolic links
  uint64_t system_identifier = 0;   // the server's signed value, reinterpreted
  uint32_t timeline = 0;            // of the last checkpoint
  uint64_t wal_segment_bytes = 0;
  uint32_t block_bytes = 8192;
  bool in_recovery = false;
  bool data_checksums = false;
  // Empty when the role may not see it.
  std::string archive_mode;
  std::string archive_command;      // "(disabled)" or "" when there is none
  std::string archive_library;      // since 15
};
Result<ServerInfo> QueryServerInfo(const Context& ctx, Connection& connection);

// Timeline of the last checkpoint or restart point: what a promotion changes.
Result<uint32_t> QueryTimeline(const Context& ctx, Connection& connection);
// Whether the server is a standby now.
Result<bool> QueryInRecovery(const Context& ctx, Connection& connection);

// pg_stat_archiver. A command that ends with 126 or above, or by a signal, ends the archiver and is never counted.
struct ArchiverStats {
  uint64_t archived_count = 0;
  uint64_t failed_count = 0;
  std::string last_archived_wal{}, last_archived_time{};  // "" for none yet
  std::string last_failed_wal{}, last_failed_time{};
  bool failed_last = false;                               // the last failure is newer than the last success
};
Result<ArchiverStats> QueryArchiver(const Context& ctx, Connection& connection);

struct BackupStart {
  Lsn start_lsn{};
  std::string wal_name;  // of the segment that holds start_lsn, by the server; empty on a standby
  bool in_recovery = false;
};
// Begins a non-exclusive backup with a fast checkpoint. It lives as long as the session.
// FAILS WITH: kPermission with a hint which role is needed; kConflict when the session is in a backup already.
Result<BackupStart> StartBackup(const Context& ctx, Connection& connection, const std::string& label);

struct BackupStop {
  Lsn stop_lsn{};
  std::string backup_label;
  std::string tablespace_map;
};
struct StopBackupOptions {
  bool wait_for_archive = true;  // on a primary that archives: until the WAL of the backup is archived
  uint64_t timeout_ms = 0;       // statement_timeout; 0 = none
};
// Ends the backup that this session began. FAILS WITH: kTimeout after timeout_ms (the backup stays begun).
Result<BackupStop> StopBackup(const Context& ctx, Connection& connection, const StopBackupOptions& options);

// A table or index with its file, for partial restores (files_metadata.json, DatabasesByNames).
struct RelationFile {
  std::string name;         // "schema.relation"
  uint32_t oid = 0;
  uint32_t relfilenode = 0;
  std::string parent_name;  // "schema.parent" of a partition or inheriting table; empty
};
struct DatabaseName {
  std::string name;
  uint32_t oid = 0;
};
// Databases that allow connections.
Result<std::vector<DatabaseName>> QueryDatabases(const Context& ctx, Connection& connection);
// Relations of the database that `connection` is in, parents before their children. Stops at the first error of `each`.
Status QueryRelations(const Context& ctx, Connection& connection, const std::function<Status(RelationFile)>& each);

}  // namespace walrig
