#include "plugins/storage/gcs/tokens.h"

#include <fmt/format.h>

#include "plugins/common/http/document.h"
#include "plugins/common/http/response.h"
#include "plugins/common/http/text.h"
#include "plugins/storage/gcs/jwt.h"

namespace walrig::gcs {
namespace {

using http::JsonMember;
using http::PercentEncode;

constexpr std::string_view kStorageScope = "https://www.googleapis.com/auth/devstorage.read_write";
constexpr std::string_view kPlatformScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr int64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kLifetimeMaxS = 7 * 24 * 3600;
constexpr size_t kSubjectBytesMax = 64 * 1024;
constexpr uint32_t kTokenTimeoutMs = 30'000;

HttpRequest Form(const std::string& url, const std::string& body) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.SetBody(body);
  request.total_timeout_ms = kTokenTimeoutMs;
  return request;
}

// A form with secrets is wiped when it was sent.
struct Wiped {
  std::string text;
  ~Wiped() { sdk::Secret::WipeBytes(text.data(), text.size()); }
};

}  // namespace

Result<Token> ParseTokenAnswer(std::string_view body, int64_t now_ns) {
  // The parser's message may quote what it met: it is not passed on.
  const Result<http::HttpJson> json = http::ParseHttpJson(body, "the answer");
  if (!json.ok() || !json->is_object()) return ProtocolError("the answer of the token endpoint is no JSON object");
  Token token;
  token.bearer = JsonMember(*json, "access_token");
  if (token.bearer.empty()) token.bearer = JsonMember(*json, "accessToken");
  for (const char c : token.bearer) {
    if (c <= ' ' || c > '~') return ProtocolError("the answer of the token endpoint has a token of strange letters");
  }
  if (token.bearer.empty()) return ProtocolError("the answer of the token endpoint has no token");
  if (const std::string moment = JsonMember(*json, "expireTime"); !moment.empty()) {
    const Result<int64_t> ns = http::ParseRfc3339Time(moment);
    if (!ns.ok()) return ProtocolError("the answer of the token endpoint has an expireTime that is none");
    token.expires_ns = *ns;
    return token;
  }
  const Result<uint64_t> seconds = http::ParseDecimal(JsonMember(*json, "expires_in"));
  if (!seconds.ok()) return ProtocolError("the answer of the token endpoint does not say when the token ends");
  token.expires_ns = now_ns + static_cast<int64_t>(std::min(*seconds, kLifetimeMaxS)) * kSecondNs;
  return token;
}

Tokens::Tokens(Credentials credentials, HttpClient& client)
    : credentials_(std::move(credentials)),
      client_(client),
      cache_([this](const Context& ctx) { return Fetch(ctx, credentials_, kStorageScope); }) {}

Result<Token> Tokens::Ask(const Context& ctx, const HttpRequest& request, std::string_view whom) {
  Result<HttpResponse> answer = client_.Send(ctx, request, 256u << 10);
  if (!answer.ok()) return std::move(answer).status().With(fmt::format("asking {} for a token", whom));
  Wiped body{std::move(answer->body)};
  if (answer->status == 200 && !answer->body_cut) return ParseTokenAnswer(body.text, ctx.clock->WallNs());
  // {"error": "invalid_grant", "error_description": "..."}, or {"error": {"status": ..., "message": ...}}
  const Result<http::HttpJson> json = http::ParseHttpJson(body.text, "the answer");
  std::string name, message;
  if (json.ok() && json->is_object()) {
    name = JsonMember(*json, "error");
    message = JsonMember(*json, "error_description");
    if (const auto error = json->find("error"); error != json->end() && error->is_object()) {
      name = JsonMember(*error, "status");
      message = JsonMember(*error, "message");
    }
  }
  const std::string what = fmt::format("asking {} for a token", whom);
  Status status = HttpStatusError(answer->status, answer->headers, {.what = what, .name = name, .message = message, .request_id = {}});
  if (status.retryable()) return status;
  // A missing token is not a missing object.
  return Status(Code::kUnauthenticated, std::string(status.message())).WithDetail(status.detail());
}

