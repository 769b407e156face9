// The AWS configuration and credentials files, the prefix and the extra headers.
#include "plugins/storage/s3/ini.h"
#include "plugins/storage/s3/settings.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = walrig::fuzz::Text(data, size);
  walrig::s3::Profiles profiles;
  walrig::s3::ParseIni(text, &profiles);
  walrig::s3::ParseIni(text, &profiles);
  for (const auto& [name, profile] : profiles) {
    for (const auto& [key, value] : profile) {
      walrig::fuzz::Check(key.find('\n') == std::string::npos && value.find('\n') == std::string::npos);
    }
  }
  std::string bucket, folder;
  if (walrig::s3::SplitPrefix(text, &bucket, &folder).ok()) {
    walrig::fuzz::Check(bucket.find('/') == std::string::npos && (folder.empty() || folder.back() == '/'));
  }
  walrig::s3::ParseExtraHeaders(text).status().Ignore("any words will do");
  return 0;
}
