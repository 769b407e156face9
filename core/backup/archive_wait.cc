#include "core/backup/archive_wait.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/base/errno_status.h"
#include "core/postgres/wal_name.h"

namespace walrig {
namespace {

constexpr uint64_t kPauseMinNs = 5'000'000;
constexpr uint64_t kPauseMaxNs = 200'000'000;
constexpr uint64_t kWarnEachNs = 60'000'000'000;

Result<bool> FileExists(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0) return true;
  if (errno == ENOENT) return false;
  return ErrnoStatus(errno, "stat " + path);
}

// .done is looked at twice: the archiver may rename .ready between the two looks.
Result<bool> IsBusy(const std::string& wal_directory, const std::string& name) {
  const std::string status = wal_directory + "/archive_status/" + name;
  for (int look = 0; look < 2; ++look) {
    WALRIG_ASSIGN(bool done, FileExists(status + ".done"));
    if (done) return false;
    if (look == 1) break;
    WALRIG_ASSIGN(bool ready, FileExists(status + ".ready"));
    if (ready) return true;
  }
  // Neither: not yet marked, or archived, marked and recycled already.
  return FileExists(wal_directory + "/" + name);
}

}  // namespace

Result<std::vector<std::string>> WalToBeArchived(const ServerInfo& server, uint32_t timeline, Lsn start, Lsn stop) {
  const bool archives = server.archive_mode == "always" || (server.archive_mode == "on" && !server.in_recovery);
  if (!archives) return std::vector<std::string>();
  std::vector<std::string> names = {FormatWalName(PreviousSegmentOfLsn(timeline, stop, server.wal_segment_bytes))};
  if (!server.in_recovery) names.push_back(BackupHistoryName(timeline, start, server.wal_segment_bytes));
  return names;
}

Status WaitForArchive(const Context& ctx, const std::string& data_directory, const std::vector<std::string>& names,
                      uint64_t timeout_ms) {
  const std::string wal_directory = data_directory + "/pg_wal";
  const uint64_t begin = ctx.clock->MonotonicNs();
  uint64_t warn_at = begin + kWarnEachNs, pause = kPauseMinNs;
  for (const std::string& name : names) {
    for (;;) {
      WALRIG_TRY(ctx.Poll());
      WALRIG_ASSIGN(bool busy, IsBusy(wal_directory, name));
      if (!busy) break;
      const uint64_t now = ctx.clock->MonotonicNs();
      if (timeout_ms != 0 && now - begin >= timeout_ms * 1'000'000)
        return Timeout(fmt::format("the WAL file {} was not archived in {} ms", name, timeout_ms))
            .Hint("see that archive_command works (the server's log, pg_stat_archiver), or raise "
                  "WALG_STOP_BACKUP_TIMEOUT");
      if (now >= warn_at) {
        ctx.log->Write(LogLevel::kWarning, "backup",
                       fmt::format("still waiting for {} to be archived; see that archive_command works", name));
        warn_at = now + kWarnEachNs;
      }
      ctx.clock->SleepNs(pause, ctx.stop.fd());
      pause = std::min(kPauseMaxNs, pause * 2);
    }
  }
  return OkStatus();
}

}  // namespace walrig