Result<Token> Tokens::FetchSigned(const Context& ctx, const Credentials& from, std::string_view scope) {
  const JwtClaims claims{.issuer = from.email, .key_id = from.key_id, .audience = from.token_url,
                         .scope = std::string(scope), .issued_s = ctx.clock->WallNs() / kSecondNs};
  WALRIG_ASSIGN(const std::string jwt, SignJwt(claims, from.private_key.bytes()));
  const Wiped body{"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + jwt};
  return Ask(ctx, Form(from.token_url, body.text), "the token endpoint");
}

Result<Token> Tokens::FetchRefreshed(const Context& ctx, const Credentials& from) {
  const Wiped body{fmt::format("grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
                               PercentEncode(from.client_id), PercentEncode(from.client_secret.bytes()),
                               PercentEncode(from.refresh_token.bytes()))};
  return Ask(ctx, Form(from.token_url, body.text), "the token endpoint");
}

Result<Token> Tokens::FetchExchanged(const Context& ctx, const Credentials& from, std::string_view scope) {
  sdk::Secret text;
  if (!from.subject_file.empty()) {
    WALRIG_ASSIGN(text, ReadSecretFile(from.subject_file, kSubjectBytesMax));
  } else {
    HttpRequest request;
    request.url = from.subject_url;
    request.headers = from.subject_headers;
    request.total_timeout_ms = kTokenTimeoutMs;
    WALRIG_ASSIGN(HttpResponse answer, client_.Send(ctx, request, kSubjectBytesMax));
    text = sdk::Secret(std::vector<char>(answer.body.begin(), answer.body.end()));
    sdk::Secret::WipeBytes(answer.body.data(), answer.body.size());
    if (answer.status != 200 || answer.body_cut) {
      Status status = HttpStatusError(answer.status == 200 ? 500 : answer.status, answer.headers, {.what = "asking for the subject's token", .name = {}, .message = {}, .request_id = {}});
      if (status.retryable()) return status;
      return Status(Code::kUnauthenticated, std::string(status.message())).WithDetail(status.detail());
    }
  }
  WALRIG_ASSIGN(const sdk::Secret subject, SubjectToken(text.bytes(), from.subject_field));
  const std::string_view first_scope = from.impersonation_url.empty() ? scope : kPlatformScope;
  const Wiped body{fmt::format(
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&audience={}&scope={}"
      "&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&subject_token_type={}&subject_token={}",
      PercentEncode(from.audience), PercentEncode(first_scope), PercentEncode(from.subject_token_type),
      PercentEncode(subject.bytes()))};
  WALRIG_ASSIGN(Token token, Ask(ctx, Form(from.token_url, body.text), "the security token service"));
  if (from.impersonation_url.empty()) return token;
  return Impersonate(ctx, token, from.impersonation_url, scope);
}

Result<Token> Tokens::Impersonate(const Context& ctx, const Token& base, const std::string& url, std::string_view scope) {
  const std::string body = fmt::format(R"({{"scope":["{}"],"lifetime":"3600s"}})", scope);
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + base.bearer}};
  request.SetBody(body);
  request.total_timeout_ms = kTokenTimeoutMs;
  Result<Token> token = Ask(ctx, request, "the impersonated account");
  sdk::Secret::WipeBytes(request.headers[1].second.data(), request.headers[1].second.size());
  return token;
}

Result<Token> Tokens::FetchFromMachine(const Context& ctx, const Credentials& from) {
  HttpRequest request;
  request.url = from.metadata_url + "/computeMetadata/v1/instance/service-accounts/default/token?scopes=" + PercentEncode(kStorageScope);
  request.headers = {{"Metadata-Flavor", "Google"}};
  request.bypass_proxy = true;
  request.connect_timeout_ms = 3'000;
  request.total_timeout_ms = kTokenTimeoutMs;
  Result<Token> token = Ask(ctx, request, "the metadata server");
  if (token.ok()) return token;
  return std::move(token).status().Hint(
      "outside of Google's machines name a credentials file in GOOGLE_APPLICATION_CREDENTIALS");
}

Result<Token> Tokens::Fetch(const Context& ctx, const Credentials& from, std::string_view scope) {
  switch (from.kind) {
    case CredentialKind::kServiceAccount: return FetchSigned(ctx, from, scope);
    case CredentialKind::kAuthorizedUser: return FetchRefreshed(ctx, from);
    case CredentialKind::kExternal: return FetchExchanged(ctx, from, scope);
    case CredentialKind::kMetadata: return FetchFromMachine(ctx, from);
    case CredentialKind::kImpersonated: {
      WALRIG_ASSIGN(const Token base, Fetch(ctx, *from.source, kPlatformScope));
      return Impersonate(ctx, base, from.impersonation_url, scope);
    }
    case CredentialKind::kNone: break;
  }
  return Internal("a token was asked for without credentials");
}

}  // namespace walrig::gcs
