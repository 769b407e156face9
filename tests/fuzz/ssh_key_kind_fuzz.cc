#include <cstdint>
#include <string_view>

#include "plugins/common/ssh/key_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bool encrypted = false;
  walrig::ssh::KindOfKey({reinterpret_cast<const char*>(data), size}, &encrypted);
  return 0;
}
