#include "core/backup/archive_wait.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "core/base/errno_status.h"
#include "core/layout/paths.h"
#include "core/postgres/wal_name.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

constexpr uint64_t kPauseMinNs = 5'000'000;
constexpr uint64_t kLookPauseMaxNs = 200'000'000;    // a stat costs nothing
constexpr uint64_t kListPauseMaxNs = 2'000'000'000;  // a listing costs money
constexpr uint64_t kWarnEachNs = 60'000'000'000;
// What the server counts as archived comes into the storage soon, by some relay, or never.
constexpr uint64_t kElsewhereNs = 120'000'000'000;
// 16 TiB of WAL in one backup: the LSNs are wrong.
constexpr uint64_t kSegmentsMax = 1u << 20;

// The pauses and the warnings of one wait.
class Patience {
 public:
  Patience(const Context& ctx, uint64_t timeout_ms, uint64_t pause_max_ns)
      : ctx_(ctx), timeout_ns_(timeout_ms * 1'000'000), pause_max_ns_(pause_max_ns), begin_(ctx.clock->MonotonicNs()) {}

  bool Exhausted() const { return timeout_ns_ != 0 && Elapsed() >= timeout_ns_; }
  uint64_t Elapsed() const { return ctx_.clock->MonotonicNs() - begin_; }

  void Pause(const std::string& waits_for) {
    if (Elapsed() >= warn_at_) {
      ctx_.log->Write(LogLevel::kWarning, "backup", "still waiting for " + waits_for);
      warn_at_ = Elapsed() + kWarnEachNs;
    }
    ctx_.clock->SleepNs(pause_, ctx_.stop.fd());
    pause_ = std::min(pause_max_ns_, pause_ * 2);
  }

 private:
  const Context& ctx_;
  const uint64_t timeout_ns_, pause_max_ns_, begin_;
  uint64_t warn_at_ = kWarnEachNs, pause_ = kPauseMinNs;
};

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

// One listing from the first missing segment to the last; what it shows is missing no more.
Status StrikeStored(const Context& ctx, Storage& storage, std::set<std::string>* missing) {
  const std::string first = *missing->begin(), last = *missing->rbegin();
  const auto differs = std::mismatch(first.begin(), first.end(), last.begin(), last.end());
  const std::string prefix = std::string(kWalFolder) + std::string(first.begin(), differs.first);
  std::string before;
  if (first != last) {
    // Below the first name in any form, and above all forms of the names before it.
    before = std::string(kWalFolder) + first;
    --before.back();
    before += '~';
  }
  WALRIG_ASSIGN(const std::vector<ObjectInfo> objects, ListAll(ctx, storage, prefix, "", before));
  for (const ObjectInfo& object : objects) {
    const auto name = ParseWalObjectName(std::string_view(object.key).substr(kWalFolder.size()));
    if (name) missing->erase(name->wal_file);
  }
  return OkStatus();
}

// A storage that must answer, and others of which each is complained of once.
Status StrikeInAll(const Context& ctx, const std::vector<Storage*>& storages, std::set<const Storage*>* silent,
                   std::set<std::string>* missing) {
  for (size_t i = 0; i < storages.size() && !missing->empty(); ++i) {
    Status status = StrikeStored(ctx, *storages[i], missing);
    if (status.ok()) continue;
    if (i == 0 || status.code() == Code::kCancelled) return std::move(status).With("looking for the WAL of the backup");
    if (silent->insert(storages[i]).second)
      ctx.log->Write(LogLevel::kWarning, "backup",
                     "the WAL of the backup cannot be looked for in another storage: " + status.ToString());
  }
  return OkStatus();
}

// Whether the server is done with all of them. Without its pg_wal nobody knows.
bool CountedAsArchived(const std::string& data_directory, const std::set<std::string>& names) {
  if (data_directory.empty()) return false;
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    const Result<bool> busy = IsBusy(data_directory + "/pg_wal", name);
    return busy.ok() && !*busy;
  });
}

Status NotStored(const std::set<std::string>& missing, uint64_t elapsed_ns, bool archived) {
  const std::string text =
      fmt::format("the WAL file {} {} in the storage after {} ms{}", *missing.begin(),
                  archived ? "was archived, but is not" : "is not", elapsed_ns / 1'000'000,
                  missing.size() == 1 ? "" : fmt::format(", nor are {} others that the backup needs", missing.size() - 1));
  if (!archived)
    return Timeout(text).Hint("see that archive_command works (the server's log, pg_stat_archiver), or raise "
                              "WALG_STOP_BACKUP_TIMEOUT");
  return Timeout(text).Hint(
      "archive_command stores to another place: let it be 'walrig wal-push \"%p\"' with this storage's settings; where WAL "
      "comes here later set WALG_STOP_BACKUP_TIMEOUT to how long that may take; where it is kept elsewhere on purpose set "
      "WALRIG_WAL_ARCHIVE=elsewhere");
}

}  // namespace

