// Waits until the WAL that a backup needs is archived: what pg_backup_stop(wait_for_archive) does in the server, with
// the server's own rule (XLogArchiveIsBusy in xlogarchive.c), but from outside.
//
// The server looks once a second; here the documents of the backup are stored meanwhile, and the archiver's success is
// seen within milliseconds.
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

namespace walrig {

// Names that must be archived before the backup can be restored from the archive: its last segment and its backup
// history file. None when the server does not archive what this backup needs: archive_mode off, or a standby whose
// archive_mode is not "always".
Result<std::vector<std::string>> WalToBeArchived(const ServerInfo& server, uint32_t timeline, Lsn start, Lsn stop);

// Returns when none of `names` waits for the archiver. `timeout_ms` 0: as long as it takes, with a warning each minute.
// FAILS WITH: kTimeout, kCancelled, kPermission and kIoError when pg_wal cannot be looked at.
Status WaitForArchive(const Context& ctx, const std::string& data_directory, const std::vector<std::string>& names,
                      uint64_t timeout_ms);

}  // namespace walrig
