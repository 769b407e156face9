// What must not be deleted although it has no sentinel, or not without force: what is marked permanent, and what deltas need.
//
// THREADS: functions without state.
#pragma once

#include <string>
#include <vector>

#include "core/catalog/backups.h"
#include "walrig/storage.h"

namespace walrig {

// A delta whose sentinel is unreadable may descend from anything: its name tells the parent's segment only.
// FAILS WITH: kPreconditionFailed.
Status RefuseUnknownParents(const std::vector<BackupEntry>& entries, const std::string& target);

// By metadata.json as it lies in this storage; that there is none says nothing here. FAILS WITH: kPreconditionFailed,
// what the storage fails with.
Status RefusePermanentIn(const Context& ctx, Storage& storage, const std::string& name);

// What is left of a backup may still say that it is to be kept, and others (`entries`) may still need it. FAILS WITH:
// kPreconditionFailed, what the storage fails with.
Status RefuseWanted(const Context& ctx, Storage& storage, const std::string& name, const std::vector<BackupEntry>& entries);

}  // namespace walrig
