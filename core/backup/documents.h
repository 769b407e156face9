// The documents of a backup: backup_manifest, files_metadata.json, metadata.json, walrig.json and the sentinel.
//
// The two that grow with the number of files are streamed into the storage; the others are small texts.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/backup/push.h"
#include "core/backup/server.h"
#include "core/backup/tar_upload.h"
#include "core/layout/proof.h"
#include "core/pgdata/file_set.h"
#include "walrig/storage.h"

namespace walrig {

// What is known about a backup when all its tars are stored.
struct BackupFacts {
  std::string name;
  ServerInfo server;
  uint32_t timeline = 0;
  Lsn start_lsn, stop_lsn;
  int64_t start_time_ns = 0, finish_time_ns = 0;  // whole microseconds
  std::string hostname;
  std::string data_directory;  // symbolic links resolved
  bool permanent = false;
  std::optional<Json> user_data;
  bool files_metadata_disabled = false;
  bool sealed = false;         // the documents get SHA-256 hashes
  uint64_t uncompressed_bytes = 0, compressed_bytes = 0, catalog_bytes = 0;
};

// A member that is no file of the set: pg_control, backup_label, tablespace_map.
struct ExtraFile {
  std::string path;  // relative to the data directory, without a leading '/'
  std::string body;
  int64_t mtime_s = 0;
};

std::string MakeSentinel(const BackupFacts& facts, const TablespaceSpec& tablespaces);
std::string MakeMetadata(const BackupFacts& facts);

// Stores a small document and answers what the proof says of it.
Result<ProofObject> PutDocument(const Context& ctx, Storage& storage, const std::string& backup, std::string_view name,
                                const std::string& text);

// PostgreSQL's own list of the files of the backup, with a checksum for each.
Result<ProofObject> PutManifest(const Context& ctx, Storage& storage, const BackupFacts& facts, const FileSet& files,
                                const TarUpload& upload, const std::vector<ExtraFile>& extra, ManifestChecksum checksum,
                                uint64_t* files_listed);

// FAILS WITH: kInvalidArgument for a name that files_metadata.json cannot hold, since it is not UTF-8.
Status CheckNames(const FileSet& files);

// `server` null: without the names of databases. A database that cannot be asked is left out with a warning.
Result<ProofObject> PutFilesMetadata(const Context& ctx, Storage& storage, const std::string& backup,
                                     const FileSet& files, const TarUpload& upload, const std::string& label_tar,
                                     BackupServer* server, bool sealed = false);

// The seal over `sealed` (walrig.json, backup_manifest, files_metadata.json, where there) and the sentinel to be.
Status PutSeal(const Context& ctx, Storage& storage, Cipher& cipher, const std::string& backup,
               const std::vector<ProofObject>& sealed, const std::string& proof_text, const std::string& sentinel_text);

}  // namespace walrig
