// SigV4: the signature of a request as AWS wants it.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/common/http/request.h"
#include "plugins/storage/s3/credentials.h"

namespace walrig::s3 {

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

using Query = std::vector<std::pair<std::string, std::string>>;

// Sorted and encoded, as it stands in the URL and in what is signed.
std::string CanonicalQuery(Query query);

struct ToSign {
  std::string_view method;
  std::string_view authority;     // host, with the port when it is not the scheme's own
  std::string_view encoded_path;
  std::string_view query;         // from CanonicalQuery
  std::string_view payload_hash;  // hex, or kUnsignedPayload
  std::string_view region;
  std::string_view service = "s3";
  int64_t wall_ns = 0;
};

// Adds x-amz-date, x-amz-content-sha256 (for s3), x-amz-security-token and Authorization. All x-amz- headers, and
// Content-Type and Content-MD5, are signed.
void Sign(const ToSign& request, const Credentials& credentials, HttpHeaders* headers);

}  // namespace walrig::s3
