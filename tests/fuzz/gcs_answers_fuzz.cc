// Any bytes as an answer of Google Cloud Storage: the first byte chooses which.
#include "plugins/storage/gcs/answers.h"
#include "plugins/storage/gcs/tokens.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::gcs;
  if (size_bytes == 0) return 0;
  const std::string_view text = AsText({data + 1, size_bytes - 1});
  switch (data[0] % 8) {
    case 0:
      if (const auto page = ParseList(text); page.ok()) {
        for (const RemoteObject& object : page->items) WALRIG_ASSERT(!object.info.key.empty() && !object.info.etag.empty());
      }
      break;
    case 1: ParseObject(text).status().Ignore("any answer will do"); break;
    case 2:
      if (const auto state = ParseRewrite(text); state.ok()) WALRIG_ASSERT(state->done || !state->token.empty());
      break;
    case 3: (void)ParseError(text); break;
    case 4: (void)HashHeaderCrc32c({{"x-goog-hash", std::string(text)}}); break;
    case 5: ParsePersisted(text).status().Ignore("any answer will do"); break;
    case 6:
      if (const auto parts = ParseBatch("multipart/mixed; boundary=b", text, 4); parts.ok()) WALRIG_ASSERT(parts->size() == 4);
      break;
    default:
      if (const auto token = ParseTokenAnswer(text, 0); token.ok()) WALRIG_ASSERT(!token->bearer.empty());
  }
  return 0;
}
