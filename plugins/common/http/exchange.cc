#include "plugins/common/http/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "plugins/common/http/response.h"
#include "plugins/common/http/text.h"

namespace walrig {
namespace {

constexpr uint64_t kMillisecondNs = 1'000'000;
// What a read of the core asks for, so that most bytes are copied once.
constexpr long kBufferBytes = 128 * 1024;
constexpr size_t kHeaderBytesMax = 64 * 1024;

bool OneLine(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool Changes(std::string_view method) { return method != "GET" && method != "HEAD" && method != "OPTIONS"; }

std::string HostOf(const std::string& url) {
  const Result<http::Url> parsed = http::ParseUrl(url);
  return parsed.ok() ? parsed->Authority() : "the server";
}

template <typename T>
void Set(CURL* easy, CURLoption option, T value) {
  // Fails only for options that this libcurl was built without; what must not be missing is set in Prepare.
  static_cast<void>(curl_easy_setopt(easy, option, value));
}

}  // namespace

Exchange::Exchange(HttpRequest request, const HttpOptions& options, size_t body_bytes_max)
    : request_(std::move(request)),
      body_bytes_max_(body_bytes_max),
      stall_ns_(kMillisecondNs * (request_.stall_timeout_ms != 0 ? request_.stall_timeout_ms : options.stall_timeout_ms)) {}

Exchange::~Exchange() { curl_slist_free_all(headers_); }

Status Exchange::SetHeaders(const HttpOptions& options) {
  const auto add = [this](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_, line.c_str());
    if (longer == nullptr) return false;
    headers_ = longer;
    return true;
  };
  // libcurl would ask by its own rule.
  bool good = add(request_.expect_continue ? "Expect: 100-continue" : "Expect:");
  if (FindHeader(request_.headers, "User-Agent").empty()) good = good && add("User-Agent: " + options.user_agent);
  for (const auto& [name, value] : request_.headers) {
    if (!OneLine(name) || !OneLine(value) || name.empty()) {
      return InvalidArgument(fmt::format("a header with a line break: {}", PrintableLine(name)));
    }
    good = good && add(value.empty() ? name + ";" : name + ": " + value);
  }
  if (!good) return OutOfMemory("libcurl");
  Set(easy_, CURLOPT_HTTPHEADER, headers_);
  return OkStatus();
}

void Exchange::SetMethod() {
  const bool sends = request_.BodyBytes() > 0 || request_.method == "PUT" || request_.method == "POST" ||
                     request_.method == "PATCH";
  if (sends) {
    Set(easy_, CURLOPT_UPLOAD, 1L);
    Set(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.BodyBytes()));
    Set(easy_, CURLOPT_READFUNCTION, &Exchange::OnRead);
    Set(easy_, CURLOPT_READDATA, this);
    Set(easy_, CURLOPT_SEEKFUNCTION, &Exchange::OnSeek);
    Set(easy_, CURLOPT_SEEKDATA, this);
    Set(easy_, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  } else if (request_.method == "HEAD") {
    Set(easy_, CURLOPT_NOBODY, 1L);
  } else {
    Set(easy_, CURLOPT_HTTPGET, 1L);
  }
  Set(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

Status Exchange::Prepare(CURL* easy, const HttpOptions& options) {
  easy_ = easy;
  if (!OneLine(request_.url)) return InvalidArgument("a URL with a line break");
  Set(easy_, CURLOPT_URL, request_.url.c_str());
  Set(easy_, CURLOPT_PRIVATE, this);
  Set(easy_, CURLOPT_ERRORBUFFER, error_text_.data());
  Set(easy_, CURLOPT_NOSIGNAL, 1L);
  Set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  Set(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  // "a/../b" is a key like any other.
  Set(easy_, CURLOPT_PATH_AS_IS, 1L);
  Set(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  Set(easy_, CURLOPT_BUFFERSIZE, kBufferBytes);
  Set(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  Set(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(options.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  Set(easy_, CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(request_.connect_timeout_ms != 0 ? request_.connect_timeout_ms : options.connect_timeout_ms));
  Set(easy_, CURLOPT_TIMEOUT_MS,
      static_cast<long>(request_.total_timeout_ms != 0 ? request_.total_timeout_ms : options.total_timeout_ms));
  const bool verifies = curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
                        curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
                        curl_easy_setopt(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2)) == CURLE_OK;
  if (!verifies) return Internal("this libcurl cannot verify certificates");
  if (!options.ca_file.empty()) {
    Set(easy_, CURLOPT_CAINFO, options.ca_file.c_str());
    Set(easy_, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (request_.bypass_proxy || options.proxy == "-") {
    Set(easy_, CURLOPT_PROXY, "");
  } else if (!options.proxy.empty()) {
    Set(easy_, CURLOPT_PROXY, options.proxy.c_str());
  }
  Set(easy_, CURLOPT_HEADERFUNCTION, &Exchange::OnHeader);
  Set(easy_, CURLOPT_HEADERDATA, this);
  Set(easy_, CURLOPT_WRITEFUNCTION, &Exchange::OnBody);
  Set(easy_, CURLOPT_WRITEDATA, this);
  SetMethod();
  return SetHeaders(options);
}

size_t Exchange::OnHeader(char* bytes, size_t size, size_t count, void* self) {
  static_cast<Exchange*>(self)->Header({bytes, size * count});
  return size * count;
}

void Exchange::Header(std::string_view line) {
  moved_ += line.size();
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.substr(0, 5) == "HTTP/") {
    // Another answer: the one before was a 100, or of a proxy.
    response_.headers.clear();
    response_.status = 0;
    const size_t blank = line.find(' ');
    if (blank != std::string_view::npos) {
      if (const Result<uint64_t> status = http::ParseDecimal(line.substr(blank + 1, 3)); status.ok()) {
        response_.status = static_cast<int>(*status);
      }
    }
    headers_done_ = false;
    return;
  }
  if (line.empty()) {
    headers_done_ = response_.status >= 200;
    return;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  if (response_.headers.size() < 200 && line.size() <= kHeaderBytesMax) {
    response_.headers.emplace_back(line.substr(0, colon), value);
  }
}

size_t Exchange::OnBody(char* bytes, size_t size, size_t count, void* self) {
  return static_cast<Exchange*>(self)->Body({reinterpret_cast<const uint8_t*>(bytes), size * count});
}

size_t Exchange::Body(ByteSpan bytes) {
  if (!streaming_) {
    moved_ += bytes.size();
    const size_t room = body_bytes_max_ - std::min(body_bytes_max_, response_.body.size());
    response_.body_cut |= bytes.size() > room;
    response_.body.append(AsText(bytes.first(std::min(bytes.size(), room))));
    return bytes.size();
  }
  const size_t fits = std::min(bytes.size(), target_.size() - target_used_);
  if (fits == 0 && spill_used_ < spill_.size()) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  moved_ += bytes.size();
  if (fits > 0) std::memcpy(target_.data() + target_used_, bytes.data(), fits);
  target_used_ += fits;
  if (spill_used_ == spill_.size()) {
    spill_.clear();
    spill_used_ = 0;
  }
  spill_.append(AsText(bytes.subspan(fits)));
  return bytes.size();
}

size_t Exchange::TakeSpilled(MutableByteSpan buffer) {
  const size_t n = std::min(buffer.size(), spill_.size() - spill_used_);
  std::memcpy(buffer.data(), spill_.data() + spill_used_, n);
  spill_used_ += n;
  if (spill_used_ == spill_.size()) {
    spill_.clear();
    spill_used_ = 0;
  }
  return n;
}

void Exchange::SetTarget(MutableByteSpan buffer) {
  target_ = buffer;
  target_used_ = 0;
  if (!paused_ || done_) return;
  paused_ = false;
  static_cast<void>(curl_easy_pause(easy_, CURLPAUSE_CONT));
}

size_t Exchange::EndTarget() {
  const size_t used = target_used_;
  target_ = {};
  target_used_ = 0;
  return used;
}

size_t Exchange::OnRead(char* buffer, size_t size, size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const size_t n = exchange.GiveUpload({reinterpret_cast<uint8_t*>(buffer), size * count});
  if (n != CURL_READFUNC_ABORT) exchange.moved_ += n;
  return n;
}

size_t Exchange::GiveUpload(MutableByteSpan buffer) {
  if (request_.body_source) {
    const uint64_t left = request_.body_size_bytes - sent_;
    if (left == 0) return 0;
    Result<size_t> got = request_.body_source(buffer.first(static_cast<size_t>(std::min<uint64_t>(left, buffer.size()))));
    if (!got.ok() || *got == 0) {
      callback_failure_ = got.ok() ? Truncated("what is to be sent ended early") : std::move(got).status();
      return CURL_READFUNC_ABORT;
    }
    sent_ += *got;
    return *got;
  }
  size_t used = 0;
  while (used < buffer.size() && piece_ < request_.body.size()) {
    const ByteSpan rest = request_.body[piece_].subspan(piece_offset_);
    const size_t n = std::min(rest.size(), buffer.size() - used);
    if (n > 0) std::memcpy(buffer.data() + used, rest.data(), n);
    used += n;
    piece_offset_ += n;
    if (n == rest.size()) {
      ++piece_;
      piece_offset_ = 0;
    }
  }
  sent_ += used;
  return used;
}

int Exchange::OnSeek(void* self, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(self);
  // libcurl would send the request anew on another connection when a kept one dies. That is another attempt, which is
  // not ours to make.
  return offset == 0 && origin == SEEK_SET && exchange.sent_ == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

Status Exchange::FailureOf(CURLcode code) {
  if (!callback_failure_.ok()) return callback_failure_;
  const std::string reason = error_text_[0] != '\0' ? PrintableLine(error_text_.data()) : curl_easy_strerror(code);
  std::string text = fmt::format("{}: {}", HostOf(request_.url), reason);
  const bool certificate = reason.find("certificate") != std::string::npos;
  switch (code) {
    case CURLE_OUT_OF_MEMORY: return OutOfMemory("libcurl");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return InvalidArgument(std::move(text));
    case CURLE_OPERATION_TIMEDOUT: return Timeout(std::move(text)).Retryable();
    case CURLE_PARTIAL_FILE: return Truncated(std::move(text)).Retryable();
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return ProtocolError(std::move(text)).Retryable();
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
      return PermissionDenied(std::move(text)).Hint("name the authority's certificate in the setting for a CA file");
    case CURLE_SSL_CONNECT_ERROR:
      if (certificate) return PermissionDenied(std::move(text));
      return Unavailable(std::move(text)).Retryable();
    default: return Unavailable(std::move(text)).Retryable();
  }
}

void Exchange::Fail(Status status) {
  done_ = true;
  long request_bytes = 0;
  static_cast<void>(curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &request_bytes));
  outcome_ = std::move(status);
  if (request_bytes > 0 && Changes(request_.method)) outcome_ = std::move(outcome_).OutcomeUnknown();
}

void Exchange::End(CURLcode code) {
  if (code != CURLE_OK) return Fail(FailureOf(code));
  if (response_.ok() && !SentWhole()) {
    return Fail(Truncated(HostOf(request_.url) + ": the server said that it had all before all was sent").Retryable());
  }
  done_ = true;
  headers_done_ = true;
  if (response_.status == 0) outcome_ = ProtocolError(HostOf(request_.url) + ": an answer without a status").Retryable();
}

// libcurl stops sending when an answer comes early, and calls that success.
bool Exchange::SentWhole() const {
  curl_off_t sent_bytes = 0;
  if (curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent_bytes) != CURLE_OK) return false;
  return static_cast<uint64_t>(sent_bytes) >= request_.BodyBytes();
}

}  // namespace walrig
