// The middle of a restore: from the tars of a plan to the files of a directory, nothing missing.
//
// THREADS: RestoreContent starts its own workers and joins them.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/backup/fetch.h"
#include "core/backup/restore_plan.h"
#include "core/catalog/object_reader.h"
#include "core/pgdata/file_unwrap.h"

namespace walrig {

// One restore under way: what all workers share.
struct RestoreJob {
  const BackupFetchOptions& options;
  BackupFetchDeps& deps;
  RestorePlan& plan;
  TreeWriter& tree;
  const ObjectReader& reader;
  std::atomic<uint64_t> files{0}, directories{0}, plain_bytes{0}, skipped{0};
  std::mutex mutex{};
  std::vector<std::pair<std::string, std::string>> links{};  // made: name, target; guarded by mutex
};

// Restores all tars and makes the directories that no server starts without. Afterwards every promised file was met, and
// pg_control waits under kControlFileWaiting.
// FAILS WITH: as BackupFetch.
Status RestoreContent(const Context& ctx, RestoreJob& job);

// Warns of links that lead nowhere on this machine.
void TellOfDeadLinks(const Context& ctx, const std::string& target, RestoreJob& job);

}  // namespace walrig
