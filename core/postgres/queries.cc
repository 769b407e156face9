#include "core/postgres/queries.h"

#include <fmt/format.h>

#include "core/base/string_util.h"

namespace walrig {
namespace {

Result<QueryResult> OneRow(const Context& ctx, Connection& connection, const std::string& sql, size_t columns,
                           std::span<const std::string> parameters = {}) {
  WALRIG_ASSIGN(QueryResult rows, connection.Query(ctx, sql, parameters));
  if (rows.rows() != 1 || rows.columns() != columns)
    return ProtocolError(fmt::format("the server answered {} rows to '{}'", rows.rows(), sql));
  return rows;
}

// A setting, or "" when this role or version does not see it.
Result<std::string> Setting(const Context& ctx, Connection& connection, const std::string& name) {
  const std::string parameters[] = {name};
  Result<QueryResult> rows = OneRow(ctx, connection, "SELECT current_setting($1, true)", 1, parameters);
  if (rows.ok()) return rows->null(0, 0) ? std::string() : rows->text(0, 0);
  if (rows.status().code() == Code::kPermission) return std::string();
  return std::move(rows).status();
}

// data_directory is shown to superusers and members of pg_read_all_settings only.
Result<std::string> DataDirectory(const Context& ctx, Connection& connection) {
  WALRIG_ASSIGN(std::string path, Setting(ctx, connection, "data_directory"));
  if (!path.empty()) return path;
  return PermissionDenied("this role may not see the setting data_directory")
      .Hint("GRANT pg_read_all_settings TO the role, or use a superuser");
}

Result<uint32_t> Uint32(const QueryResult& rows, size_t row, size_t column) {
  WALRIG_ASSIGN(uint64_t value, rows.Uint(row, column));
  if (value > UINT32_MAX) return ProtocolError(fmt::format("the server answered {} for a 32-bit number", value));
  return static_cast<uint32_t>(value);
}

std::string BackupFunction(const Connection& connection, bool start) {
  if (connection.server_version() >= 150000) return start ? "pg_backup_start" : "pg_backup_stop";
  return start ? "pg_start_backup" : "pg_stop_backup";
}

Status WithBackupHint(Status status) {
  if (status.code() == Code::kPermission)
    return std::move(status).Hint(
        "use a superuser, or GRANT EXECUTE on the functions pg_backup_start and pg_backup_stop (before PostgreSQL 15: "
        "pg_start_backup(text, boolean, boolean) and pg_stop_backup(boolean, boolean)) to the role");
  return status;
}

}  // namespace

Result<ServerInfo> QueryServerInfo(const Context& ctx, Connection& connection) {
  ServerInfo info;
  info.version = connection.server_version();
  WALRIG_ASSIGN(info.data_directory, DataDirectory(ctx, connection));
  WALRIG_ASSIGN(QueryResult rows,
                OneRow(ctx, connection,
                       "SELECT s.system_identifier, c.timeline_id, i.bytes_per_wal_segment, i.database_block_size, "
                       "pg_is_in_recovery(), current_setting('data_checksums') "
                       "FROM pg_control_system() s, pg_control_checkpoint() c, pg_control_init() i",
                       6));
  WALRIG_ASSIGN(int64_t identifier, rows.Int(0, 0));
  info.system_identifier = static_cast<uint64_t>(identifier);
  WALRIG_ASSIGN(info.timeline, Uint32(rows, 0, 1));
  WALRIG_ASSIGN(info.wal_segment_bytes, rows.Uint(0, 2));
  WALRIG_ASSIGN(info.block_bytes, Uint32(rows, 0, 3));
  WALRIG_ASSIGN(info.in_recovery, rows.Bool(0, 4));
  info.data_checksums = rows.text(0, 5) == "on";
  WALRIG_ASSIGN(info.archive_mode, Setting(ctx, connection, "archive_mode"));
  WALRIG_ASSIGN(info.archive_command, Setting(ctx, connection, "archive_command"));
  WALRIG_ASSIGN(info.archive_library, Setting(ctx, connection, "archive_library"));
  return info;
}

Result<uint32_t> QueryTimeline(const Context& ctx, Connection& connection) {
  WALRIG_ASSIGN(QueryResult rows, OneRow(ctx, connection, "SELECT timeline_id FROM pg_control_checkpoint()", 1));
  return Uint32(rows, 0, 0);
}

Result<bool> QueryInRecovery(const Context& ctx, Connection& connection) {
  WALRIG_ASSIGN(QueryResult rows, OneRow(ctx, connection, "SELECT pg_is_in_recovery()", 1));
  return rows.Bool(0, 0);
}

Result<ArchiverStats> QueryArchiver(const Context& ctx, Connection& connection) {
  WALRIG_ASSIGN(QueryResult rows,
                OneRow(ctx, connection,
                       "SELECT archived_count, failed_count, coalesce(last_archived_wal, ''), "
                       "coalesce(last_archived_time::text, ''), coalesce(last_failed_wal, ''), "
                       "coalesce(last_failed_time::text, ''), "
                       "coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) "
                       "FROM pg_catalog.pg_stat_archiver",
                       7));
  ArchiverStats stats;
  WALRIG_ASSIGN(stats.archived_count, rows.Uint(0, 0));
  WALRIG_ASSIGN(stats.failed_count, rows.Uint(0, 1));
  stats.last_archived_wal = rows.text(0, 2);
  stats.last_archived_time = rows.text(0, 3);
  stats.last_failed_wal = rows.text(0, 4);
  stats.last_failed_time = rows.text(0, 5);
  WALRIG_ASSIGN(stats.failed_last, rows.Bool(0, 6));
  return stats;
}

Result<BackupStart> StartBackup(const Context& ctx, Connection& connection, const std::string& label) {
  const bool exclusive_argument = connection.server_version() < 150000;
  const std::string sql =
      fmt::format("SELECT lsn, CASE WHEN pg_is_in_recovery() THEN '' ELSE pg_walfile_name(lsn) END, "
                  "pg_is_in_recovery() FROM {}($1, true{}) AS lsn",
                  BackupFunction(connection, true), exclusive_argument ? ", false" : "");
  // The backup lives as long as this session: no timeout of the role's may end it while files are copied.
  struct Timeout {
    const char* name;
    int since;
  };
  constexpr Timeout kTimeouts[] = {
      {"statement_timeout", 0}, {"idle_session_timeout", 140000}, {"transaction_timeout", 170000}};
  for (const Timeout& timeout : kTimeouts)
    if (connection.server_version() >= timeout.since)
      WALRIG_TRY(connection.Query(ctx, fmt::format("SET {} = 0", timeout.name)).status());
  const std::string parameters[] = {label};
  Result<QueryResult> rows = OneRow(ctx, connection, sql, 3, parameters);
  if (!rows.ok()) return WithBackupHint(std::move(rows).status()).With("beginning the backup on the server");
  BackupStart start;
  WALRIG_ASSIGN(start.start_lsn, ParseLsn(rows->text(0, 0)));
  start.wal_name = rows->text(0, 1);
  WALRIG_ASSIGN(start.in_recovery, rows->Bool(0, 2));
  return start;
}

Result<BackupStop> StopBackup(const Context& ctx, Connection& connection, const StopBackupOptions& options) {
  const bool exclusive_argument = connection.server_version() < 150000;
  const std::string parameters[] = {std::to_string(options.timeout_ms)};
  Result<QueryResult> set =
      OneRow(ctx, connection, "SELECT set_config('statement_timeout', $1, false)", 1, parameters);
  if (!set.ok()) return std::move(set).status().With("ending the backup on the server");
  const std::string sql =
      fmt::format("SELECT lsn, labelfile, spcmapfile FROM {}({}{})", BackupFunction(connection, false),
                  exclusive_argument ? "false, " : "", options.wait_for_archive ? "true" : "false");
  Result<QueryResult> rows = OneRow(ctx, connection, sql, 3);
  if (!rows.ok() && rows.status().code() == Code::kTimeout)
    return std::move(rows)
        .status()
        .Hint("the server waits until the WAL of the backup is archived: see that archive_command works, or raise "
              "WALG_STOP_BACKUP_TIMEOUT")
        .With("ending the backup on the server");
  if (!rows.ok()) return WithBackupHint(std::move(rows).status()).With("ending the backup on the server");
  BackupStop stop;
  WALRIG_ASSIGN(stop.stop_lsn, ParseLsn(rows->text(0, 0)));
  stop.backup_label = rows->text(0, 1);
  stop.tablespace_map = rows->text(0, 2);
  if (stop.backup_label.empty()) return ProtocolError("the server gave no backup_label");
  return stop;
}

Result<std::vector<DatabaseName>> QueryDatabases(const Context& ctx, Connection& connection) {
  WALRIG_ASSIGN(QueryResult rows, connection.Query(ctx, "SELECT datname, oid FROM pg_catalog.pg_database "
                                                        "WHERE datallowconn AND datconnlimit <> -2 ORDER BY datname"));
  std::vector<DatabaseName> databases;
  for (size_t row = 0; row < rows.rows(); ++row) {
    WALRIG_ASSIGN(uint32_t oid, Uint32(rows, row, 1));
    databases.push_back({rows.text(row, 0), oid});
  }
  return databases;
}

Status QueryRelations(const Context& ctx, Connection& connection, const std::function<Status(RelationFile)>& each) {
  // Every descendant stands under the root of its tree, however deep, so that a partial restore of a table takes all
  // its partitions. Mapped catalogues have relfilenode 0 in pg_class; their path knows better.
  const std::string sql = R"(
    WITH RECURSIVE up(oid, ancestor) AS (
      SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits WHERE inhseqno = 1
      UNION
      SELECT up.oid, i.inhparent FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.ancestor AND i.inhseqno = 1
    ), root AS (
      SELECT oid, ancestor FROM up
      WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = up.ancestor)
    ), name AS (
      SELECT c.oid, n.nspname || '.' || c.relname AS full_name
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    )
    SELECT own.full_name, c.oid,
           CASE WHEN c.relfilenode <> 0 THEN c.relfilenode
                ELSE coalesce(substring(pg_catalog.pg_relation_filepath(c.oid) FROM '[0-9]+$'), '0')::oid END,
           coalesce(parent.full_name, '')
    FROM pg_catalog.pg_class c JOIN name own ON own.oid = c.oid
         LEFT JOIN root ON root.oid = c.oid LEFT JOIN name parent ON parent.oid = root.ancestor
    WHERE c.relkind IN ('r', 'i', 't', 'm', 'S', 'p', 'I')
    ORDER BY coalesce(parent.full_name, own.full_name), parent.full_name IS NOT NULL, own.full_name)";
  return connection.QueryEach(ctx, sql, {}, [&](const QueryResult& row) -> Status {
    RelationFile relation;
    relation.name = row.text(0, 0);
    WALRIG_ASSIGN(relation.oid, Uint32(row, 0, 1));
    WALRIG_ASSIGN(relation.relfilenode, Uint32(row, 0, 2));
    relation.parent_name = row.text(0, 3);
    return each(std::move(relation));
  });
}

}  // namespace walrig
