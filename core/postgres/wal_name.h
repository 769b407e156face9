// WAL file names and their arithmetic, for every segment size from 1 MiB to 1 GiB.
//
//   00000001 00000002 000000A3            segment: timeline, log = number / per_log, seg = number % per_log
//   0000000100000002000000A3.partial      the last, unfinished segment of a timeline
//   00000002.history                      history of a timeline
//   0000000100000002000000A3.00000028.backup   backup history file: start offset within the segment
//
// per_log = 2^32 / segment size. Hexadecimal digits are upper case, as PostgreSQL writes them and no other way.
// THREADS: values and pure functions.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/postgres/lsn.h"
#include "core/postgres/timeline.h"
#include "walrig/result.h"

namespace walrig {

inline constexpr uint64_t kWalSegmentBytesDefault = 16u << 20;
inline constexpr uint64_t kWalSegmentBytesMin = 1u << 20;
inline constexpr uint64_t kWalSegmentBytesMax = 1u << 30;
inline constexpr size_t kWalSegmentNameLength = 24;

// A power of two from 1 MiB to 1 GiB.
constexpr bool IsWalSegmentSize(uint64_t bytes) noexcept {
  return bytes >= kWalSegmentBytesMin && bytes <= kWalSegmentBytesMax && (bytes & (bytes - 1)) == 0;
}

// The 24 digits. Valid for some segment size; only the arithmetic needs to know which.
struct WalName {
  Timeline timeline = 0;
  uint32_t log = 0;
  uint32_t seg = 0;

  friend constexpr auto operator<=>(const WalName&, const WalName&) = default;
};

std::string FormatWalName(const WalName& name);
// Exactly 24 upper-case hexadecimal digits with a timeline above 0. FAILS WITH: kInvalidArgument.
Result<WalName> ParseWalName(std::string_view text);
// The same, and `seg` must exist at this segment size.
Result<WalName> ParseWalName(std::string_view text, uint64_t segment_bytes);

// All below: REQUIRES IsWalSegmentSize(segment_bytes).
// The number of the segment since the beginning of the log.
uint64_t SegmentNumber(const WalName& name, uint64_t segment_bytes);
// FAILS WITH: kInvalidArgument for a number beyond the last segment of the log.
Result<WalName> WalNameOfNumber(Timeline timeline, uint64_t number, uint64_t segment_bytes);
// The segment that holds the byte at `lsn`.
WalName SegmentOfLsn(Timeline timeline, Lsn lsn, uint64_t segment_bytes);
// The segment that holds the byte before `lsn` (PostgreSQL's XLByteToPrevSeg): the last one a backup that ends at
// `lsn` needs. The same as SegmentOfLsn for 0.
WalName PreviousSegmentOfLsn(Timeline timeline, Lsn lsn, uint64_t segment_bytes);
Lsn SegmentStart(const WalName& name, uint64_t segment_bytes);
// FAILS WITH: kInvalidArgument at the end of the log.
Result<WalName> NextSegment(const WalName& name, uint64_t segment_bytes);
// FAILS WITH: kInvalidArgument for the first.
Result<WalName> PreviousSegment(const WalName& name, uint64_t segment_bytes);

enum class WalFileKind { kSegment, kPartial, kHistory, kBackup, kOther };

struct WalFile {
  WalFileKind kind = WalFileKind::kOther;
  WalName segment;        // of kSegment, kPartial, kBackup; of kHistory only the timeline
  uint32_t offset = 0;    // of kBackup: where in the segment the backup starts
};
// What a base name is; never fails: what is nothing else is kOther.
WalFile ClassifyWalFile(std::string_view basename);

std::string HistoryName(Timeline timeline);  // "00000002.history"
std::string PartialName(const WalName& name);
// "0000000100000002000000A3.00000028.backup" of a backup that started at `start`.
std::string BackupHistoryName(Timeline timeline, Lsn start, uint64_t segment_bytes);

// The first run of exactly 24 (or more: their first 24) upper-case hexadecimal digits, as WAL-G finds the WAL name in
// an object's name; empty when there is none.
std::string_view FindWalName(std::string_view text);

}  // namespace walrig
