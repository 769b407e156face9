// BackupName: base_<segment>[_D_<segment of the parent>][_<8 hex>], the last form being WAL-E's.
//
// THREADS: a value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/postgres/wal_name.h"
#include "walrig/result.h"

namespace walrig {

inline constexpr std::string_view kLatest = "LATEST";

struct BackupName {
  WalName segment;                // where the backup starts
  std::optional<WalName> parent;  // a delta's parent's own segment
  std::string wale_offset;        // WAL-E: offset in the segment, 8 digits; else empty

  friend bool operator==(const BackupName&, const BackupName&) = default;
};

std::string FormatBackupName(const BackupName& name);
// The whole text must be a backup's name. FAILS WITH: kInvalidArgument.
Result<BackupName> ParseBackupName(std::string_view text);
std::string FullBackupName(const WalName& segment);
std::string DeltaBackupName(const WalName& segment, const WalName& parent);

// The WAL name that WAL-G shows for a backup: the first 24 digits, or 24 times 'Z'.
std::string WalFileNameOfBackup(std::string_view backup);

}  // namespace walrig
