// delete garbage BACKUPS: what killed runs of backup-push left, in one command: folders of backups without a sentinel, and
// uploads without an end.
//
// THREADS: a function without state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/catalog/leftovers.h"
#include "walrig/storage.h"

namespace walrig {

struct DeleteGarbageOptions {
  int64_t age_ns = kLeftoverAgeNs;  // of what nobody knows the writer of
  bool confirm = false;             // false: only what would go
};

struct KeptGarbage {
  std::string name;
  std::string why;
};

struct DeleteGarbageReport {
  Leftovers found;                  // without those that are kept
  std::vector<KeptGarbage> kept;    // marked permanent, needed by a delta, or finished or taken over meanwhile
  bool executed = false;
  uint64_t deleted_objects = 0;
  uint64_t removed_uploads = 0;
};

// FAILS WITH: what listing and deleting fail with. Interrupted, it goes on when it is run again.
Result<DeleteGarbageReport> DeleteGarbage(const Context& ctx, const DeleteGarbageOptions& options, Storage& storage);

}  // namespace walrig
