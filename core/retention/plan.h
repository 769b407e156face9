// What a delete command would delete: a pure value, made from what the storage holds. No IO here.
//
// The rules differ from WAL-G's in one point on purpose: `target` does not delete a permanent backup (WAL-G does, by a
// mistake of its check), and nothing is guessed about a backup whose metadata cannot be read.
//
// THREADS: values and functions without state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "walrig/result.h"
#include "walrig/storage.h"

namespace walrig {

// What planning needs to know of a backup.
struct RetentionBackup {
  std::string name;
  std::string parent;                    // "" for a full backup
  std::optional<bool> permanent;         // nullopt: its metadata could not be read, and why is in `unknown_because`
  std::string unknown_because;
};

struct DeleteEverything {
  bool force = false;                    // also permanent backups, also with unreadable metadata
};

struct DeleteTarget {
  std::string name;
  bool force = false;
};

// Keys in the order in which they must go: a sentinel before anything of its backup, children before parents, so that
// an interruption leaves no backup that looks whole and is not.
struct DeletionPlan {
  std::vector<std::string> sentinels;    // go first, one after another
  std::vector<std::string> objects;      // then these, in any order
  std::vector<std::string> backups;      // the names that go
  uint64_t bytes = 0;
};

// Every object under the prefix, WAL-G's or not. FAILS WITH: kPreconditionFailed when a permanent backup is there and
// `force` is not given, or when it cannot be told whether one is.
Result<DeletionPlan> PlanDeleteEverything(const DeleteEverything& rule, const std::vector<RetentionBackup>& backups,
                                          const std::vector<ObjectInfo>& objects);

// The backup and all its descendants; only objects in basebackups_005/. FAILS WITH: kNotFound (no such backup),
// kPreconditionFailed (it or a descendant is permanent, or that is unknown, without `force`).
Result<DeletionPlan> PlanDeleteTarget(const DeleteTarget& rule, const std::vector<RetentionBackup>& backups,
                                      const std::vector<ObjectInfo>& objects);

}  // namespace walrig
