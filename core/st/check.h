// Is the storage fit: can names be listed and objects read, can one be written.
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

}  // namespace walrig
