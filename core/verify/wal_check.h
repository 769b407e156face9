// Reads the WAL that a backup needs, from its start to its finish, as wal-fetch would, and proves every record in it.
//
// Some segments in a row make a run; runs are read at once. A run goes on into the segment after it for as long as the record
// that crosses the border takes, so that no record goes unproven.
//
// THREADS: starts its own workers and joins them before it returns.
#pragma once

#include <string>

#include "core/catalog/codec_source.h"
#include "core/verify/record.h"
#include "walrig/storage.h"

namespace walrig {

struct WalCheckDeps {
  Storage& storage;
  CodecProvider& codecs;
  std::string preferred_extension;
  size_t workers = 1;
};

// Adds a finding for each segment that is missing, damaged, another cluster's or another place's. What cannot be checked because
// the release of PostgreSQL is not known or the documents do not say enough is noted with its reason.
// FAILS WITH: what reading fails with and is no damage.
Status CheckWal(const Context& ctx, const WalCheckDeps& deps, BackupUnderTest& backup);

}  // namespace walrig
