// HttpRequest and HttpResponse: one exchange with a server, as values.
//
// A request borrows the bytes of its body: they must live until the exchange ended. Header names are compared without
// regard to case. THREADS: values.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// ASCII letters without regard to case.
bool SameHeaderName(std::string_view a, std::string_view b) noexcept;
// The value of the first header of that name; "" when there is none.
std::string_view FindHeader(const HttpHeaders& headers, std::string_view name) noexcept;

struct HttpRequest {
  std::string method = "GET";
  std::string url;      // complete, already percent-encoded, without user and password
  HttpHeaders headers;  // Host, Content-Length, Expect and Connection are the client's business

  // The body: pieces that are sent one after the other, borrowed. A method that has a body (PUT, POST, PATCH) says
  // Content-Length: 0 without pieces.
  std::vector<ByteSpan> body;
  // Instead of pieces: gives the next bytes into the buffer; 0 before body_size_bytes were given fails the exchange.
  // Called on the thread that drives the exchange.
  std::function<Result<size_t>(MutableByteSpan)> body_source;
  uint64_t body_size_bytes = 0;  // of body_source

  bool expect_continue = false;   // ask the server (Expect: 100-continue) before the body goes; waits 1 s at the most
  bool bypass_proxy = false;      // for metadata services of the machine itself
  uint32_t connect_timeout_ms = 0;  // 0: the client's
  uint32_t stall_timeout_ms = 0;    // 0: the client's
  uint32_t total_timeout_ms = 0;    // 0: the client's

  void SetBody(std::string_view text) { body.assign(1, AsBytes(text)); }
  uint64_t BodyBytes() const noexcept;
};

struct HttpResponse {
  int status = 0;        // 200, 404, ...
  HttpHeaders headers;   // of the last answer (not of a 100 or of a proxy)
  std::string body;      // whole, or its beginning when it is longer than the caller allowed
  bool body_cut = false;

  bool ok() const noexcept { return status >= 200 && status < 300; }
  std::string_view Header(std::string_view name) const noexcept { return FindHeader(headers, name); }
};

}  // namespace walrig
