// The long header with which every WAL segment begins.
//
//   0 u16 magic  2 u16 info  4 u32 timeline  8 u64 page address  16 u32 rest of a continued record  20 padding
//   24 u64 system identifier  32 u32 segment size  36 u32 WAL block size (src/include/access/xlog_internal.h)
//
// THREADS: a value and pure functions.
#pragma once

#include <cstdint>

#include "core/postgres/lsn.h"
#include "core/postgres/timeline.h"
#include "core/postgres/wal_name.h"
#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig {

inline constexpr size_t kWalShortHeaderBytes = 24;  // of every other page: up to the system identifier
inline constexpr size_t kWalLongHeaderBytes = 40;
// Bits of a page's info.
inline constexpr uint16_t kWalPageContinued = 0x0001;  // it begins with the rest of a record
inline constexpr uint16_t kWalPageLong = 0x0002;       // its header is the long one
inline constexpr uint16_t kWalPageAbandoned = 0x0008;  // the record begun before was cut off by a crash (13.5, 14.1 and later)
inline constexpr uint16_t kWalPageFlags = 0x000F;      // all there are

struct WalLongHeader {
  uint16_t magic = 0;
  uint16_t info = 0;
  Timeline timeline = 0;
  Lsn page_address;
  uint32_t continued_bytes = 0;
  uint64_t system_identifier = 0;
  uint64_t segment_bytes = 0;
  uint32_t block_bytes = 0;
  int major = 0;  // by the magic; 0 when it is of a version that we do not know
};

// 13: D106, 14: D10D, 15: D110, 16: D113, 17: D116, 18: D118. 0 for others.
int PgMajorOfWalMagic(uint16_t magic) noexcept;

// FAILS WITH: kTruncated (fewer than kWalLongHeaderBytes), kCorruption (not a WAL magic, not a long header, unknown
// flags, an address at which no segment begins, sizes that no server can have).
Result<WalLongHeader> ParseWalLongHeader(ByteSpan bytes);

struct WalExpectation {
  WalName name;
  uint64_t system_identifier = 0;  // 0: any
  uint64_t segment_bytes = 0;      // 0: any
  int major = 0;                   // 0: any
};
// Whether a file with this header may stand under that name. The header's timeline may be older than the name's: after
// a switch the first segment of the new timeline begins with a copy of the old one.
// FAILS WITH: kCorruption for another segment's content, kConflict for another cluster's.
Status CheckWalHeader(const WalLongHeader& header, const WalExpectation& expected);

}  // namespace walrig
