// Credential: what makes a request ours. Shared key, shared access signature (SAS), or bearer token.
//
// OWNS: the secret. THREADS: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "plugins/common/http/request.h"
#include "plugins/storage/azure/location.h"
#include "plugins/storage/azure/token_sources.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig::azure {

// A blob as the source of a copy that the service itself reads.
struct CopySource {
  std::string url;            // with what authorises it, when that is a part of the URL
  std::string authorization;  // for x-ms-copy-source-authorization; "" when the URL says it all
};

class Credential {
 public:
  virtual ~Credential() = default;
  // Adds what authorises; nothing of the request may change afterwards.
  virtual Status Authorize(const Context& ctx, HttpRequest* request) = 0;
  virtual Result<CopySource> SourceOf(const Context& ctx, std::string_view blob_name) = 0;
  // The service answered 401 or 403. True when another try can go better: a token that will be fetched anew.
  virtual bool Refused(const HttpRequest& /*request*/) { return false; }
  virtual void Accepted() {}  // the service took a request
};

// `key` in base64. FAILS WITH: kConfig, without the key's text.
Result<std::unique_ptr<Credential>> SharedKeyCredential(const Location& location, std::string_view key);
// FAILS WITH: kConfig for what is no query or has no signature.
Result<std::unique_ptr<Credential>> SasCredential(const Location& location, std::string_view token);
// FAILS WITH: kConfig when the service is spoken to in clear text on another machine.
Result<std::unique_ptr<Credential>> TokenCredential(const Location& location, TokenFetch fetch);

}  // namespace walrig::azure
