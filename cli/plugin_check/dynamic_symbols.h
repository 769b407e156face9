// The dynamic symbols that a shared object of this machine defines, from its section headers.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "walrig/result.h"

namespace walrig {

struct DynamicSymbols {
  std::vector<std::string> exported;  // defined, global or weak, of default visibility
  size_t unique = 0;                  // STB_GNU_UNIQUE: one for the whole process, even across RTLD_LOCAL
};

// FAILS WITH: kCorruption (no ELF file of this machine, or one that contradicts itself), what reading fails with.
Result<DynamicSymbols> ReadDynamicSymbols(const std::string& path);

}  // namespace walrig
