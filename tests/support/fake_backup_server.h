// FakeBackupServer: a server that is a few numbers, with a data directory that is a few files; for tests of
// backup-push without PostgreSQL.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/backup/server.h"
#include "tests/support/synthetic_backup.h"
#include "tests/support/temp_dir.h"

namespace walrig::test {

// Makes the files of a small cluster.
inline void MakeCluster(const TempDir& data, uint64_t system_identifier) {
  data.Write("global/pg_control", MakeControlFile(system_identifier));
  data.Write("PG_VERSION", "15\n");
  data.Write("base/5/1259", MakePage(0, 'a') + MakePage(1, 'b'));
  data.Write("base/5/2600", std::string(8192, '\0'));
  data.Write("postgresql.conf", "port = 1\n");
  data.Write("pg_wal/000000010000000000000002", "left out");
  data.Mkdir("pg_tblspc");
}

// THREADS: Ping from any, the rest one at a time.
class FakeBackupServer final : public BackupServer {
 public:
  explicit FakeBackupServer(const TempDir& data) {
    info.version = 150004;
    info.data_directory = data.path();
    info.system_identifier = SyntheticBackup::kSystem;
    info.timeline = 1;
    info.wal_segment_bytes = 1 << 20;
    info.data_checksums = true;
    info.archive_mode = "on";
    info.archive_command = "walrig wal-push %p";
  }

  ServerInfo info;
  std::string wal_name = "000000010000000000000020";
  uint32_t timeline_now = 1;
  bool promoted = false;                 // InRecovery says no from now on
  Status start_status, stop_status, ping_status;
  std::function<void()> on_start;
  bool begun = false, aborted = false;
  int starts = 0, stops = 0, pings = 0;
  Lsn stop_lsn{0x2000100};
  std::optional<bool> begins_in_recovery;  // what Start says, when that differs from Info
  std::function<ArchiverStats()> archiver = [] { return ArchiverStats(); };

  Result<ServerInfo> Info(const Context&) override { return info; }
  Result<BackupStart> Start(const Context&, const std::string&) override {
    ++starts;
    if (!start_status.ok()) return start_status;
    begun = true;
    if (on_start) on_start();
    const bool in_recovery = begins_in_recovery.value_or(info.in_recovery);
    return BackupStart{Lsn{0x2000028}, in_recovery ? "" : wal_name, in_recovery};
  }
  Status Ping(const Context&) override {
    ++pings;
    return ping_status;
  }
  Result<BackupStop> Stop(const Context&, const StopBackupOptions&) override {
    ++stops;
    if (!stop_status.ok()) return stop_status;
    begun = false;
    return BackupStop{stop_lsn,
                      "START WAL LOCATION: 0/2000028 (file " + wal_name + ")\nCHECKPOINT LOCATION: 0/2000060\n"
                      "BACKUP METHOD: streamed\nBACKUP FROM: primary\nSTART TIME: 2026-11-23 10:00:00 UTC\n"
                      "LABEL: test\nSTART TIMELINE: 1\n",
                      ""};
  }
  void Abort(const Context&) noexcept override { begun = false, aborted = true; }
  Result<uint32_t> Timeline(const Context&) override { return timeline_now; }
  Result<ArchiverStats> Archiver(const Context&) override { return archiver(); }
  Result<bool> InRecovery(const Context&) override { return info.in_recovery && !promoted; }
  Result<std::vector<DatabaseName>> Databases(const Context&) override {
    return std::vector<DatabaseName>{{"postgres", 5}};
  }
  Status EachRelation(const Context&, const DatabaseName&, const std::function<Status(RelationFile)>& each) override {
    WALRIG_TRY(each({"pg_catalog.pg_class", 1259, 1259, ""}));
    WALRIG_TRY(each({"public.p", 2600, 0, ""}));
    return each({"public.p1", 2601, 2601, "public.p"});
  }
};

}  // namespace walrig::test
