// BackupMetadata: <backup>/metadata.json, authoritative for permanence and user data.
//
// All keys always present but user_data. Read, changed and rewritten by backup-mark: unknown keys survive.
// THREADS: a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/postgres/lsn.h"
#include "walrig/result.h"

namespace walrig {

struct BackupMetadata {
  int64_t start_time_ns = 0;   // since 1970; 0: unknown (Go's zero time)
  int64_t finish_time_ns = 0;
  std::string date_format;     // kDateFormatText
  std::string hostname;
  std::string data_directory;
  int pg_version = 0;
  Lsn start_lsn;
  Lsn finish_lsn;
  bool permanent = false;
  std::optional<uint64_t> system_identifier;
  int64_t uncompressed_bytes = 0;
  int64_t compressed_bytes = 0;
  std::optional<Json> user_data;
  Json unknown;                // an object
};

// FAILS WITH: kCorruption, naming the key.
Result<BackupMetadata> ParseBackupMetadata(std::string_view text, std::string_view what = "metadata.json");
std::string SerializeBackupMetadata(const BackupMetadata& metadata);

// The same object with its keys in backup-list --json --detail's order, for embedding.
Json BackupMetadataToJson(const BackupMetadata& metadata);

}  // namespace walrig
