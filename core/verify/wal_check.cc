#include "core/verify/wal_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <vector>

#include "core/catalog/archived_wal.h"
#include "core/layout/backup_name.h"
#include "core/layout/paths.h"
#include "core/pipeline/worker_pool.h"
#include "core/postgres/wal_content.h"
#include "core/postgres/wal_name.h"
#include "core/storage/objects.h"
#include "core/verify/damage.h"

namespace walrig {
namespace {

// Above it one listing of the timeline is cheaper than one of each segment.
constexpr uint64_t kSingleListingsMax = 16;
constexpr size_t kSegmentsShown = 5;
// 16 TiB of WAL in one backup: the LSNs are wrong.
constexpr uint64_t kSegmentsMax = 1u << 20;

struct WalRange {
  Timeline timeline = 0;
  uint64_t segment_bytes = 0;
  uint64_t first = 0, last = 0;  // numbers of segments
  Lsn stop{};
};

Status CollectSegments(const Context& ctx, Storage& storage, const std::string& prefix, std::set<std::string>* found) {
  WALRIG_ASSIGN(std::vector<ObjectInfo> objects, ListAll(ctx, storage, std::string(kWalFolder) + prefix));
  for (const ObjectInfo& object : objects) {
    auto name = ParseWalObjectName(std::string_view(object.key).substr(kWalFolder.size()));
    if (name && ClassifyWalFile(name->wal_file).kind == WalFileKind::kSegment) found->insert(name->wal_file);
  }
  return OkStatus();
}

// Nothing when it is not known, which is noted, or wrong, which is a finding.
std::optional<WalRange> RangeOf(BackupUnderTest& backup) {
  const auto name = ParseBackupName(backup.name);
  const auto leave_out = [&](const std::string& why) -> std::optional<WalRange> {
    backup.record.LeaveOut("WAL", why);
    return std::nullopt;
  };
  if (!backup.control) return leave_out(backup.control_unknown);
  if (!name.ok()) return leave_out("the backup's name does not say its timeline");
  if (!backup.sentinel.start_lsn || !backup.sentinel.finish_lsn) return leave_out("the sentinel does not say start and finish");
  WalRange range{.timeline = name->segment.timeline, .segment_bytes = backup.control->wal_segment_bytes};
  range.stop = *backup.sentinel.finish_lsn;
  range.first = SegmentNumber(SegmentOfLsn(range.timeline, *backup.sentinel.start_lsn, range.segment_bytes), range.segment_bytes);
  range.last = SegmentNumber(PreviousSegmentOfLsn(range.timeline, range.stop, range.segment_bytes), range.segment_bytes);
  if (range.last >= range.first && range.last - range.first <= kSegmentsMax) return range;
  backup.record.Add(SentinelKey(backup.name),
                    range.last < range.first ? std::string("the backup ends before it begins")
                                             : fmt::format("the backup claims to need {} WAL segments", range.last - range.first + 1));
  return std::nullopt;
}

// Which segments are there; a finding for those that are not.
Result<std::vector<uint64_t>> FindSegments(const Context& ctx, Storage& storage, const WalRange& range, VerifyRecord& record) {
  std::set<std::string> found;
  const bool few = range.last - range.first < kSingleListingsMax;
  if (!few) WALRIG_TRY(CollectSegments(ctx, storage, fmt::format("{:08X}", range.timeline), &found));
  std::vector<uint64_t> there;
  uint64_t missing = 0;
  for (uint64_t number = range.first; number <= range.last; ++number) {
    WALRIG_ASSIGN(const WalName segment, WalNameOfNumber(range.timeline, number, range.segment_bytes));
    const std::string text = FormatWalName(segment);
    if (few) WALRIG_TRY(CollectSegments(ctx, storage, text, &found));
    if (found.count(text) != 0) {
      there.push_back(number);
    } else if (++missing <= kSegmentsShown) {
      record.Add(std::string(kWalFolder) + text, "WAL that the backup needs is missing");
    }
  }
  if (missing > kSegmentsShown) {
    record.Add(kWalFolder, fmt::format("{} more WAL segments that the backup needs are missing", missing - kSegmentsShown));
  }
  return there;
}

class WalChecker {
 public:
  WalChecker(const WalCheckDeps& deps, const WalRange& range, BackupUnderTest& backup)
      : deps_(deps), range_(range), backup_(backup) {}

  // Segments in a row, and the rest of the record that the last one leaves open when `next_is_there`.
  Status CheckRun(const Context& ctx, uint64_t first, uint64_t last, bool next_is_there) {
    std::optional<WalRecordReader> reader;
    for (uint64_t number = first; number <= last; ++number) {
      WALRIG_TRY(ctx.Poll());
      WALRIG_TRY(CheckSegment(ctx, number, &reader));
    }
    return next_is_there && reader && reader->in_record() ? CheckCrossing(ctx, last + 1, std::move(*reader)) : OkStatus();
  }

