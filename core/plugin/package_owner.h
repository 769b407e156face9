// PackageOwner: which package of the distribution brought a file, as dpkg or rpm know it.
//
// Asked by `plugin scan` only, of files below /usr, for people to read. Best effort: without a package manager, or when
// it takes too long, nothing is known and nothing fails.
//
// THREADS: any; starts a process and waits for it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/context.h"

namespace walrig {

// "walrig-plugin-s3 2.3.0-1" by path; a path that belongs to no package is left out. Takes 10 seconds at the most.
std::map<std::string, std::string> PackagesOf(const Context& ctx, const std::vector<std::string>& paths);

// The package names by path, out of what `dpkg-query -S` printed. Pure.
std::map<std::string, std::string> ParseDpkgSearch(std::string_view output);

}  // namespace walrig
