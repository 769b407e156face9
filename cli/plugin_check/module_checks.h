// Level 0 of the conformance kit: the file, judged without running it, and the module, judged without using it.
#pragma once

#include <string>
#include <vector>

#include "sdk/conformance/check.h"
#include "walrig/module_info.h"
#include "walrig/result.h"

namespace walrig {

// Checks of the file at `path`. THREADS: as conformance::Check.
std::vector<conformance::Check> ModuleChecks(const std::string& path);

// What the module says about itself; loads it. FAILS WITH: what loading fails with.
Result<ModuleInfo> LoadModuleInfo(const std::string& path);

}  // namespace walrig
