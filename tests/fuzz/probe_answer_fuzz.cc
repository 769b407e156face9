// Any bytes as the answer of the probe, which is the answer of whatever plugin it loaded.
#include <string>

#include "core/plugin/probe.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  const auto answer = ParseProbeAnswer(AsText({data, size_bytes}));
  if (!answer.ok()) {
    CheckMessage(answer.status());
    return 0;
  }
  WALRIG_ASSERT((answer->state == FileState::kOk) == answer->module.has_value());
  if (!answer->module.has_value()) return 0;
  // What was understood can be written and understood again: the manifest and `plugin info --json` rely on it.
  const Json json = ModuleToJson(*answer->module);
  const auto again = ModuleFromJson(json);
  WALRIG_ASSERT(again.ok());
  WALRIG_ASSERT(ModuleToJson(*again) == json);
  for (const FactoryInfo& factory : answer->module->factories) (void)CapabilityNames(factory.kind, factory.caps);
  return 0;
}
