// backup_manifest: PostgreSQL's own list of a backup's files, which pg_verifybackup reads.
//
// Written and read as a stream, so that a million files cost no memory. The layout (lines, order, blanks) is the
// server's (src/backend/backup/backup_manifest.c), since Manifest-Checksum is taken over bytes:
//
//   { "PostgreSQL-Backup-Manifest-Version": 1,            2 and a System-Identifier line since PostgreSQL 17
//   "Files": [
//   { "Path": "base/1/1259", "Size": 8192, "Last-Modified": "2026-11-23 17:11:52 GMT",
//     "Checksum-Algorithm": "CRC32C", "Checksum": "0b1c9cdb" },                        (one line)
//   ],
//   "WAL-Ranges": [
//   { "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }
//   ],
//   "Manifest-Checksum": "SHA-256 of all before this line"}
//
// Paths are relative to the data directory; one that is no UTF-8 is written as Encoded-Path in hexadecimal.
// THREADS: one at a time an object.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/checksum.h"
#include "core/postgres/lsn.h"
#include "core/postgres/timeline.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/stream.h"

namespace walrig {

inline constexpr std::string_view kBackupManifestName = "backup_manifest";

struct ManifestFile {
  std::string path;           // bytes as in the file system, without a leading '/'
  uint64_t size_bytes = 0;
  int64_t mtime_s = 0;        // since 1970 UTC
  std::string algorithm;      // "CRC32C", "SHA224", "SHA256", ...; empty: no checksum
  std::string checksum;       // lower-case hexadecimal, as it stands in the file
};

struct ManifestWalRange {
  Timeline timeline = 0;
  Lsn start;
  Lsn end;
};

// The checksum text of a CRC-32C: the four bytes as they lie in a little-endian memory.
std::string ManifestCrc32c(uint32_t crc);

class BackupManifestWriter {
 public:
  struct Options {
    int major = 0;                   // server's; 17 and above write version 2
    uint64_t system_identifier = 0;  // written in version 2
  };
  // `sink` is borrowed and must outlive the writer; the writer never commits it.
  // FAILS WITH: kNotSupported when SHA-256 is not to be had.
  static Result<std::unique_ptr<BackupManifestWriter>> New(const Options& options, Sink& sink);

  // In any order, each path once.
  Status AddFile(const Context& ctx, const ManifestFile& file);
  // Ends the list of files, adds the ranges, newest timeline first, and the checksum. At most once, after which
  // only destruction is allowed.
  Status Finish(const Context& ctx, const std::vector<ManifestWalRange>& ranges);

  uint64_t bytes_written() const { return bytes_; }

 private:
  BackupManifestWriter(const Options& options, Sink& sink, Sha256 hash);
  Status Append(const Context& ctx, std::string_view text);
  Status Flush(const Context& ctx);

  Options options_;
  Sink& sink_;
  Sha256 hash_;
  std::string pending_;
  uint64_t bytes_ = 0;
  bool any_file_ = false;
};

class BackupManifestVisitor {
 public:
  virtual ~BackupManifestVisitor() = default;
  // Any status but OK ends the reading and is returned.
  virtual Status OnFile(ManifestFile file) = 0;
  virtual Status OnWalRange(const ManifestWalRange& range) = 0;
};

struct BackupManifestInfo {
  int version = 0;
  uint64_t system_identifier = 0;  // 0: version 1 says none
  uint64_t files = 0;
  std::string manifest_checksum;
};

// Reads to the end of `source`, verifies Manifest-Checksum, and refuses a path that occurs twice, is absolute or has
// a ".." component. Memory does not grow with the number of files, but for 8 bytes a file that find duplicates.
// The checksum is known last: act on what the visitor got only after OK.
// FAILS WITH: kCorruption, kTruncated (ends in the middle), kNotSupported (version above 2), and what `source` says.
Result<BackupManifestInfo> ReadBackupManifest(const Context& ctx, Source& source, BackupManifestVisitor& visitor);

}  // namespace walrig
