// Any text as a claim: one that is read survives being rewritten, and looking for its process harms nobody.
#include <string>

#include "core/layout/claim.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  const auto claim = ParseClaim(AsText({data, size_bytes}));
  if (!claim.ok()) {
    CheckMessage(claim.status());
    return 0;
  }
  (void)StateOf(claim->process);
  const std::string text = SerializeClaim(*claim);
  const auto again = ParseClaim(text);
  WALRIG_ASSERT(again.ok());
  WALRIG_ASSERT(SerializeClaim(*again) == text);
  return 0;
}
