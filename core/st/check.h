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

// Tries all that a backup needs, on two small objects in a folder of its own: put, put if absent, that a second put if
// absent is refused, replace, read back, list, delete. Returns what the storage does not promise at all, in words: backups
// work without. FAILS WITH: the first failure's code and hint, its message names everything that did not work. Nothing is left
// of the objects, unless deleting is what does not work.
Result<std::vector<std::string>> StCheckWrite(const Context& ctx, Storage& storage, uint64_t random);

}  // namespace walrig