  bool release_unknown() const { return release_unknown_; }

 private:
  Status CheckSegment(const Context& ctx, uint64_t number, std::optional<WalRecordReader>* reader) {
    WALRIG_ASSIGN(const WalName name, WalNameOfNumber(range_.timeline, number, range_.segment_bytes));
    const std::string key = std::string(kWalFolder) + FormatWalName(name);
    WalContentCheck check(Expected(name), std::exchange(*reader, std::nullopt));
    Status status = Read(ctx, name, check, Lsn{UINT64_MAX});
    if (status.ok()) status = check.Finish();
    WALRIG_TRY(NoteDamage(backup_.record, key, status));
    if (!status.ok()) return OkStatus();
    if (!check.records()) release_unknown_ = true;
    *reader = check.records();
    const std::optional<WalBreak> end = check.early_end();
    if (end && end->at < range_.stop) {
      backup_.record.Add(key, fmt::format("the WAL in it ends at {} ({}), and the backup needs it up to {}", FormatLsn(end->at),
                                          end->why, FormatLsn(range_.stop)));
    }
    return OkStatus();
  }

  // Whatever else is wrong with that segment is found by who reads it whole.
  Status CheckCrossing(const Context& ctx, uint64_t number, WalRecordReader reader) {
    WALRIG_ASSIGN(const WalName name, WalNameOfNumber(range_.timeline, number, range_.segment_bytes));
    WalContentCheck check(Expected(name), std::move(reader));
    const Status status = Read(ctx, name, check, SegmentStart(name, range_.segment_bytes));
    if (!status.ok()) return IsDamage(status) ? OkStatus() : status;
    if (!check.records() || !check.records()->broken()) return OkStatus();
    const WalBreak& found = *check.records()->broken();
    if (found.at < SegmentStart(name, range_.segment_bytes)) {
      backup_.record.Add(std::string(kWalFolder) + FormatWalName(name),
                         fmt::format("the record that begins at {}, in the segment before, is damaged: {}", FormatLsn(found.at), found.why));
    }
    return OkStatus();
  }

  // Until the WAL is proven beyond `until`, or to the end.
  Status Read(const Context& ctx, const WalName& name, WalContentCheck& check, Lsn until) {
    WALRIG_ASSIGN(const ArchivedWalFile archived, OpenArchivedWalFile(ctx, deps_.storage, deps_.codecs, FormatWalName(name),
                                                                      deps_.preferred_extension));
    Buffer buffer(kIoBufferBytes);
    for (;;) {
      WALRIG_TRY(ctx.Poll());
      WALRIG_ASSIGN(const size_t got, archived.plain->Read(ctx, buffer.span()));
      if (got == 0) return OkStatus();
      WALRIG_TRY(check.Add(buffer.first(got)));
      if (check.records() && check.records()->end() > until) return OkStatus();
    }
  }

  WalContentCheck::Expected Expected(const WalName& name) const {
    return {.file = {.kind = WalFileKind::kSegment, .segment = name},
            .system_identifier = backup_.control->system_identifier,
            .segment_bytes = range_.segment_bytes,
            .major = backup_.control->major};
  }

  const WalCheckDeps& deps_;
  const WalRange range_;
  BackupUnderTest& backup_;
  std::atomic<bool> release_unknown_{false};
};

}  // namespace

Status CheckWal(const Context& ctx, const WalCheckDeps& deps, BackupUnderTest& backup) {
  const std::optional<WalRange> range = RangeOf(backup);
  if (!range) return OkStatus();
  WALRIG_ASSIGN(const std::vector<uint64_t> there, FindSegments(ctx, deps.storage, *range, backup.record));
  WalChecker checker(deps, *range, backup);
  const size_t workers = std::clamp<size_t>(deps.workers, 1, std::max<size_t>(there.size(), 1));
  const size_t run_max = (there.size() + workers - 1) / workers;
  {
    WorkerPool pool(workers);
    for (size_t i = 0; i < there.size();) {
      size_t end = i + 1;
      while (end < there.size() && end - i < run_max && there[end] == there[end - 1] + 1) ++end;
      const uint64_t first = there[i], last = there[end - 1];
      const bool next_is_there = end < there.size() && there[end] == last + 1;
      pool.Submit([&ctx, &checker, first, last, next_is_there] { return checker.CheckRun(ctx, first, last, next_is_there); });
      i = end;
    }
    WALRIG_TRY(pool.Wait());
  }
  if (checker.release_unknown()) {
    backup.record.LeaveOut("WAL records", "their PostgreSQL is not known to this release");
  }
  backup.record.result().wal_checked = true;
  return OkStatus();
}

}  // namespace walrig
