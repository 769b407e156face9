// The last step of a backup: its sentinel, after a look at everything that the sentinel promises.
//
// THREADS: functions without state.
#pragma once

#include <string>

#include "core/backup/claim.h"
#include "core/layout/proof.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/storage.h"

namespace walrig {

struct BackupCommit {
  std::string name;
  std::string sentinel_text;
  const Proof& proof;
  size_t tars = 0;  // that this run stored
};

// FAILS WITH: kConflict when another run took the folder over, or holds tars in it; kCorruption when an object is missing;
// what listing fails with.
Status CheckStored(const Context& ctx, Storage& storage, const NameClaim& claim, const BackupCommit& backup);

// Stores the sentinel and gives the claim back. A sentinel that "exists already", or whose put has an unknown outcome, is
// read: one that holds exactly this text is ours, and the backup is there. FAILS WITH: kAlreadyExists when another run
// finished a backup of this name, kConflict when one took the folder over meanwhile, what the storage fails with.
Status StoreSentinel(const Context& ctx, Storage& storage, NameClaim& claim, const BackupCommit& backup);

}  // namespace walrig
