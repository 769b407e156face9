// S3Client: requests to one bucket: addressed, signed, sent, and errors understood.
//
// OWNS: HTTP client and credentials. THREADS: any.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/http/client.h"
#include "plugins/common/http/text.h"
#include "plugins/storage/s3/answers.h"
#include "plugins/storage/s3/credentials.h"
#include "plugins/storage/s3/settings.h"
#include "plugins/storage/s3/signer.h"

namespace walrig::s3 {

struct S3Request {
  std::string_view method = "GET";
  std::string key;         // whole, "" for the bucket itself
  Query query;
  HttpHeaders headers;
  std::vector<ByteSpan> body;
  std::string body_sha256;  // hex; "": taken here over plain HTTP, unsigned over TLS
  std::string what;         // "put a/b": for messages
  bool expect_continue = false;
  uint32_t stall_timeout_ms = 0;
  bool changes() const { return method != "GET" && method != "HEAD"; }
};

class S3Client {
 public:
  static Result<std::unique_ptr<S3Client>> New(Settings settings);

  // The answer with 2xx, or the Status of another one.
  Result<HttpResponse> Send(const Context& ctx, const S3Request& request, size_t body_bytes_max = kAnswerBytesMax);
  Result<std::unique_ptr<HttpStream>> Open(const Context& ctx, const S3Request& request);
  // For HttpBatch; what comes back goes through Judge.
  Result<HttpRequest> Make(const Context& ctx, const S3Request& request);
  Status Judge(const Context& ctx, const HttpResponse& response, std::string_view what, bool changes);
  // An <Error>, in whatever answer it came. Learns what it says of region, clock and credentials.
  Status ErrorStatus(const Context& ctx, int status, const HttpHeaders& headers, const ErrorAnswer& error,
                     std::string_view what, bool changes);
  std::unique_ptr<HttpBatch> NewBatch() { return http_->NewBatch(); }

  // A request for an object was answered with 404: is the bucket there at all? Asked once.
  // FAILS WITH: kConfig when it is not.
  Status CheckBucket(const Context& ctx);

  const Settings& settings() const noexcept { return settings_; }
  bool tls() const noexcept { return endpoint_.scheme == "https" || endpoint_.scheme.empty(); }

  static constexpr size_t kAnswerBytesMax = 16u << 20;

 private:
  S3Client(Settings settings, std::unique_ptr<HttpClient> http);
  Result<http::Url> UrlOf(const Context& ctx, std::string_view key);
  Result<std::string> Region(const Context& ctx);
  Result<std::string> DiscoverRegion(const Context& ctx);
  void Learn(const Context& ctx, const HttpHeaders& headers, const ErrorAnswer& error, Status* status);
  void UseRegion(const std::string& region);

  const Settings settings_;
  http::Url endpoint_;  // empty: AWS's own
  std::unique_ptr<HttpClient> http_;
  CredentialChain credentials_;
  std::atomic<int64_t> skew_ns_{0};
  std::atomic<bool> bucket_seen_{false};
  std::mutex mutex_;
  std::string region_;  // guarded by mutex_; "" until known
};

}  // namespace walrig::s3
