#include <cstdint>
#include <string_view>

#include "plugins/common/ssh/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto url = walrig::ssh::ParseSshUrl({reinterpret_cast<const char*>(data), size});
  if (!url.ok()) return 0;
  const std::string path = url->path + "/";
  if (path[0] != '/' || path.find('\0') != std::string::npos || path.find("/../") != std::string::npos) __builtin_trap();
  if (url->host.empty() || (url->port && *url->port == 0)) __builtin_trap();
  return 0;
}
