// One backup's chain of ancestors: from the full backup to itself.
//
// THREADS: a function without state.
#pragma once

#include <string>
#include <vector>

#include "core/catalog/backups.h"

namespace walrig {

// Whether the documents or the name say that this backup needs another one.
bool IsDelta(const std::string& backup_name, const Sentinel& sentinel);

// The names from the full backup to `entry`, oldest first; a full backup alone is its own chain.
// REQUIRES: entry.sentinel.
// FAILS WITH: kCorruption when the chain cannot be followed: a cycle, delta keys that are not all there, a parent whose
// sentinel is missing or unreadable. The message names the backup at which it breaks.
Result<std::vector<std::string>> ChainOf(const Context& ctx, Storage& storage, const BackupEntry& entry);

}  // namespace walrig
