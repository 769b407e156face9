// BackupWal: what backup-push does so that the WAL of a backup is not missing: a look at the archiver when the backup
// begins, and the wait at its end.
//
// THREADS: one at a time.
#pragma once

#include <string>
#include <vector>

#include "core/backup/documents.h"
#include "core/backup/push.h"
#include "core/backup/server.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

class BackupWal {
 public:
  // Both must outlive it.
  BackupWal(const BackupPushOptions& options, BackupPushDeps& deps) : options_(options), deps_(deps) {}

  // Before the backup begins. FAILS WITH: kConfig when nothing would be archived, what the server fails with.
  Status Prepare(const Context& ctx, const ServerInfo& server);
  // After it began: the archiver must archive something, into a storage where the backup's WAL is looked for.
  // FAILS WITH: kPreconditionFailed, kTimeout, kCancelled, what server and storage fail with.
  Status CheckArchiving(const Context& ctx, const BackupFacts& facts);
  // After it ended: until all of its WAL is where it belongs. FAILS WITH: kTimeout, kCancelled, what storage and file
  // system fail with.
  Status Wait(const Context& ctx, const BackupFacts& facts);

 private:
  bool in_storage() const { return options_.wal_archive == WalArchive::kStorage; }
  std::vector<Storage*> Storages() const;

  const BackupPushOptions& options_;
  BackupPushDeps& deps_;
  ArchiverStats before_;
};

}  // namespace walrig
