// Whole objects and whole listings over the Storage contract: the small helpers that every job uses.
//
// THREADS: functions without state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "walrig/storage.h"

namespace walrig {

// All entries below `prefix`, in byte order of their keys whatever the storage's order. With a delimiter the common
// prefixes are entries too; with `start_after` only keys greater than it. FAILS WITH: kProtocol when the storage's pages do
// not come to an end.
Result<std::vector<ObjectInfo>> ListAll(const Context& ctx, Storage& storage, std::string_view prefix,
                                        std::string_view delimiter = "", std::string_view start_after = "");

// The bytes of an object. FAILS WITH: kNotFound, kTooLarge when there are more than bytes_max.
Result<std::string> ReadObject(const Context& ctx, Storage& storage, std::string_view key, uint64_t bytes_max);

// Puts and commits. PutOptions::size_bytes is set by the callee.
Status WriteObject(const Context& ctx, Storage& storage, std::string_view key, std::string_view bytes,
                   PutOptions options = {});

// Options for an object that nobody else may have written: the storage decides, where it can.
PutOptions NewObject(const Storage& storage);

Result<bool> Exists(const Context& ctx, Storage& storage, std::string_view key);

// Deletes all of `keys`, in calls of at most 1000. The first error of a call or of a key, with the key in its message; the
// keys after it have been tried too.
Status DeleteAll(const Context& ctx, Storage& storage, const std::vector<std::string>& keys);

}  // namespace walrig
