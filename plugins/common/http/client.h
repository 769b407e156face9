// HttpClient: HTTP and HTTPS over libcurl for the object storages.
//
// A client keeps idle connections and uses them again. It starts no threads: an exchange moves while its owner is in a
// call (Send, Read, Pump). One exchange is one attempt: nothing is tried again, no redirect is followed, so credentials
// never go to another host. Certificates are always verified.
//
// Every call that waits ends within a second after ctx.stop, and at ctx's deadline. FAILS WITH, all of them: kCancelled,
// kTimeout (connect, stall, total; retryable), kUnavailable (name, refusal, reset; retryable), kTruncated (the body ended
// early; retryable), kPermission (a certificate that is not trusted; not retryable), kProtocol. A status like 404 or 500 is
// no failure here: see response.h for what it means. outcome_unknown is set when a request that changes something may have
// reached the server.
//
// OWNS: connections. THREADS: HttpClient any number; HttpStream and HttpBatch one at a time, and neither may outlive the
// client.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/http/request.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/stream.h"

namespace walrig {

// Once per process, on the main thread, before other threads: the module's init hook (sdk::InitThunk<HttpGlobalInit>).
// Starts libcurl and libgcrypt.
Status HttpGlobalInit();

struct HttpOptions {
  std::string ca_file;     // PEM; trusted instead of the system's certificates. "" for the system's
  std::string proxy;       // "" takes http_proxy, https_proxy and no_proxy of the environment; "-" uses none
  std::string user_agent = "walrig";
  uint32_t connect_timeout_ms = 10'000;
  uint32_t stall_timeout_ms = 60'000;  // no byte moved, in either direction, while the caller waited
  uint32_t total_timeout_ms = 0;       // 0: none
  bool http2 = false;      // offer HTTP/2 over TLS; helps many small requests, not bulk data
  uint32_t idle_lanes_max = 32;        // idle sets of connections that are kept
  // Tests and private networks: "host:port:address", as libcurl's CURLOPT_RESOLVE.
  std::vector<std::string> resolve;
};

class HttpStream;
class HttpBatch;

class HttpClient {
 public:
  // FAILS WITH: kConfig when ca_file cannot be read or holds no certificate.
  static Result<std::unique_ptr<HttpClient>> New(HttpOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The whole exchange; at most body_bytes_max of the answer's body are kept (HttpResponse::body_cut tells).
  Result<HttpResponse> Send(const Context& ctx, const HttpRequest& request, size_t body_bytes_max = 1u << 20);

  // Until status and headers are there; the body is read from the stream. For downloads.
  Result<std::unique_ptr<HttpStream>> Open(const Context& ctx, const HttpRequest& request);

  // For several exchanges at once, driven by one thread: the parts of an upload.
  std::unique_ptr<HttpBatch> NewBatch();

 private:
  friend class HttpStream;
  friend class HttpBatch;
  struct Shared;
  explicit HttpClient(std::unique_ptr<Shared> shared);
  std::unique_ptr<Shared> shared_;
};

// The body of an answer. Memory: a buffer of libcurl's and one of the same size. Read says 0 only when Content-Length, or
// the end of the chunks, was reached.
class HttpStream final : public Source {
 public:
  ~HttpStream() override;
  int status() const noexcept;
  const HttpHeaders& headers() const noexcept;
  std::string_view Header(std::string_view name) const noexcept { return FindHeader(headers(), name); }
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override;
  // Reads the rest into a response, at most `body_bytes_max`: for the text of an error.
  Result<HttpResponse> Drain(const Context& ctx, size_t body_bytes_max = 64u << 10);

 private:
  friend class HttpClient;
  struct State;
  explicit HttpStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class HttpBatch {
 public:
  struct Done {
    uint64_t tag = 0;
    Result<HttpResponse> response;
  };
  ~HttpBatch();  // drops what is running; their connections are closed

  // Begins an exchange; its bytes move in Pump. The pieces of its body must live until it is in an answer of Pump, or
  // CancelAll. FAILS WITH: kInternal, kInvalidArgument; not with the network's errors, which come from Pump.
  Status Start(HttpRequest request, uint64_t tag);
  size_t running() const noexcept;

  // Moves what can be moved now, and tells which exchanges ended. With `wait`, returns only when at least one ended, or
  // none is running. FAILS WITH: kCancelled, kTimeout (ctx's deadline): then all go on to exist, until CancelAll.
  Result<std::vector<Done>> Pump(const Context& ctx, bool wait);
  void CancelAll() noexcept;

 private:
  friend class HttpClient;
  struct State;
  explicit HttpBatch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace walrig
