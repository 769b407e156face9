// What is read as a sentinel can be written, read again, and is then the same text.
#include "core/layout/sentinel.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walrig;
  const Result<Sentinel> sentinel = ParseSentinel(fuzz::Text(data, size));
  if (!sentinel.ok()) return 0;
  const std::string text = SerializeSentinel(*sentinel);
  const Result<Sentinel> again = ParseSentinel(text);
  fuzz::Check(again.ok());
  fuzz::Check(SerializeSentinel(*again) == text);
  return 0;
}
