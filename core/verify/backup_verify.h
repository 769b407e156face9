// backup-verify: reads backups back and proves them without restoring.
//
// Every tar is read through its decoder and the tar reader; stored hashes are compared with walrig.json, files with
// backup_manifest and files_metadata.json, pages with their checksums when the cluster has them, and the WAL from start
// to finish of the backup is read from wal_005/ and its records proven. Backups that WAL-G wrote carry no proof: their tars are decoded and
// compared with files_metadata.json.
//
// THREADS: BackupVerify starts its own workers and joins them before it returns.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/catalog/backups.h"
#include "core/catalog/codec_source.h"
#include "core/pipeline/progress.h"
#include "walrig/storage.h"

namespace walrig {

struct BackupVerifyOptions {
  bool all = false;                    // else `selector`
  BackupSelector selector;
  size_t workers = 10;
  bool check_wal = true;
  std::string preferred_extension{};   // of WAL: probed first, as wal-fetch does
  size_t findings_max = 100;           // a backup; more are only counted
};

struct BackupVerifyDeps {
  Storage& storage;
  CodecProvider& codecs;
  ProgressCounters* progress = nullptr;  // may be null
};

struct VerifyFinding {
  std::string where;                   // an object's key, or a file of the backup
  std::string what;
};

// Something that was not looked at, although it was asked for.
struct VerifyLeftOut {
  std::string what;                    // "WAL", "pages"
  std::string why;
};

struct BackupVerifyResult {
  std::string backup_name;
  bool ok = false;                     // no finding, and not_verified is empty
  std::string not_verified;            // why this release cannot say anything about the backup; "" when it can
  bool hashes_checked = false;         // against walrig.json
  bool manifest_checked = false;       // against backup_manifest
  bool files_checked = false;          // against files_metadata.json
  bool pages_checked = false;          // page checksums
  bool wal_checked = false;
  bool wal_elsewhere = false;          // walrig.json says that the WAL is kept in another place: it was not looked for
  uint64_t objects = 0;
  uint64_t files = 0;
  uint64_t pages = 0;
  uint64_t corrupt_pages = 0;
  uint64_t stored_bytes = 0;
  uint64_t plain_bytes = 0;
  uint64_t findings_count = 0;         // may be more than findings.size()
  std::vector<VerifyFinding> findings;
  std::vector<VerifyLeftOut> left_out;
};

struct BackupVerifyReport {
  std::vector<BackupVerifyResult> backups;
  bool ok() const {
    return std::all_of(backups.begin(), backups.end(), [](const auto& b) { return b.ok; });
  }
  bool damaged() const {
    return std::any_of(backups.begin(), backups.end(), [](const auto& b) { return b.findings_count > 0; });
  }
};

// Damage is in the report, not in the status; what is not damage (verify/damage.h) ends the run. `*report` holds the backups that
// were finished by then, also after a failure. FAILS WITH: kNotFound (no such backup), whatever reading fails with.
Status BackupVerify(const Context& ctx, const BackupVerifyOptions& options, BackupVerifyDeps& deps, BackupVerifyReport* report);

}  // namespace walrig
