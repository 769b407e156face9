#include "plugins/storage/azure/token_sources.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

#include "plugins/common/http/document.h"
#include "plugins/common/http/response.h"
#include "plugins/common/http/text.h"

namespace walrig::azure {
namespace {

constexpr std::string_view kResource = "https%3A%2F%2Fstorage.azure.com%2F";
constexpr std::string_view kScope = "https%3A%2F%2Fstorage.azure.com%2F.default";
constexpr int64_t kSecondNs = 1'000'000'000;
constexpr size_t kAnswerBytesMax = 256 * 1024;
// On a machine outside of Azure nobody answers at the metadata address.
constexpr uint32_t kMetadataConnectMs = 2'000;
constexpr uint32_t kTotalMs = 30'000;

std::string ClientIdParameter(const std::string& client_id) {
  return client_id.empty() ? std::string() : "&client_id=" + http::PercentEncode(client_id);
}

// The words of a refusal are the server's; a token is only in answers of 200.
Status Refusal(const HttpResponse& response, std::string_view what) {
  std::string name, message;
  if (Result<http::HttpJson> json = http::ParseHttpJson(response.body, what); json.ok() && json->is_object()) {
    name = http::JsonMember(*json, "error");
    message = http::JsonMember(*json, "error_description");
  }
  Status status = HttpStatusError(response.status, response.headers,
                                  {.what = what, .name = name, .message = message,
                                   .request_id = response.Header("x-ms-request-id")});
  // 400 and 401 mean that this identity may not have a token, which is not the storage's "invalid argument". And a
  // token that is not found is no object that is not found.
  if (status.retryable() || response.status == 403) return status;
  return Status(Code::kUnauthenticated, std::string(status.message()))
      .WithDetail(status.detail())
      .Hint("check AZURE_CLIENT_ID, AZURE_TENANT_ID and the identity's federation; docs/guide/storage_azure.md");
}

Result<BearerToken> Ask(HttpClient& client, const Context& ctx, HttpRequest request, std::string_view what) {
  request.total_timeout_ms = kTotalMs;
  Result<HttpResponse> response = client.Send(ctx, request, kAnswerBytesMax);
  if (!response.ok()) return std::move(response).status().With(what);
  if (!response->ok()) return Refusal(*response, what);
  return ParseTokenAnswer(response->body, ctx.clock->WallNs());
}

Result<std::string> ReadSmallFile(const std::string& path) {
  constexpr size_t kBytesMax = 64 * 1024;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (file == nullptr) {
    return ConfigError(fmt::format("AZURE_FEDERATED_TOKEN_FILE: cannot open {}: {}", path,
                                   std::generic_category().message(errno)));
  }
  std::string text(kBytesMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (text.size() > kBytesMax) return ConfigError(fmt::format("{} is too large for a token", path));
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.pop_back();
  if (text.empty()) return ConfigError(fmt::format("{} holds no token", path));
  return text;
}

HttpRequest TenantRequest(const TenantApp& app, std::string* form) {
  HttpRequest request;
  request.method = "POST";
  request.url = fmt::format("{}/{}/oauth2/v2.0/token", app.authority, http::PercentEncode(app.tenant_id));
  request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  request.SetBody(*form);
  return request;
}

}  // namespace

Result<BearerToken> ParseTokenAnswer(std::string_view text, int64_t now_ns) {
  // Parsers quote what they cannot read, and this text may hold a token.
  Result<http::HttpJson> json = http::ParseHttpJson(text, "the token endpoint's answer");
  if (!json.ok() || !json->is_object()) return ProtocolError("the token endpoint's answer is no JSON object");
  BearerToken token{.text = http::JsonMember(*json, "access_token")};
  if (token.text.empty()) return ProtocolError("the token endpoint's answer has no access_token");
  for (const char c : token.text) {
    if (c <= ' ' || c > '~') return ProtocolError("the token endpoint's answer has an access_token that is none");
  }
  constexpr uint64_t kSecondsMax = 100ull * 366 * 86'400;
  const Result<uint64_t> in = http::ParseDecimal(http::JsonMember(*json, "expires_in"));
  const Result<uint64_t> on = http::ParseDecimal(http::JsonMember(*json, "expires_on"));
  if (in.ok() && *in <= kSecondsMax) {
    token.expires_ns = now_ns + static_cast<int64_t>(*in) * kSecondNs;
  } else if (on.ok() && *on <= kSecondsMax) {
    token.expires_ns = static_cast<int64_t>(*on) * kSecondNs;
  } else {
    return ProtocolError("the token endpoint's answer does not say when the token expires");
  }
  return token;
}

TokenFetch VirtualMachineToken(HttpClient& client, std::string host, std::string client_id) {
  if (host.empty()) host = "http://169.254.169.254";
  while (host.ends_with('/')) host.pop_back();
  return [&client, host = std::move(host), client_id = std::move(client_id)](const Context& ctx) {
    HttpRequest request;
    request.url = fmt::format("{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}{}", host, kResource,
                              ClientIdParameter(client_id));
    request.headers.emplace_back("Metadata", "true");
    request.bypass_proxy = true;
    request.connect_timeout_ms = kMetadataConnectMs;
    Result<BearerToken> token = Ask(client, ctx, std::move(request), "asking the machine's identity for a token");
    if (token.ok()) return token;
    return Result<BearerToken>(std::move(token).status().Hint(
        "outside of Azure set AZURE_STORAGE_ACCESS_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING"));
  };
}

TokenFetch AppServiceToken(HttpClient& client, std::string endpoint, std::string header, std::string client_id) {
  return [&client, endpoint = std::move(endpoint), header = std::move(header),
          client_id = std::move(client_id)](const Context& ctx) {
    HttpRequest request;
    request.url = fmt::format("{}{}api-version=2019-08-01&resource={}{}", endpoint,
                              endpoint.find('?') == std::string::npos ? "?" : "&", kResource,
                              ClientIdParameter(client_id));
    request.headers.emplace_back("X-IDENTITY-HEADER", header);
    request.bypass_proxy = true;
    return Ask(client, ctx, std::move(request), "asking the service's identity for a token");
  };
}

TokenFetch WorkloadToken(HttpClient& client, TenantApp app, std::string token_file) {
  return [&client, app = std::move(app), file = std::move(token_file)](const Context& ctx) -> Result<BearerToken> {
    WALRIG_ASSIGN(const std::string assertion, ReadSmallFile(file));
    std::string form = fmt::format(
        "grant_type=client_credentials&client_id={}&scope={}&client_assertion_type="
        "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={}",
        http::PercentEncode(app.client_id), kScope, http::PercentEncode(assertion));
    return Ask(client, ctx, TenantRequest(app, &form), "changing the workload's token for one of the storage");
  };
}

TokenFetch ClientSecretToken(HttpClient& client, TenantApp app, std::string secret) {
  return [&client, app = std::move(app), secret = std::move(secret)](const Context& ctx) -> Result<BearerToken> {
    std::string form = fmt::format("grant_type=client_credentials&client_id={}&scope={}&client_secret={}",
                                   http::PercentEncode(app.client_id), kScope, http::PercentEncode(secret));
    return Ask(client, ctx, TenantRequest(app, &form), "asking for a token by client secret");
  };
}

}  // namespace walrig::azure
