// Any text as plugins.lock: what was read is written and read again the same.
#include <algorithm>

#include "core/plugin/pins.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  const auto pins = ParsePins(AsText({data, size_bytes}), "plugins.lock");
  if (!pins.ok()) {
    CheckMessage(pins.status());
    return 0;
  }
  const auto again = ParsePins(FormatPins(*pins), "plugins.lock");
  WALRIG_ASSERT(again.ok());
  WALRIG_ASSERT(std::is_permutation(again->begin(), again->end(), pins->begin(), pins->end()));
  for (const Pin& pin : *pins) WALRIG_ASSERT(CheckPin(*pins, pin, "plugins.lock").ok());
  return 0;
}
