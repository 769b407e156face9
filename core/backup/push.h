// backup-push: a full backup of a running server's data directory.
//
// The server is put into (non-exclusive) backup mode, the directory is walked once, its files go as tar parts through
// compressor and cipher into the storage, the server leaves backup mode, and the documents follow, the sentinel last:
// a backup exists from the moment its sentinel does. Whatever fails before that, and a stop at any moment, leaves no
// sentinel, no object of this backup, and a server that is out of backup mode.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/backup/server.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/progress.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/storage.h"

namespace walrig {

enum class PageVerify {
  kOff,
  kOn,      // findings are warned of, counted and recorded
  kStrict,  // the same; the caller answers findings with an exit code of their own
};
enum class ManifestChecksum { kCrc32c, kSha256 };
enum class WalArchive {
  kStorage,    // the WAL of a backup comes into a storage where we can see it, and the backup waits for it
  kElsewhere,  // it does not; that is warned of and recorded
};
enum class TarComposer { kRegular, kRating, kCopy, kDatabase };

struct BackupPushOptions {
  std::string data_directory;  // PGDATA as the user gave it; "" is a remote backup, which is not supported yet
  bool permanent = false;
  std::string user_data;       // JSON text of --add-user-data; "" none
  bool without_files_metadata = false;
  bool without_database_names = false;           // WALG_DISABLE_PARTIAL_RESTORE
  TarComposer composer = TarComposer::kRegular;  // rating and copy fall back to regular, aloud
  uint64_t tar_size_threshold_bytes = 1073741823;
  size_t workers = 1;          // WALG_UPLOAD_DISK_CONCURRENCY; --turbo: 4
  size_t upload_queue = 2;     // parts that may still be finishing (WALG_UPLOAD_QUEUE)
  uint64_t disk_rate_bytes_per_s = 0;            // 0 unlimited; --turbo: 0
  uint64_t alive_check_interval_ms = 60'000;     // 0: no check
  uint64_t stop_backup_timeout_ms = 0;           // 0: none
  uint64_t wal_segment_bytes = 0;                // WALG_PG_WAL_SIZE when the user set it, to be compared; 0 unset
  WalArchive wal_archive = WalArchive::kStorage;
  bool allow_other_cluster = false;              // although the latest backup in the storage is another cluster's
  std::vector<std::string> storage_directories{};  // of storages that are directories of this machine
  PageVerify verify = PageVerify::kOn;
  bool store_all_corrupt_blocks = false;
  ManifestChecksum manifest_checksum = ManifestChecksum::kCrc32c;
  uint32_t delta_steps_max = 0;                  // WALG_DELTA_MAX_STEPS; above 0 a warning says that full is taken
  std::string storage_name = "default";          // for the last log line
  std::string walrig_version;                    // for walrig.json
};

// Borrowed; all must outlive the call.
struct BackupPushDeps {
  Storage& storage;
  Codec codec;
  BackupServer& server;
  ProgressCounters* progress = nullptr;  // may be null
  std::vector<Storage*> archives{};      // where the backup's WAL may come to lie besides `storage`; all get the archive's marker
};

struct BackupPushReport {
  std::string name;
  uint64_t files = 0;
  uint64_t parts = 0;
  uint64_t uncompressed_bytes = 0;  // payload, without tar headers
  uint64_t compressed_bytes = 0;    // as stored
  uint64_t pages_verified = 0;
  uint64_t findings = 0;            // corrupt pages
  bool pages_were_verified = false;
};

// FAILS WITH: kInvalidArgument and kConfig for the user's input, kNotSupported for what joins later, kAlreadyExists
// when a backup of this name is there, kPreconditionFailed when the storage holds another cluster's backups or the archiver
// fails, kTimeout when WAL is not archived in time, kUnavailable when the server went away, kConflict when a standby was
// promoted or another run writes this backup, kCancelled; else what storage and file system said.
Result<BackupPushReport> BackupPush(const Context& ctx, const BackupPushOptions& options, BackupPushDeps& deps);

}  // namespace walrig
