// Whether the server's archiver works, asked when a backup begins: one that fails already is an error before an hour of
// copying, not after.
//
// The start of a backup switches to a new segment, so the archiver of a primary has something to do from then on: what
// is looked for is one success. pg_stat_archiver alone does not tell: a command that ends with 126 and above (127: it does
// not exist) or by a signal ends the archiver and raises no counter, so the .ready files are looked at too.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>

#include "core/backup/server.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

// By the settings, before the backup begins. `in_storage`: the WAL must come into our storage, and a primary that archives
// nothing is an error; else a warning. Nothing is said of a standby: its primary archives.
// FAILS WITH: kConfig.
Status CheckArchiveSettings(const Context& ctx, const ServerInfo& server, bool in_storage);

struct ArchiverCheck {
  ArchiverStats before;        // as it was before the backup began
  std::string data_directory;
  uint64_t patience_ms = 0;
};

// How long the archiver may take for one segment: `stop_timeout_ms` when that is set, else more than a minute, which is the
// pause of a failing archiver, and more for large segments.
uint64_t ArchiverPatienceMs(uint64_t segment_bytes, uint64_t stop_timeout_ms);

// Waits for a file that is archived after the backup began, and answers its name; "" when nothing waits for the archiver, or
// when others archive for it (background uploads of wal-push).
// FAILS WITH: kPreconditionFailed when the archiver fails, kCancelled, what the server fails with.
Result<std::string> CheckArchiver(const Context& ctx, BackupServer& server, const ArchiverCheck& check);

}  // namespace walrig
