// What a backup must have besides whole tars: the special tars, and the WAL between its start and its finish.
//
// THREADS: functions without state.
#pragma once

#include "core/verify/record.h"
#include "walrig/storage.h"

namespace walrig {

// Adds a finding for pg_control.tar and backup_label.tar that should be there and are not.
void CheckRequiredTars(BackupUnderTest& backup);

// Adds a finding for each WAL segment from start to finish LSN that wal_005/ lacks. Needs pg_control for the size of a
// segment; without it nothing is checked, and wal_checked stays false. FAILS WITH: what listing fails with.
Status CheckWal(const Context& ctx, Storage& storage, BackupUnderTest& backup);

}  // namespace walrig
