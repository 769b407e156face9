// pg_wal/archive_status: which WAL files wait for the archiver.
//
// NAME.ready is created by the server when NAME may be archived, and renamed to NAME.done after archive_command
// succeeded. THREADS: functions without state; the directory changes under them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/postgres/wal_name.h"
#include "walrig/result.h"

namespace walrig {

// Names (without .ready) that wait, histories first, then segments from the oldest, as PostgreSQL's archiver takes
// them (pgarch.c). Names that are no WAL file's are left out. At most `names_max`, the first in that order.
// FAILS WITH: kNotFound when there is no such directory, else what reading it says.
Result<std::vector<std::string>> ScanReady(const std::string& archive_status_dir, size_t names_max = SIZE_MAX);

// Whether NAME.ready exists.
Result<bool> IsReady(const std::string& archive_status_dir, std::string_view name);

// Renames NAME.ready to NAME.done (WAL-G's PG_READY_RENAME). A missing .ready is success: the server was faster.
Status MarkDone(const std::string& archive_status_dir, std::string_view name);

}  // namespace walrig
