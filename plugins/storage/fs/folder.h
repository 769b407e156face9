// Reading a folder's entries, in the order in which the file system gives them.
//
// THREADS: functions without state.
#pragma once

#include <functional>
#include <string>

#include "walrig/context.h"
#include "walrig/status.h"

struct dirent;

namespace walrig::fs {

// Calls `use` for every entry but "." and "..", with the entry and DT_REG, DT_DIR, DT_LNK or another type, asked of the
// file system where the folder does not say; DT_UNKNOWN when the entry has gone. Ends early, with success, when `use`
// returns false. A folder that has gone has no entries. `folder` names it in messages.
// FAILS WITH: what openat and readdir say; kCancelled when the caller wants no more.
Status ForEachEntry(const Context& ctx, int folder_fd, const std::string& folder,
                    const std::function<bool(const dirent& entry, unsigned char type)>& use);

}  // namespace walrig::fs
