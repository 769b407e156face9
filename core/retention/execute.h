// delete everything, delete target: reads what planning needs, plans, and deletes when told to.
//
// THREADS: functions without state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/catalog/backups.h"
#include "core/retention/plan.h"
#include "walrig/storage.h"

namespace walrig {

struct DeleteOptions {
  bool everything = false;               // else `target`
  BackupSelector target;                 // a name (also LATEST) or user data
  bool force = false;
  bool confirm = false;                  // false: only the plan
  // Of a storage that is several: each by itself. A backup may be marked permanent in one and not in another.
  std::vector<Storage*> copies{};
};

struct DeleteReport {
  DeletionPlan plan;
  bool executed = false;
  uint64_t deleted = 0;                  // objects
};

// Without `confirm` nothing is changed and report.plan says what would be.
// FAILS WITH: as planning; storage errors. An interrupted deletion leaves either a backup with its sentinel, whole, or
// one without, which is garbage and not listed; the same command run again goes on where it ended.
Result<DeleteReport> DeleteBackups(const Context& ctx, const DeleteOptions& options, Storage& storage);

// Only the second half: sentinels one call each, in order, stopping at the first failure; then the rest in batches.
// Returns how many objects were deleted; `*deleted` is right also on failure.
Status ExecuteDeletion(const Context& ctx, Storage& storage, const DeletionPlan& plan, uint64_t* deleted);

}  // namespace walrig
