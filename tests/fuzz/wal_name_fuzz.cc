// Names: of WAL files and objects, backups, tars, relations, histories. What parses, formats back.
#include "core/layout/backup_name.h"
#include "core/layout/paths.h"
#include "core/postgres/history_file.h"
#include "core/postgres/relation_file.h"
#include "core/postgres/wal_name.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walrig;
  const std::string_view text = fuzz::Text(data, size);
  if (const Result<WalName> name = ParseWalName(text); name.ok()) fuzz::Check(FormatWalName(*name) == text);
  for (uint64_t bytes = kWalSegmentBytesMin; bytes <= kWalSegmentBytesMax; bytes *= 2) {
    const Result<WalName> name = ParseWalName(text, bytes);
    if (!name.ok()) continue;
    fuzz::Check(SegmentOfLsn(name->timeline, SegmentStart(*name, bytes), bytes) == *name);
    const Result<WalName> next = NextSegment(*name, bytes);
    if (next.ok()) fuzz::Check(*PreviousSegment(*next, bytes) == *name);
  }
  if (const WalFile file = ClassifyWalFile(text); file.kind == WalFileKind::kHistory) {
    fuzz::Check(HistoryName(file.segment.timeline) == text);
  }
  if (const Result<BackupName> name = ParseBackupName(text); name.ok()) fuzz::Check(FormatBackupName(*name) == text);
  if (const auto object = ParseWalObjectName(text); object.has_value()) {
    fuzz::Check(ClassifyWalFile(object->wal_file).kind != WalFileKind::kOther);
  }
  if (const auto backup = BackupOfSentinelKey(text); backup.has_value()) fuzz::Check(SentinelKey(*backup) == text);
  if (const Result<Lsn> lsn = ParseLsn(text); lsn.ok()) fuzz::Check(*ParseLsn(FormatLsn(*lsn)) == *lsn);
  if (const Result<TimelineHistory> history = TimelineHistory::Parse(UINT32_MAX, text); history.ok()) {
    for (const HistoryEntry& entry : history->ancestors()) fuzz::Check(history->Contains(entry.timeline, entry.switch_point));
  }
  static_cast<void>(ParseTarName(text));
  static_cast<void>(ParseRelationPath(text));
  return 0;
}
