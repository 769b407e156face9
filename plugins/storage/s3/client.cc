#include "plugins/storage/s3/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/response.h"

namespace walrig::s3 {
namespace {

constexpr int64_t kSkewWorthNs = 60'000'000'000;
constexpr uint64_t kExpectBytesMin = 2u << 20;

struct Meaning {
  std::string_view name;
  Code code;
  bool retryable = false;
  std::string_view hint = {};
};

// Where the name says more than the number. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
constexpr Meaning kMeanings[] = {
    {"NoSuchKey", Code::kNotFound},
    {"NoSuchVersion", Code::kNotFound},
    {"NoSuchUpload", Code::kNotFound},
    {"NoSuchBucket", Code::kConfig, false, "create the bucket, or correct WALG_S3_PREFIX"},
    {"InvalidBucketName", Code::kConfig},
    {"AccessDenied", Code::kPermission, false, "the policy of the key must allow this; docs/guide/storage_s3.md lists what is needed"},
    {"AllAccessDisabled", Code::kPermission},
    {"InvalidObjectState", Code::kNotSupported, false, "the object is archived (Glacier): restore it first"},
    {"SignatureDoesNotMatch", Code::kUnauthenticated, false, "the secret key is wrong, or a proxy changes requests"},
    {"InvalidAccessKeyId", Code::kUnauthenticated, false, "the access key is unknown to the server"},
    {"InvalidTokenId", Code::kUnauthenticated},
    {"ExpiredToken", Code::kUnauthenticated},
    {"ExpiredTokenException", Code::kUnauthenticated},
    {"InvalidToken", Code::kUnauthenticated},
    {"TokenRefreshRequired", Code::kUnauthenticated},
    {"RequestTimeTooSkewed", Code::kUnauthenticated, false, "the machine's clock is wrong"},
    {"SlowDown", Code::kThrottled, true},
    {"Throttling", Code::kThrottled, true},
    {"ThrottlingException", Code::kThrottled, true},
    {"RequestLimitExceeded", Code::kThrottled, true},
    {"TooManyRequests", Code::kThrottled, true},
    {"BandwidthLimitExceeded", Code::kThrottled, true},
    {"ServiceUnavailable", Code::kThrottled, true},
    {"InternalError", Code::kUnavailable, true},
    {"RequestTimeout", Code::kUnavailable, true},
    {"IncompleteBody", Code::kUnavailable, true},
    {"BadDigest", Code::kCorruption, true},
    {"InvalidDigest", Code::kCorruption, true},
    {"XAmzContentSHA256Mismatch", Code::kCorruption, true},
    {"XAmzContentChecksumMismatch", Code::kCorruption, true},
    {"PreconditionFailed", Code::kPreconditionFailed},
    {"ConditionalRequestConflict", Code::kConflict, true},
    {"OperationAborted", Code::kConflict, true},
    {"EntityTooLarge", Code::kTooLarge},
    {"KeyTooLongError", Code::kNameInvalid},
    {"InvalidURI", Code::kNameInvalid},
    {"XMinioInvalidObjectName", Code::kNameInvalid},
    {"XMinioParentIsObject", Code::kNameInvalid},
    {"XMinioObjectExistsAsDirectory", Code::kNameInvalid},
    {"QuotaExceeded", Code::kNoSpace},
    {"XMinioStorageFull", Code::kNoSpace},
    {"XMinioAdminBucketQuotaExceeded", Code::kNoSpace},
    {"AuthorizationHeaderMalformed", Code::kConfig},
    {"PermanentRedirect", Code::kConfig, false, "the bucket is in another region: set AWS_REGION"},
    {"InvalidRequest", Code::kInvalidArgument},
    {"NotImplemented", Code::kNotSupported},
};

bool SaysExpired(std::string_view name) {
  return name == "ExpiredToken" || name == "ExpiredTokenException" || name == "InvalidToken" ||
         name == "TokenRefreshRequired" || name == "InvalidAccessKeyId" || name == "InvalidTokenId";
}

Status::Detail Retryable(Status::Detail detail) {
  detail.retryable = true;
  return detail;
}

bool IsAddress(std::string_view host) {
  return host.substr(0, 1) == "[" || host == "localhost" || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

S3Client::S3Client(Settings settings, std::unique_ptr<HttpClient> connections)
    : settings_(std::move(settings)),
      http_(std::move(connections)),
      credentials_(settings_.credentials, *http_),
      region_(settings_.region) {}

Result<std::unique_ptr<S3Client>> S3Client::New(Settings settings) {
  HttpOptions options;
  options.ca_file = settings.ca_file;
  options.proxy = settings.proxy;
  options.connect_timeout_ms = static_cast<uint32_t>(settings.connect_timeout_ms);
  options.stall_timeout_ms = static_cast<uint32_t>(settings.stall_timeout_ms);
  http::Url endpoint;
  if (!settings.endpoint.empty()) {
    const bool bare = settings.endpoint.find("://") == std::string::npos;
    Result<http::Url> url = http::ParseUrl(bare ? "https://" + settings.endpoint : settings.endpoint);
    if (!url.ok()) return ConfigError(fmt::format("endpoint: {}", url.status().message()));
    endpoint = *std::move(url);
    while (!endpoint.path.empty() && endpoint.path.back() == '/') endpoint.path.pop_back();
    if (IsAddress(endpoint.host)) settings.path_style = true;
    if (settings.region.empty()) settings.region = "us-east-1";
  }
  if (!settings.sse_c_key.empty() && endpoint.scheme == "http" && !http::IsLoopback(endpoint.host)) {
    return ConfigError("sse_c_key would go in the clear: the endpoint is plain http").Hint("use an https endpoint");
  }
  // A wildcard certificate is for one label only.
  if (settings.bucket.find('.') != std::string::npos && endpoint.scheme != "http") settings.path_style = true;
  if (settings.bucket.find_first_of("_ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos) settings.path_style = true;
  WALRIG_ASSIGN(std::unique_ptr<HttpClient> connections, HttpClient::New(std::move(options)));
  std::unique_ptr<S3Client> client(new S3Client(std::move(settings), std::move(connections)));
  client->endpoint_ = std::move(endpoint);
  return client;
}

Result<std::string> S3Client::Region(const Context& ctx) {
  {
    const std::lock_guard lock(mutex_);
    if (!region_.empty()) return region_;
  }
  WALRIG_ASSIGN(std::string region, DiscoverRegion(ctx));
  UseRegion(region);
  return region;
}

void S3Client::UseRegion(const std::string& region) {
  const std::lock_guard lock(mutex_);
  region_ = region;
}

// Any answer about a bucket names its region, even a refusal to a stranger.
Result<std::string> S3Client::DiscoverRegion(const Context& ctx) {
  HttpRequest request;
  request.method = "HEAD";
  request.url = fmt::format("https://s3.us-east-1.amazonaws.com/{}", settings_.bucket);
  WALRIG_ASSIGN(const HttpResponse response, http_->Send(ctx, request));
  const std::string_view region = response.Header("x-amz-bucket-region");
  if (!region.empty()) return std::string(region);
  if (response.status == 404) {
    return ConfigError(fmt::format("there is no bucket {}", settings_.bucket)).Hint("create it, or correct WALG_S3_PREFIX");
  }
  return HttpStatusError(response.status == 200 ? 502 : response.status, response.headers, {.what = "asking for the bucket's region"})
      .Hint("set AWS_REGION");
}

Result<http::Url> S3Client::UrlOf(const Context& ctx, std::string_view key) {
  http::Url url = endpoint_;
  if (url.host.empty()) {
    WALRIG_ASSIGN(const std::string region, Region(ctx));
    url.scheme = "https";
    url.host = fmt::format("s3.{}{}.amazonaws.com{}", settings_.dual_stack ? "dualstack." : "", region,
                           region.substr(0, 3) == "cn-" ? ".cn" : "");
  }
  const std::string encoded = http::PercentEncode(key, true);
  if (settings_.path_style) {
    url.path += "/" + settings_.bucket + (key.empty() ? "" : "/" + encoded);
  } else {
    url.host = settings_.bucket + "." + url.host;
    url.path += "/" + encoded;
  }
  return url;
}

Result<HttpRequest> S3Client::Make(const Context& ctx, const S3Request& request) {
  WALRIG_ASSIGN(http::Url url, UrlOf(ctx, request.key));
  url.query = CanonicalQuery(request.query);
  HttpRequest out;
  out.method = request.method;
  out.url = url.ToString();
  out.headers = request.headers;
  out.headers.insert(out.headers.end(), settings_.extra_headers.begin(), settings_.extra_headers.end());
  out.body = request.body;
  out.stall_timeout_ms = request.stall_timeout_ms;
  out.expect_continue = request.expect_continue && settings_.expect_continue && out.BodyBytes() >= kExpectBytesMin;
  if (settings_.credentials.anonymous) return out;

  std::string hash = request.body_sha256;
  if (hash.empty() && url.scheme == "https" && !request.body.empty()) hash = kUnsignedPayload;
  if (hash.empty()) {
    http::Digester digester(http::DigestKind::kSha256);
    for (const ByteSpan& piece : request.body) digester.Update(piece);
    hash = http::HexOf(AsBytes(digester.Final()));
  }
  WALRIG_ASSIGN(const auto credentials, credentials_.Get(ctx));
  WALRIG_ASSIGN(const std::string region, Region(ctx));
  Sign({.method = out.method, .authority = url.Authority(), .encoded_path = url.path, .query = url.query,
        .payload_hash = hash, .region = region, .wall_ns = ctx.clock->WallNs() + skew_ns_.load()},
       *credentials, &out.headers);
  return out;
}

Result<HttpResponse> S3Client::Send(const Context& ctx, const S3Request& request, size_t body_bytes_max) {
  WALRIG_ASSIGN(const HttpRequest made, Make(ctx, request));
  Result<HttpResponse> response = http_->Send(ctx, made, body_bytes_max);
  if (!response.ok()) return std::move(response).status().With(request.what);
  if (!response->ok()) return Judge(ctx, *response, request.what, request.changes());
  if (response->body_cut) return ProtocolError(request.what + ": the answer is too long");
  bucket_seen_ = true;
  return response;
}

Result<std::unique_ptr<HttpStream>> S3Client::Open(const Context& ctx, const S3Request& request) {
  WALRIG_ASSIGN(const HttpRequest made, Make(ctx, request));
  Result<std::unique_ptr<HttpStream>> stream = http_->Open(ctx, made);
  if (!stream.ok()) return std::move(stream).status().With(request.what);
  const int status = (*stream)->status();
  if (status >= 200 && status < 300) {
    bucket_seen_ = true;
    return stream;
  }
  WALRIG_ASSIGN(const HttpResponse response, (*stream)->Drain(ctx));
  return Judge(ctx, response, request.what, request.changes());
}

Status S3Client::Judge(const Context& ctx, const HttpResponse& response, std::string_view what, bool changes) {
  ErrorAnswer error = ParseError(response.body);
  // The answer to HEAD has no body; MinIO says the name in a header.
  if (error.code.empty()) error.code = response.Header("x-minio-error-code");
  return ErrorStatus(ctx, response.status, response.headers, error, what, changes);
}

Status S3Client::ErrorStatus(const Context& ctx, int status, const HttpHeaders& headers, const ErrorAnswer& error,
                             std::string_view what, bool changes) {
  const std::string_view id = FindHeader(headers, "x-amz-request-id");
  // An error within a 200 came late: the number says nothing.
  Status result = HttpStatusError(status >= 200 && status < 300 ? 500 : status, headers,
                                  {.what = what, .name = error.code, .message = error.message,
                                   .request_id = id.empty() ? std::string_view(error.request_id) : id, .changes = changes});
  for (const Meaning& meaning : kMeanings) {
    if (meaning.name != error.code) continue;
    Status::Detail detail = result.detail();
    detail.retryable = meaning.retryable;
    detail.retry_after_ms = meaning.retryable ? RetryAfterMs(headers) : 0;
    // A gateway's 503 bears a name too, and the put behind it may have had its effect.
    if (meaning.code != Code::kUnavailable && status < 500) detail.outcome_unknown = false;
    result = Status(meaning.code, std::string(result.message())).WithDetail(std::move(detail));
    if (!meaning.hint.empty()) result = std::move(result).Hint(std::string(meaning.hint));
    break;
  }
  Learn(ctx, headers, error, &result);
  return result;
}

void S3Client::Learn(const Context& ctx, const HttpHeaders& headers, const ErrorAnswer& error, Status* status) {
  if (error.code == "RequestTimeTooSkewed") {
    const Result<int64_t> theirs = http::ParseHttpDate(FindHeader(headers, "Date"));
    const int64_t skew = theirs.ok() ? *theirs - ctx.clock->WallNs() : 0;
    const int64_t change = skew - skew_ns_.load();
    if (theirs.ok() && (change > kSkewWorthNs || change < -kSkewWorthNs)) {
      skew_ns_ = skew;
      *status = std::move(*status).WithDetail(Retryable(status->detail()));
    }
  }
  // On AWS a HEAD with an old token, or for another region, is a 400 without a word: nothing else of ours is.
  const bool silent = status->detail().native_code == 400 && error.code.empty();
  if ((silent || SaysExpired(error.code)) && credentials_.Refused()) *status = std::move(*status).WithDetail(Retryable(status->detail()));
  const bool elsewhere = error.code == "AuthorizationHeaderMalformed" || error.code == "PermanentRedirect" ||
                         error.code == "TemporaryRedirect" || silent || status->detail().native_code == 301 ||
                         status->detail().native_code == 307;
  std::string region(FindHeader(headers, "x-amz-bucket-region"));
  if (region.empty()) region = error.region;
  const bool plain = !region.empty() && region.size() < 64 &&
                     region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (!elsewhere || !plain) return;
  const std::lock_guard lock(mutex_);
  if (region_ == region) return;
  region_ = region;
  *status = std::move(*status).WithDetail(Retryable(status->detail()));
}

Status S3Client::CheckBucket(const Context& ctx) {
  if (bucket_seen_) return OkStatus();
  S3Request request;
  request.method = "HEAD";
  request.what = "look for bucket " + settings_.bucket;
  const Result<HttpResponse> response = Send(ctx, request);
  if (!response.ok() && response.status().code() == Code::kNotFound) {
    return ConfigError(fmt::format("there is no bucket {}", settings_.bucket)).Hint("create it, or correct WALG_S3_PREFIX");
  }
  // Not everybody may ask for the bucket as such. Whatever else it is (a stop, a deadline): the bucket was not seen.
  const Code code = response.status().code();
  const bool refused = code == Code::kPermission || code == Code::kInvalidArgument || code == Code::kNotSupported;
  if (!response.ok() && (response.status().retryable() || !refused)) return response.status();
  bucket_seen_ = true;
  return OkStatus();
}

}  // namespace walrig::s3
