// Which backups a storage holds, and everything its documents say about one.
//
// A backup exists exactly when its sentinel lies directly inside basebackups_005/. Lists are in the order of the sentinels'
// modification times in the storage (WAL-G internal/backup_util.go); equal times are ordered by name. LATEST is the backup
// that was finished last by its own documents: a copy of a storage has the time stamps of the copying. A document that cannot be read is part of the answer, not the end of the listing: each entry carries its own
// statuses.
//
// THREADS: functions without state; the storage decides.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/layout/backup_metadata.h"
#include "core/layout/proof.h"
#include "core/layout/sentinel.h"
#include "walrig/storage.h"

namespace walrig {

// Documents larger than this are not read into memory: a sentinel with embedded lists of files is the largest.
inline constexpr uint64_t kDocumentBytesMax = 256u << 20;

struct BackupEntry {
  std::string name;                   // "base_000000010000000000000017"
  std::string wal_file_name;          // first 24 hex digits of the name; 24 times 'Z' when there are none
  std::string sentinel_key;
  int64_t modified_ns = 0;            // of the sentinel object
  // kNotFound until it was asked for. An unreadable document is !ok and its optional empty.
  Status sentinel_status;
  std::optional<Sentinel> sentinel;
  Status metadata_status;
  std::optional<BackupMetadata> metadata;
  std::string chosen_because;         // set by FindBackup, in words: "LATEST of 5 backups"
};

struct ListBackupsOptions {
  bool sentinels = false;  // read each sentinel
  bool metadata = false;   // read each metadata.json
};

// All backups, oldest first; the lists of files that old sentinels embed are left out. FAILS WITH: what listing the storage fails with; never because of one backup's document.
Result<std::vector<BackupEntry>> ListBackups(const Context& ctx, Storage& storage, const ListBackupsOptions& options);

// How the user names a backup. Exactly one of the three must be given.
struct BackupSelector {
  std::string name;                          // a backup's name, or LATEST
  std::optional<Json> user_data;             // deep equality with user_data of metadata.json
  std::optional<int64_t> target_time_ns;     // the newest backup that was finished at or before this moment
};

// Finds one backup and reads its sentinel and metadata (see the statuses in the entry: a backup whose sentinel is
// garbage is found, and not usable). For LATEST the documents of other backups are read only where time stamps leave it
// open which was finished last; where they mislead, a warning says so.
// FAILS WITH: kNotFound (the message says what was looked for, the hint what there is), kInvalidArgument (no or several
// criteria, a name with a slash, user data that fit several backups).
Result<BackupEntry> FindBackup(const Context& ctx, Storage& storage, const BackupSelector& selector);

// Reads one document of a backup. FAILS WITH: kNotFound, kCorruption (with the object's key), storage errors.
Result<Sentinel> LoadSentinel(const Context& ctx, Storage& storage, const std::string& backup_name);
Result<BackupMetadata> LoadMetadata(const Context& ctx, Storage& storage, const std::string& backup_name);
// nullopt when the backup carries no walrig.json (WAL-G wrote it).
Result<std::optional<Proof>> LoadProof(const Context& ctx, Storage& storage, const std::string& backup_name);

// The moment the backup was finished: the sentinel's FinishTime, else metadata's, else the sentinel's modification.
int64_t FinishTimeNs(const BackupEntry& entry);
// Whether the documents that were read say it.
bool FinishTimeKnown(const BackupEntry& entry);

}  // namespace walrig
