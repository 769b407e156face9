// Finding objects for st: by prefix, one folder deep, or by a pattern.
//
// A pattern is that of WAL-G's --glob: * and ? and [a-z] within a part, never across '/', \ before a character takes it
// as it is. THREADS: functions without state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "walrig/storage.h"

namespace walrig {

struct StFindOptions {
  bool glob = false;       // `path` is a pattern
  bool recursive = false;  // of a folder: all below it, not only what is in it
};

// What is in the folder `path` ("" is the root; a '/' at its end may be left out): objects, and folders as prefixes.
// With glob: the objects that match. Sorted by name.
Result<std::vector<ObjectInfo>> StFind(const Context& ctx, Storage& storage, std::string_view path,
                                       const StFindOptions& options);

// All objects whose keys begin with `prefix`, or that match it as a pattern.
Result<std::vector<ObjectInfo>> StMatch(const Context& ctx, Storage& storage, std::string_view prefix, bool glob);

bool GlobMatches(const std::string& pattern, const std::string& key);

}  // namespace walrig
