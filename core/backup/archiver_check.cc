#include "core/backup/archiver_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/backup/archive_wait.h"
#include "core/postgres/archive_status.h"

namespace walrig {
namespace {

// pgarch.c: a failing file is tried three times, a second apart, and then again after a minute or for a new segment.
constexpr uint64_t kTriesOfTheArchiver = 3;
constexpr uint64_t kPatienceMinMs = 65'000;
constexpr uint64_t kSlowestBytesPerMs = 256;
constexpr uint64_t kProbePauseMinNs = 20'000'000;
constexpr uint64_t kProbePauseMaxNs = 500'000'000;
constexpr uint64_t kSayAfterNs = 5'000'000'000;

std::string OrNone(const std::string& name, const std::string& time) {
  return name.empty() ? "none yet" : fmt::format("{} at {}", name, time);
}

Status Fails(const ArchiverStats& now, const ArchiverCheck& check, const std::string& waits, uint64_t elapsed_ns) {
  std::string text = fmt::format("the server's archiver fails: {} waits, the last success was {}", waits,
                                 OrNone(now.last_archived_wal, now.last_archived_time));
  if (now.failed_last)
    text += fmt::format(", the last failure {}", OrNone(now.last_failed_wal, now.last_failed_time));
  else
    text += fmt::format(", and nothing was archived in {} ms", elapsed_ns / 1'000'000);
  const bool uncounted = now.failed_count == check.before.failed_count;
  return PreconditionFailed(text).Hint(
      uncounted ? "see the server's log; an archive_command that ends with 126 and above (127: it was not found) or by a signal "
                  "is counted nowhere. One that is only slow: raise WALG_STOP_BACKUP_TIMEOUT"
                : "without its WAL a backup cannot be restored: see the server's log for why archive_command fails");
}

}  // namespace

Status CheckArchiveSettings(const Context& ctx, const ServerInfo& server, bool in_storage) {
  if (server.in_recovery || server.archive_mode.empty()) return OkStatus();  // "": this role may not see it
  const bool off = server.archive_mode != "on" && server.archive_mode != "always";
  const bool command = !server.archive_command.empty() && server.archive_command != "(disabled)";
  if (!off && (command || !server.archive_library.empty())) return OkStatus();
  const std::string text = (off ? "archive_mode is " + server.archive_mode : "archive_command is empty") +
                           ": without the WAL that is written meanwhile, this backup cannot be restored";
  const std::string set =
      std::string("set ") + (off ? "archive_mode = on and " : "") + "archive_command = 'walrig wal-push \"%p\"'";
  if (in_storage)
    return ConfigError(text).Hint(set + "; where something else keeps the WAL, WALRIG_WAL_ARCHIVE=elsewhere");
  ctx.log->Write(LogLevel::kWarning, "backup", text + "; " + set);
  return OkStatus();
}

uint64_t ArchiverPatienceMs(uint64_t segment_bytes, uint64_t stop_timeout_ms) {
  if (stop_timeout_ms != 0) return stop_timeout_ms;
  return std::max(kPatienceMinMs, segment_bytes / kSlowestBytesPerMs);
}

Result<std::string> CheckArchiver(const Context& ctx, BackupServer& server, const ArchiverCheck& check) {
  const std::string directory = check.data_directory + "/pg_wal/archive_status";
  const uint64_t begin = ctx.clock->MonotonicNs();
  uint64_t pause = kProbePauseMinNs;
  std::string first;
  for (bool said = false;;) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(const ArchiverStats now, server.Archiver(ctx));
    if (now.archived_count != check.before.archived_count) return now.last_archived_wal;
    const Result<std::vector<std::string>> waiting = ScanReady(directory, 1);
    if (waiting.status().code() == Code::kNotFound) return std::string();
    if (!waiting.ok()) return waiting.status();
    if (waiting->empty() || (!first.empty() && waiting->front() != first)) return std::string();
    first = waiting->front();
    const uint64_t elapsed = ctx.clock->MonotonicNs() - begin;
    // One that failed before and fails in each of its tries now will not succeed in a minute. A first failure may pass.
    const bool fails_on = check.before.failed_last && now.failed_count >= check.before.failed_count + kTriesOfTheArchiver;
    if (fails_on || elapsed >= check.patience_ms * 1'000'000) return Fails(now, check, first, elapsed);
    if (!said && elapsed >= kSayAfterNs) {
      ctx.log->Write(LogLevel::kInfo, "backup", fmt::format("waiting for the archiver, which has not archived {} yet", first));
      said = true;
    }
    ctx.clock->SleepNs(pause, ctx.stop.fd());
    pause = std::min(kProbePauseMaxNs, pause * 2);
  }
}

}  // namespace walrig
