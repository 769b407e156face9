// Is the storage fit: can names be listed and objects read, can one be written, and which uploads have no end.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "walrig/storage.h"

namespace walrig {

// Lists one name, and looks at each of `keys`. FAILS WITH: kNotFound naming all that are missing.
Status StCheckRead(const Context& ctx, Storage& storage, const std::vector<std::string>& keys);

// Puts a small object of a name of its own, reads it back, compares and deletes it.
Status StCheckWrite(const Context& ctx, Storage& storage, uint64_t random);

// All unfinished uploads below `prefix` that began at least `age_ns` ago, by the context's clock; of unknown age only
// with age_ns 0. FAILS WITH: kNotSupported, kProtocol when the pages do not end.
Result<std::vector<UnfinishedUpload>> StUnfinished(const Context& ctx, Storage& storage, const std::string& prefix,
                                                   int64_t age_ns);

// Removes them. An upload whose writer turned out to live stays, which is no failure. Returns how many were removed.
// FAILS WITH: the first error of one; the others have been tried.
Result<uint64_t> StRemoveUnfinished(const Context& ctx, Storage& storage, const std::vector<UnfinishedUpload>& uploads);

}  // namespace walrig
