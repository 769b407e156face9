#include "core/postgres/wal_name.h"

#include <fmt/format.h>

#include "core/base/assert.h"

namespace walrig {
namespace {

bool IsUpperHex(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); }

// Exactly eight upper-case digits.
bool ParseWord(std::string_view text, uint32_t* word) {
  if (text.size() != 8) return false;
  uint32_t value = 0;
  for (char c : text) {
    if (!IsUpperHex(c)) return false;
    value = value << 4 | static_cast<uint32_t>(c <= '9' ? c - '0' : c - 'A' + 10);
  }
  *word = value;
  return true;
}

bool ParseSegment(std::string_view text, WalName* name) {
  return text.size() == kWalSegmentNameLength && ParseWord(text.substr(0, 8), &name->timeline) &&
         ParseWord(text.substr(8, 8), &name->log) && ParseWord(text.substr(16, 8), &name->seg) && name->timeline != 0;
}

uint64_t SegmentsPerLog(uint64_t segment_bytes) {
  WALRIG_ASSERT(IsWalSegmentSize(segment_bytes));
  return (uint64_t{1} << 32) / segment_bytes;
}

}  // namespace

std::string FormatWalName(const WalName& name) {
  return fmt::format("{:08X}{:08X}{:08X}", name.timeline, name.log, name.seg);
}

Result<WalName> ParseWalName(std::string_view text) {
  WalName name;
  if (!ParseSegment(text, &name)) {
    return InvalidArgument(fmt::format("'{}' is not the name of a WAL segment", text.substr(0, 64)));
  }
  return name;
}

Result<WalName> ParseWalName(std::string_view text, uint64_t segment_bytes) {
  WALRIG_ASSIGN(WalName name, ParseWalName(text));
  if (name.seg >= SegmentsPerLog(segment_bytes)) {
    return InvalidArgument(fmt::format("no WAL segment '{}' exists with segments of {} bytes", text, segment_bytes))
        .Hint("is the WAL segment size right?");
  }
  return name;
}

uint64_t SegmentNumber(const WalName& name, uint64_t segment_bytes) {
  return name.log * SegmentsPerLog(segment_bytes) + name.seg;
}

Result<WalName> WalNameOfNumber(Timeline timeline, uint64_t number, uint64_t segment_bytes) {
  const uint64_t per_log = SegmentsPerLog(segment_bytes);
  if (number / per_log > UINT32_MAX) return InvalidArgument(fmt::format("there is no WAL segment {}", number));
  return WalName{timeline, static_cast<uint32_t>(number / per_log), static_cast<uint32_t>(number % per_log)};
}

WalName SegmentOfLsn(Timeline timeline, Lsn lsn, uint64_t segment_bytes) {
  const uint64_t per_log = SegmentsPerLog(segment_bytes);
  const uint64_t number = lsn.value / segment_bytes;
  return {timeline, static_cast<uint32_t>(number / per_log), static_cast<uint32_t>(number % per_log)};
}

WalName PreviousSegmentOfLsn(Timeline timeline, Lsn lsn, uint64_t segment_bytes) {
  return SegmentOfLsn(timeline, Lsn{lsn.value == 0 ? 0 : lsn.value - 1}, segment_bytes);
}

Lsn SegmentStart(const WalName& name, uint64_t segment_bytes) {
  return Lsn{SegmentNumber(name, segment_bytes) * segment_bytes};
}

Result<WalName> NextSegment(const WalName& name, uint64_t segment_bytes) {
  return WalNameOfNumber(name.timeline, SegmentNumber(name, segment_bytes) + 1, segment_bytes);
}

Result<WalName> PreviousSegment(const WalName& name, uint64_t segment_bytes) {
  const uint64_t number = SegmentNumber(name, segment_bytes);
  if (number == 0) return InvalidArgument("nothing is before the first WAL segment");
  return WalNameOfNumber(name.timeline, number - 1, segment_bytes);
}

WalFile ClassifyWalFile(std::string_view basename) {
  WalFile file;
  if (basename.size() == 16 && basename.substr(8) == ".history" && ParseWord(basename.substr(0, 8), &file.segment.timeline) &&
      file.segment.timeline != 0) {
    file.kind = WalFileKind::kHistory;
    return file;
  }
  if (!ParseSegment(basename.substr(0, kWalSegmentNameLength), &file.segment)) return WalFile{};
  const std::string_view rest = basename.substr(kWalSegmentNameLength);
  if (rest.empty()) {
    file.kind = WalFileKind::kSegment;
  } else if (rest == ".partial") {
    file.kind = WalFileKind::kPartial;
  } else if (rest.size() == 16 && rest[0] == '.' && ParseWord(rest.substr(1, 8), &file.offset) &&
             rest.substr(9) == ".backup") {
    file.kind = WalFileKind::kBackup;
  } else {
    return WalFile{};
  }
  return file;
}

std::string HistoryName(Timeline timeline) { return fmt::format("{:08X}.history", timeline); }

std::string PartialName(const WalName& name) { return FormatWalName(name) + ".partial"; }

std::string BackupHistoryName(Timeline timeline, Lsn start, uint64_t segment_bytes) {
  return fmt::format("{}.{:08X}.backup", FormatWalName(SegmentOfLsn(timeline, start, segment_bytes)),
                     start.value % segment_bytes);
}

std::string_view FindWalName(std::string_view text) {
  size_t run = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    run = IsUpperHex(text[i]) ? run + 1 : 0;
    if (run == kWalSegmentNameLength) return text.substr(i + 1 - kWalSegmentNameLength, kWalSegmentNameLength);
  }
  return {};
}

}  // namespace walrig
