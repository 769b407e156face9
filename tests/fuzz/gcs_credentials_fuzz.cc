// Any bytes as a credentials file: what is taken names its kind, and no URL in the clear but this machine's.
#include "plugins/storage/gcs/credentials.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  const auto credentials = gcs::ParseCredentials(AsText({data, size_bytes}));
  if (!credentials.ok()) {
    fuzz::CheckMessage(credentials.status());
    return 0;
  }
  WALRIG_ASSERT(credentials->kind != gcs::CredentialKind::kNone && credentials->kind != gcs::CredentialKind::kMetadata);
  return 0;
}
