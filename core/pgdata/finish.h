// The end of a restore: everything durable, and only then a directory that PostgreSQL would start.
//
// Until PublishControlFile the control file has another name, so a server refuses the directory whatever else happened.
//
// THREADS: SyncTrees starts its own workers and joins them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/pgdata/file_unwrap.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

inline constexpr const char* kControlFileName = "global/pg_control";
// Where the control file waits.
inline constexpr const char* kControlFileWaiting = "global/pg_control.walrig-restore";

struct SyncReport {
  uint64_t files = 0;
  uint64_t directories = 0;
};

// Fsyncs every file and directory below each of `roots`, and the directory that holds each root; symbolic links are not
// followed. What their owner may not read is made readable for the moment.
// FAILS WITH: what opening and syncing say, kCancelled.
Result<SyncReport> SyncTrees(const Context& ctx, const std::vector<std::string>& roots, size_t workers);

// Gives the control file its name, and makes that durable when `fsync`. The last step of a restore.
Status PublishControlFile(TreeWriter& tree, bool fsync);

}  // namespace walrig
