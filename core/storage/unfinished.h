// Uploads that have no end: what killed writers left, of a whole storage.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "walrig/storage.h"

namespace walrig {

// Whether it began at least `age_ns` ago, by `now_ns`; of unknown age only with age_ns 0.
bool IsOldUpload(const UnfinishedUpload& upload, int64_t now_ns, int64_t age_ns);

// All unfinished uploads below `prefix` that began at least `age_ns` ago, by the context's clock; of unknown age only
// with age_ns 0. FAILS WITH: kNotSupported, kProtocol when the pages do not end.
Result<std::vector<UnfinishedUpload>> FindUnfinished(const Context& ctx, Storage& storage, const std::string& prefix,
                                                     int64_t age_ns);

// Removes them. An upload whose writer turned out to live stays, which is no failure. Returns how many were removed.
// FAILS WITH: the first error of one; the others have been tried.
Result<uint64_t> RemoveUnfinished(const Context& ctx, Storage& storage, const std::vector<UnfinishedUpload>& uploads);

}  // namespace walrig
