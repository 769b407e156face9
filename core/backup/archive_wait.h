// Waits until the WAL that a backup needs is where it belongs: in the storage (WALRIG_WAL_ARCHIVE=storage), or, when it
// goes elsewhere, archived as the server counts it.
//
// The server's own wait (pg_backup_stop, wait_for_archive) looks at the last segment alone and at the archiver's word,
// once a second. Here the documents of the backup are stored meanwhile, and every segment counts: background uploads
// mark them in any order.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/postgres/lsn.h"
#include "core/postgres/queries.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/storage.h"

namespace walrig {

// All segments from start to stop: the WAL without which the backup cannot be restored.
Result<std::vector<std::string>> WalOfBackup(uint32_t timeline, Lsn start, Lsn stop, uint64_t segment_bytes);

// Of a server that archives: the segments and, of a primary, the backup history file. None when it does not archive what
// the backup needs: archive_mode off, or a standby whose archive_mode is not "always".
Result<std::vector<std::string>> WalToBeArchived(const ServerInfo& server, uint32_t timeline, Lsn start, Lsn stop);

// Whether this server archives what a backup of it needs, by archive_mode.
bool ArchivesItself(const ServerInfo& server);

// Returns when none of `names` waits for the archiver, by the server's own rule (XLogArchiveIsBusy in xlogarchive.c).
// `timeout_ms` 0: as long as it takes, with a warning each minute.
// FAILS WITH: kTimeout, kCancelled, kPermission and kIoError when pg_wal cannot be looked at.
Status WaitForArchive(const Context& ctx, const std::string& data_directory, const std::vector<std::string>& names,
                      uint64_t timeout_ms);

struct StoredWalWait {
  // Where segments may come to lie. The first must answer; another that cannot be asked is warned of.
  std::vector<Storage*> storages;
  // Of the server, to see that it counts a segment as archived that the storage does not have; "" when it archives
  // nothing itself.
  std::string data_directory;
  uint64_t timeout_ms = 0;  // 0: as long as it takes, but two minutes only for what the server counts as archived
};

// Returns when each of `segments` lies in one of the storages, however it came there. A warning each minute.
// FAILS WITH: kTimeout, kCancelled, and what listing the first storage fails with.
Status WaitForStoredWal(const Context& ctx, const StoredWalWait& wait, const std::vector<std::string>& segments);

}  // namespace walrig
