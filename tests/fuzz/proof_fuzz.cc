// Any text as walrig.json: names that stay inside the backup's folder, and a document that survives being rewritten.
#include <string>

#include "core/layout/proof.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  const auto proof = ParseProof(AsText({data, size_bytes}));
  if (!proof.ok()) {
    CheckMessage(proof.status());
    return 0;
  }
  for (const ProofObject& object : proof->objects) {
    WALRIG_ASSERT(!object.name.empty() && object.name[0] != '/');
    WALRIG_ASSERT(("/" + object.name + "/").find("/../") == std::string::npos);
    WALRIG_ASSERT(proof->Find(object.name) == &object);
  }
  const std::string text = SerializeProof(*proof);
  const auto again = ParseProof(text);
  WALRIG_ASSERT(again.ok());
  WALRIG_ASSERT(SerializeProof(*again) == text);
  return 0;
}
