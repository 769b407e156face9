// What an S3 server may answer in XML, and STS, and what metadata services answer in JSON.
#include "plugins/storage/s3/answers.h"
#include "plugins/storage/s3/credentials.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using walrig::fuzz::Check;
  const std::string_view text = walrig::fuzz::Text(data, size);
  walrig::s3::ParseError(text);
  for (const bool v1 : {false, true}) {
    const auto list = walrig::s3::ParseList(text, v1);
    if (!list.ok()) continue;
    for (size_t i = 0; i < list->entries.size(); ++i) {
      Check(!list->entries[i].key.empty());
      Check(i == 0 || list->entries[i - 1].key <= list->entries[i].key);
    }
  }
  const auto versions = walrig::s3::ParseVersions(text);
  Check(!versions.ok() || !versions->more || !versions->next_key.empty());
  const auto uploads = walrig::s3::ParseUploads(text);
  Check(!uploads.ok() || !uploads->more || !uploads->next_key.empty());
  const auto id = walrig::s3::ParseUploadId(text);
  Check(!id.ok() || !id->empty());
  const auto etag = walrig::s3::ParseEtag(text);
  Check(!etag.ok() || etag->etag.empty() != etag->error.code.empty());
  walrig::s3::ParseDeleteFailures(text).status().Ignore("any words will do");
  walrig::s3::ParseVersioning(text);
  const auto role = walrig::s3::CredentialsFromSts(text);
  Check(!role.ok() || !role->access_key.empty());
  const auto json = walrig::s3::CredentialsFromJson(text, "it");
  Check(!json.ok() || json->access_key.find_first_of("\r\n") == std::string::npos);
  return 0;
}
