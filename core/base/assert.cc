#include "core/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace walrig::internal {

void AssertFailed(const char* claim, const char* file, int line) noexcept {
  std::fprintf(stderr, "walrig: broken claim at %s:%d: %s\n", file, line, claim);
  std::abort();
}

}  // namespace walrig::internal