Result<std::vector<std::string>> WalOfBackup(uint32_t timeline, Lsn start, Lsn stop, uint64_t segment_bytes) {
  const uint64_t first = SegmentNumber(SegmentOfLsn(timeline, start, segment_bytes), segment_bytes);
  // A standby that replayed nothing since its restart point ends where it began.
  const uint64_t last =
      std::max(first, SegmentNumber(PreviousSegmentOfLsn(timeline, stop, segment_bytes), segment_bytes));
  if (stop < start || last - first >= kSegmentsMax)
    return ProtocolError(fmt::format("the server says that the backup goes from {} to {}", FormatLsn(start), FormatLsn(stop)));
  std::vector<std::string> names;
  for (uint64_t number = first; number <= last; ++number) {
    WALRIG_ASSIGN(const WalName name, WalNameOfNumber(timeline, number, segment_bytes));
    names.push_back(FormatWalName(name));
  }
  return names;
}

bool ArchivesItself(const ServerInfo& server) {
  return server.archive_mode == "always" || (server.archive_mode == "on" && !server.in_recovery);
}

Result<std::vector<std::string>> WalToBeArchived(const ServerInfo& server, uint32_t timeline, Lsn start, Lsn stop) {
  if (!ArchivesItself(server)) return std::vector<std::string>();
  WALRIG_ASSIGN(std::vector<std::string> names, WalOfBackup(timeline, start, stop, server.wal_segment_bytes));
  if (!server.in_recovery) names.push_back(BackupHistoryName(timeline, start, server.wal_segment_bytes));
  return names;
}

Status WaitForArchive(const Context& ctx, const std::string& data_directory, const std::vector<std::string>& names,
                      uint64_t timeout_ms) {
  Patience patience(ctx, timeout_ms, kLookPauseMaxNs);
  for (const std::string& name : names) {
    for (;;) {
      WALRIG_TRY(ctx.Poll());
      WALRIG_ASSIGN(bool busy, IsBusy(data_directory + "/pg_wal", name));
      if (!busy) break;
      if (patience.Exhausted())
        return Timeout(fmt::format("the WAL file {} was not archived in {} ms", name, timeout_ms))
            .Hint("see that archive_command works (the server's log, pg_stat_archiver), or raise "
                  "WALG_STOP_BACKUP_TIMEOUT");
      patience.Pause(name + " to be archived; see that archive_command works");
    }
  }
  return OkStatus();
}

Status WaitForStoredWal(const Context& ctx, const StoredWalWait& wait, const std::vector<std::string>& segments) {
  std::set<std::string> missing(segments.begin(), segments.end());
  std::set<const Storage*> silent;
  Patience patience(ctx, wait.timeout_ms, kListPauseMaxNs);
  uint64_t archived_at = UINT64_MAX;  // when all that is missing was first seen to be archived by the server's count
  while (!missing.empty()) {
    WALRIG_TRY(ctx.Poll());
    // Looked at before the storage is: what is archived by then must be seen by the listing.
    const bool archived = CountedAsArchived(wait.data_directory, missing);
    WALRIG_TRY(StrikeInAll(ctx, wait.storages, &silent, &missing));
    if (missing.empty()) break;
    if (!archived) archived_at = UINT64_MAX;
    if (archived && archived_at == UINT64_MAX) archived_at = patience.Elapsed();
    const bool elsewhere = archived && wait.timeout_ms == 0 && patience.Elapsed() - archived_at >= kElsewhereNs;
    if (elsewhere || patience.Exhausted()) return NotStored(missing, patience.Elapsed(), archived);
    patience.Pause(archived ? fmt::format("{} in the storage, although the server counts it as archived", *missing.begin())
                   : wait.data_directory.empty()
                       ? fmt::format("{} in the storage, which the primary archives when it is full: pg_switch_wal() there "
                                     "ends it",
                                     *missing.begin())
                       : fmt::format("{} in the storage; see that archive_command works", *missing.begin()));
  }
  return OkStatus();
}

}  // namespace walrig
