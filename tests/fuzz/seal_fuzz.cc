// Any text as a seal: walrig.json and the sentinel are in it, each name once, and it survives being rewritten.
#include <string>

#include "core/layout/seal.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  const auto seal = ParseSeal(AsText({data, size_bytes}), "seal");
  if (!seal.ok()) {
    CheckMessage(seal.status());
    return 0;
  }
  WALRIG_ASSERT(!seal->backup.empty());
  WALRIG_ASSERT(seal->Find("walrig.json") != nullptr && seal->Find(kSealedSentinelName) != nullptr);
  for (const SealedDocument& document : seal->documents) {
    WALRIG_ASSERT(seal->Find(document.name) == &document);
    WALRIG_ASSERT(document.sha256.size() == 64);
  }
  const std::string text = SerializeSeal(*seal);
  const auto again = ParseSeal(text, "seal");
  WALRIG_ASSERT(again.ok());
  WALRIG_ASSERT(SerializeSeal(*again) == text);
  return 0;
}
