// LATEST: which of a storage's backups was finished last.
//
// THREADS: pure functions.
#pragma once

#include <cstddef>
#include <vector>

#include "core/catalog/backups.h"

namespace walrig {

// Those of `entries` (oldest first, as ListBackups gives them) that may have been finished after the last of them, by
// index; it is not among them itself. A sentinel is stored when its backup is finished, so only what was stored after the
// last one was finished can be newer than it: two backups that ended closer together than one takes, or a copy, whose
// sentinels were all stored later than their backups were finished.
// REQUIRES: not empty; the documents of the last were read.
std::vector<size_t> MayBeNewer(const std::vector<BackupEntry>& entries);

// The index of LATEST. REQUIRES: as above, and the documents of all that MayBeNewer names were read.
size_t NewestOf(const std::vector<BackupEntry>& entries);

}  // namespace walrig
