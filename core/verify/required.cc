#include "core/verify/required.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "core/layout/backup_name.h"
#include "core/layout/paths.h"
#include "core/postgres/wal_name.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

// Above it one listing of the timeline is cheaper than one of each segment.
constexpr uint64_t kSingleListingsMax = 16;
constexpr size_t kSegmentsShown = 5;
// 16 TiB of WAL in one backup: the LSNs are wrong.
constexpr uint64_t kSegmentsMax = 1u << 20;

Status CollectSegments(const Context& ctx, Storage& storage, const std::string& prefix, std::set<std::string>* found) {
  WALRIG_ASSIGN(std::vector<ObjectInfo> objects, ListAll(ctx, storage, std::string(kWalFolder) + prefix));
  for (const ObjectInfo& object : objects) {
    auto name = ParseWalObjectName(std::string_view(object.key).substr(kWalFolder.size()));
    if (name && ClassifyWalFile(name->wal_file).kind == WalFileKind::kSegment) found->insert(name->wal_file);
  }
  return OkStatus();
}

}  // namespace

void CheckRequiredTars(BackupUnderTest& backup) {
  const std::string folder = TarFolderKey(backup.name);
  auto name = ParseBackupName(backup.name);
  if (backup.objects.parts.empty()) backup.record.Add(folder, "holds no tar with files");
  if (name.ok() && !name->wale_offset.empty()) return;
  if (backup.objects.control.empty()) backup.record.Add(folder + "pg_control.tar", "missing");
  const bool label_needed = backup.members.knows_files() && !backup.members.label_is_in_parts() &&
                            backup.sentinel.pg_version >= 90600;
  if (backup.objects.label.empty() && label_needed) backup.record.Add(folder + "backup_label.tar", "missing");
}

Status CheckWal(const Context& ctx, Storage& storage, BackupUnderTest& backup) {
  auto name = ParseBackupName(backup.name);
  if (!backup.control || !name.ok() || !backup.sentinel.start_lsn || !backup.sentinel.finish_lsn) return OkStatus();
  const uint64_t segment_bytes = backup.control->wal_segment_bytes;
  if (!IsWalSegmentSize(segment_bytes)) return OkStatus();
  const Timeline timeline = name->segment.timeline;
  const uint64_t first =
      SegmentNumber(SegmentOfLsn(timeline, *backup.sentinel.start_lsn, segment_bytes), segment_bytes);
  const uint64_t last =
      SegmentNumber(PreviousSegmentOfLsn(timeline, *backup.sentinel.finish_lsn, segment_bytes), segment_bytes);
  if (last < first) {
    backup.record.Add(SentinelKey(backup.name), "the backup ends before it begins");
    return OkStatus();
  }
  if (last - first > kSegmentsMax) {
    backup.record.Add(SentinelKey(backup.name), fmt::format("the backup claims to need {} WAL segments", last - first + 1));
    return OkStatus();
  }
  std::set<std::string> found;
  const bool few = last - first < kSingleListingsMax;
  if (!few) WALRIG_TRY(CollectSegments(ctx, storage, fmt::format("{:08X}", timeline), &found));
  uint64_t missing = 0;
  for (uint64_t number = first; number <= last; ++number) {
    WALRIG_ASSIGN(WalName segment, WalNameOfNumber(timeline, number, segment_bytes));
    const std::string text = FormatWalName(segment);
    if (few) WALRIG_TRY(CollectSegments(ctx, storage, text, &found));
    if (found.count(text) != 0) continue;
    if (++missing <= kSegmentsShown) backup.record.Add(std::string(kWalFolder) + text, "WAL that the backup needs is missing");
  }
  if (missing > kSegmentsShown) {
    backup.record.Add(kWalFolder, fmt::format("{} more WAL segments that the backup needs are missing",
                                              missing - kSegmentsShown));
  }
  backup.record.result().wal_checked = true;
  return OkStatus();
}

}  // namespace walrig
