// pg_control: what a cluster says about itself, for PostgreSQL 13 to 18.
//
// 8192 bytes on disk, of which the first few hundred are a C struct in the byte order of the machine that wrote it,
// with a CRC-32C at its end (src/include/catalog/pg_control.h). Layouts that exist among the supported versions:
//
//   pg_control_version   majors     CRC at
//   1300                 13 to 16   288
//   1700                 17         288
//   1800                 18         292, after default_char_signedness
//
// THREADS: a value and a pure function.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/postgres/lsn.h"
#include "core/postgres/timeline.h"
#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig {

inline constexpr uint64_t kControlFileBytes = 8192;

enum class ClusterState : uint32_t {
  kStartingUp = 0,
  kShutDown = 1,
  kShutDownInRecovery = 2,
  kShuttingDown = 3,
  kCrashRecovery = 4,
  kArchiveRecovery = 5,
  kInProduction = 6,
};
// As pg_controldata prints it: "in production".
std::string_view ClusterStateName(ClusterState state);

struct ControlData {
  uint64_t system_identifier = 0;
  uint32_t control_version = 0;   // 1300, 1700, 1800
  uint32_t catalog_version = 0;   // 202209061
  ClusterState state = ClusterState::kStartingUp;
  int64_t time_s = 0;             // last update, since 1970
  Lsn checkpoint;                 // where the last checkpoint's record is
  Lsn checkpoint_redo;            // where replay from it begins
  Timeline checkpoint_timeline = 0;
  Timeline checkpoint_previous_timeline = 0;
  int64_t checkpoint_time_s = 0;
  Lsn min_recovery_point;
  Timeline min_recovery_timeline = 0;
  Lsn backup_start;               // set while a restored backup was not yet replayed to its end
  Lsn backup_end;
  bool backup_end_required = false;
  uint32_t wal_level = 0;         // 0 minimal, 1 replica, 2 logical
  uint32_t block_bytes = 0;
  uint32_t relation_segment_blocks = 0;
  uint32_t wal_block_bytes = 0;
  uint64_t wal_segment_bytes = 0;
  uint32_t data_checksum_version = 0;  // 1: pages carry checksums; see data_checksums()
  int major = 0;                  // from the catalog version; 0 when it is between releases

  // Only 1 says that every page has a checksum that holds. PostgreSQL 19 has 2 and 3 while checksums are being switched
  // off or on (src/include/storage/checksum.h): pages without one are sound then.
  bool data_checksums() const { return data_checksum_version == 1; }
};

// Reads and verifies. A file read from a running server may be torn: read again when the CRC does not hold.
// FAILS WITH: kTruncated (shorter than the struct), kNotSupported (control version of another PostgreSQL, or another
// byte order), kCorruption (the CRC, or a size that no server can have).
Result<ControlData> ParseControlFile(ByteSpan bytes);

}  // namespace walrig
