#include "core/base/home.h"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace walrig {

std::string HomeByPasswordDatabase() {
  constexpr size_t kEntryBytesMax = 1 << 20;
  for (size_t size = 4096; size <= kEntryBytesMax; size *= 2) {
    std::vector<char> buffer(size);
    passwd entry{};
    passwd* found = nullptr;
    const int err = ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
    if (err == ERANGE) continue;
    return err == 0 && found != nullptr && found->pw_dir != nullptr ? found->pw_dir : "";
  }
  return "";
}

}  // namespace walrig
