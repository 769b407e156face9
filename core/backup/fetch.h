// backup-fetch: restores one backup into an empty directory, durable and not startable before it is whole.
//
// Everything that can be known is checked before the first byte is written. The files then come tar by tar in
// parallel, straight from the decoder to the disk; global/pg_control is renamed into place after all else, fsynced, so
// PostgreSQL cannot start a directory whose restore was interrupted. On failure what was written stays where it is,
// with kRestoreMarker beside it and without pg_control.
//
// THREADS: BackupFetch starts its own workers and joins them before it returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/catalog/backups.h"
#include "core/catalog/codec_source.h"
#include "core/pipeline/progress.h"
#include "walrig/storage.h"

namespace walrig {

// Lies in the target directory while a restore is under way.
inline constexpr const char* kRestoreMarker = "walrig_restore_incomplete";

// The moment to recover to, and how. When requested(), recovery.signal and the settings are written.
struct RecoveryOptions {
  std::string target_time;      // as PostgreSQL reads recovery_target_time
  std::string target_lsn;       // "X/Y"
  std::string target_xid;
  std::string target_name;
  std::string target_timeline;  // "latest", "current", or a number
  bool target_immediate = false;
  std::string target_action;    // pause, promote, shutdown
  // The whole restore_command, '<walrig> wal-fetch "%f" "%p"' with the flags that find the same storage; the CLI
  // makes it, since it knows its own path and flags.
  std::string restore_command;
  bool requested() const {
    return !target_time.empty() || !target_lsn.empty() || !target_xid.empty() || !target_name.empty() ||
           !target_timeline.empty() || target_immediate || !target_action.empty();
  }
};

struct BackupFetchOptions {
  std::string target_directory;             // PGDATA; absent or empty
  BackupSelector selector;
  size_t workers = 10;                      // WALG_DOWNLOAD_CONCURRENCY
  bool fsync = true;                        // false: WALG_TAR_DISABLE_FSYNC
  bool check_space = true;
  bool verify_manifest = true;              // sizes and checksums of files, when the backup has a backup_manifest
  std::string restore_spec_text;            // JSON of --restore-spec; "" = none
  std::vector<std::string> tablespace_mapping;  // "OLD=NEW" as given: absolute paths, OLD may be an OID
  RecoveryOptions recovery;
};

struct BackupFetchDeps {
  Storage& storage;
  CodecProvider& codecs;
  ProgressCounters* progress = nullptr;     // may be null
};

struct BackupFetchReport {
  std::string backup_name;
  uint64_t files = 0;
  uint64_t directories = 0;
  uint64_t plain_bytes = 0;                 // file contents written
  uint64_t stored_bytes = 0;                // read from the storage
  uint64_t objects = 0;
  bool manifest_checked = false;            // every file compared with backup_manifest
  bool objects_checked = false;             // every stored object compared with walrig.json
  uint64_t skipped_files = 0;               // members that files_metadata.json does not list
  int64_t elapsed_ns = 0;
  int64_t sync_ns = 0;                      // the part of it that made files durable
  std::vector<std::pair<std::string, std::string>> tablespaces;  // oid, location used
};

// FAILS WITH: kNotFound (no such backup), kAlreadyExists (target not empty), kNoSpace, kNotSupported (delta backup, no
// decoder), kCorruption (damage: the message names the object and the file), kPermission, kIoError, kCancelled.
Result<BackupFetchReport> BackupFetch(const Context& ctx, const BackupFetchOptions& options, BackupFetchDeps& deps);

}  // namespace walrig
