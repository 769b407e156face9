#include "plugins/storage/gcs/client.h"

#include <fmt/format.h>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/text.h"

namespace walrig::gcs {
namespace {

using http::PercentEncode;

constexpr size_t kAnswerBytesMax = 32u << 20;  // a page of 1000 names of 1024 bytes, escaped, and room
constexpr size_t kBatchMax = 100;              // the API's limit
constexpr size_t kCsekBytes = 32;

bool IsThrottle(std::string_view reason) {
  return reason == "rateLimitExceeded" || reason == "userRateLimitExceeded" || reason == "dailyLimitExceeded" ||
         reason == "quotaExceeded" || reason == "concurrentLimitExceeded";
}

}  // namespace

Client::Client(ClientOptions options, std::unique_ptr<HttpClient> http) : options_(std::move(options)), http_(std::move(http)) {}
Client::~Client() {
  auto& key = const_cast<std::string&>(options_.csek_base64);
  sdk::Secret::WipeBytes(key.data(), key.size());
}

Result<std::unique_ptr<Client>> Client::New(ClientOptions options, Credentials credentials, HttpOptions http) {
  WALRIG_ASSIGN(std::unique_ptr<HttpClient> lanes, HttpClient::New(std::move(http)));
  std::unique_ptr<Client> client(new Client(std::move(options), std::move(lanes)));
  client->tokens_ = std::make_unique<Tokens>(std::move(credentials), *client->http_);
  if (client->has_csek()) {
    Result<std::string> key = http::Base64Decode(client->options_.csek_base64);
    if (!key.ok() || key->size() != kCsekBytes) {
      return ConfigError("the encryption key (GCS_ENCRYPTION_KEY) is not 32 bytes in base64");
    }
    client->csek_sha256_ = http::Base64Of(http::Sha256Of(AsBytes(*key)));
    sdk::Secret::WipeBytes(key->data(), key->size());
  }
  return client;
}

std::string Client::BucketUrl() const { return fmt::format("{}/storage/v1/b/{}", options_.endpoint, options_.place.bucket); }
std::string Client::ObjectPath(std::string_view name) const {
  return fmt::format("/storage/v1/b/{}/o/{}", options_.place.bucket, PercentEncode(name));
}
std::string Client::ObjectUrl(std::string_view name) const { return options_.endpoint + ObjectPath(name); }
std::string Client::UploadUrl() const { return fmt::format("{}/upload/storage/v1/b/{}/o", options_.endpoint, options_.place.bucket); }
std::string Client::BatchUrl() const { return options_.endpoint + "/batch/storage/v1"; }
std::string Client::RewriteUrl(std::string_view from, std::string_view to) const {
  return fmt::format("{}/rewriteTo/b/{}/o/{}", ObjectUrl(from), options_.place.bucket, PercentEncode(to));
}

Result<std::string> Client::SessionUrl(std::string_view location) const {
  const Result<http::Url> url = http::ParseUrl(location);
  if (!url.ok() || url->path.empty()) return ProtocolError("the server named no place to go on with the upload");
  return options_.endpoint + url->path + (url->query.empty() ? "" : "?" + url->query);
}

Result<HttpRequest> Client::Request(const Context& ctx, std::string_view method, std::string url, Csek csek) {
  HttpRequest request;
  request.method = method;
  request.url = std::move(url);
  if (!tokens_->anonymous()) {
    WALRIG_ASSIGN(const std::shared_ptr<const Token> token, tokens_->Get(ctx));
    request.headers.emplace_back("Authorization", "Bearer " + token->bearer);
    const std::lock_guard lock(mutex_);
    last_ = token;
  }
  const std::string& project = options_.user_project.empty() ? tokens_->quota_project() : options_.user_project;
  if (!project.empty()) request.headers.emplace_back("x-goog-user-project", project);
  if (has_csek() && csek != Csek::kNone) {
    for (const std::string_view head : {"x-goog-encryption-", "x-goog-copy-source-encryption-"}) {
      if (head != "x-goog-encryption-" && csek != Csek::kCopy) continue;
      request.headers.emplace_back(fmt::format("{}algorithm", head), "AES256");
      request.headers.emplace_back(fmt::format("{}key", head), options_.csek_base64);
      request.headers.emplace_back(fmt::format("{}key-sha256", head), csek_sha256_);
    }
  }
  return request;
}

Status Client::ErrorOf(const HttpRequest& request, int status, const HttpHeaders& headers, std::string_view body, std::string_view what) {
  const ErrorText text = ParseError(body);
  const bool throttled = (status == 403 || status == 429) && IsThrottle(text.reason);
  const bool changes = request.method != "GET" && request.method != "HEAD";
  const std::string_view message = text.message.empty() ? body.substr(0, 200) : std::string_view(text.message);
  Status error = HttpStatusError(throttled ? 429 : status, headers,
                                 {.what = what, .name = text.reason, .message = message,
                                  .request_id = FindHeader(headers, "x-guploader-uploadid"), .changes = changes});
  if (status != 401 || tokens_->anonymous()) return error;
  // The token may have ended early or been revoked: the next attempt brings another.
  const std::string_view used = FindHeader(request.headers, "Authorization");
  const std::lock_guard lock(mutex_);
  if (last_ != nullptr && used == "Bearer " + last_->bearer) tokens_->Refused(last_);
  return std::move(error).Retryable();
}

Result<HttpResponse> Client::Send(const Context& ctx, const HttpRequest& request, std::string_view what) {
  Result<HttpResponse> answer = http_->Send(ctx, request, kAnswerBytesMax);
  if (!answer.ok()) return std::move(answer).status().With(what);
  if (!answer->ok()) return ErrorOf(request, answer->status, answer->headers, answer->body, what);
  if (answer->body_cut) return ProtocolError(fmt::format("{}: the answer is longer than {} bytes", what, kAnswerBytesMax));
  return answer;
}

Result<RemotePage> Client::List(const Context& ctx, std::string_view query) {
  WALRIG_ASSIGN(const HttpRequest request, Request(ctx, "GET", fmt::format("{}/o?{}", BucketUrl(), query), Csek::kNone));
  Result<HttpResponse> answer = Send(ctx, request, "list");
  if (!answer.ok()) {
    if (answer.status().code() != Code::kNotFound) return std::move(answer).status();
    return ConfigError(fmt::format("the bucket {} does not exist", options_.place.bucket)).WithDetail(answer.status().detail());
  }
  bucket_seen_ = true;
  return ParseList(answer->body);
}

Status Client::Missing(const Context& ctx, Status status) {
  if (status.code() != Code::kNotFound || bucket_seen_) return status;
  const Status listed = List(ctx, "maxResults=1&fields=items(name,size,updated,generation,crc32c)").status();
  // Who may not list cannot tell, and is told what the server said.
  return listed.ok() || listed.code() == Code::kPermission ? status : listed;
}

void Client::UploadBegan(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  living_.insert(folder);
}
void Client::UploadEnded(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  living_.erase(folder);
}
bool Client::UploadLives(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  return living_.contains(folder);
}

Status Client::DeleteOne(const Context& ctx, const std::string& name) {
  WALRIG_ASSIGN(const HttpRequest request, Request(ctx, "DELETE", ObjectUrl(name), Csek::kNone));
  const Result<HttpResponse> answer = Send(ctx, request, "delete " + name);
  return answer.ok() || answer.status().code() == Code::kNotFound ? OkStatus() : answer.status();
}

Status Client::DeleteBatch(const Context& ctx, std::span<const std::string> names, std::span<Status> each) {
  constexpr std::string_view kBoundary = "===walrig_batch===";
  std::string body;
  for (size_t i = 0; i < names.size(); ++i) {
    body += fmt::format("--{}\r\nContent-Type: application/http\r\nContent-ID: <item-{}>\r\n\r\nDELETE {} HTTP/1.1\r\n\r\n\r\n",
                        kBoundary, i, ObjectPath(names[i]));
  }
  body += fmt::format("--{}--\r\n", kBoundary);
  WALRIG_ASSIGN(HttpRequest request, Request(ctx, "POST", BatchUrl(), Csek::kNone));
  request.headers.emplace_back("Content-Type", fmt::format("multipart/mixed; boundary=\"{}\"", kBoundary));
  request.SetBody(body);
  WALRIG_ASSIGN(const HttpResponse answer, Send(ctx, request, "delete a batch"));
  WALRIG_ASSIGN(const std::vector<BatchAnswer> parts, ParseBatch(answer.Header("Content-Type"), answer.body, names.size()));
  for (size_t i = 0; i < names.size(); ++i) {
    const BatchAnswer& part = parts[i];
    const std::string what = "delete " + names[i];
    if (part.status == 0) each[i] = ProtocolError(what + ": the batch has no answer for it").Retryable();
    else if (part.status / 100 == 2 || part.status == 404) each[i] = OkStatus();
    else each[i] = ErrorOf(request, part.status, part.headers, part.body, what);
  }
  return OkStatus();
}

Status Client::Delete(const Context& ctx, std::span<const std::string> names, std::vector<Status>* each) {
  each->assign(names.size(), OkStatus());
  if (names.size() == 1) {
    (*each)[0] = DeleteOne(ctx, names[0]);
    return OkStatus();
  }
  for (size_t begin = 0; begin < names.size(); begin += kBatchMax) {
    WALRIG_TRY(sdk::PollStop(ctx));
    const size_t count = std::min(kBatchMax, names.size() - begin);
    WALRIG_TRY(DeleteBatch(ctx, names.subspan(begin, count), std::span(*each).subspan(begin, count)));
  }
  return OkStatus();
}

}  // namespace walrig::gcs
