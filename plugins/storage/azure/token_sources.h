// Token sources: where a bearer token for the storage comes from.
//
// Each call asks once; TokenCache keeps what it gives. A source borrows the client. THREADS: any.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "plugins/common/http/client.h"
#include "walrig/result.h"

namespace walrig::azure {

struct BearerToken {
  std::string text;
  int64_t expires_ns = 0;
};
using TokenFetch = std::function<Result<BearerToken>(const Context&)>;

// The answer of any of the endpoints: JSON with access_token and expires_in (seconds) or expires_on (seconds since
// 1970). Numbers may be text. FAILS WITH: kProtocol.
Result<BearerToken> ParseTokenAnswer(std::string_view text, int64_t now_ns);

// The metadata service of a virtual machine. `host` "" for http://169.254.169.254.
TokenFetch VirtualMachineToken(HttpClient& client, std::string host, std::string client_id);

// App Service and its like; `header` proves that we are inside.
TokenFetch AppServiceToken(HttpClient& client, std::string endpoint, std::string header, std::string client_id);

struct TenantApp {
  std::string authority;  // "https://login.microsoftonline.com"
  std::string tenant_id;
  std::string client_id;
};
// Workload identity: the file holds a token of the cluster, and is read each time since it is replaced when it ages.
TokenFetch WorkloadToken(HttpClient& client, TenantApp app, std::string token_file);
TokenFetch ClientSecretToken(HttpClient& client, TenantApp app, std::string secret);

}  // namespace walrig::azure
