// Shared key: what is signed with the account's key, for requests and for a short-lived signature on one blob.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/common/http/request.h"
#include "walrig/result.h"

namespace walrig::azure {

// The text that the service signs too, of version 2015-02-21 and later. The request has all its headers but
// Authorization; its URL is the one that is sent. FAILS WITH: kInvalidArgument for what is no URL.
Result<std::string> StringToSign(const HttpRequest& request, std::string_view account);

// Base64 of the HMAC-SHA256 of `text`; `key` is raw.
std::string SignText(std::string_view key, std::string_view text);

struct BlobSasInput {
  std::string_view account, container;
  std::string_view name;   // the blob's, prefix included
  int64_t expires_ns = 0;
  bool https_only = false;
};
// A query that lets anybody who has it read one blob until then.
std::string MakeReadSas(std::string_view key, const BlobSasInput& input);

}  // namespace walrig::azure
