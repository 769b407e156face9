#include "plugins/common/http/response.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/http/text.h"

namespace walrig {
namespace {

constexpr uint64_t kRetryAfterMsMax = 3'600'000;

char LowerOf(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

struct Meaning {
  Code code;
  bool retryable;
};

Meaning MeaningOf(int status) {
  switch (status) {
    case 401: return {Code::kUnauthenticated, false};
    case 403: return {Code::kPermission, false};
    case 404:
    case 410: return {Code::kNotFound, false};
    case 405:
    case 501: return {Code::kNotSupported, false};
    case 407: return {Code::kUnauthenticated, false};
    case 408:
    case 425:
    case 499: return {Code::kUnavailable, true};
    case 409: return {Code::kConflict, true};
    case 304:
    case 412: return {Code::kPreconditionFailed, false};
    case 413: return {Code::kTooLarge, false};
    case 429:
    case 503: return {Code::kThrottled, true};
    case 507: return {Code::kNoSpace, false};
    default: break;
  }
  if (status >= 500) return {Code::kUnavailable, true};
  if (status >= 400) return {Code::kInvalidArgument, false};
  return {status >= 300 ? Code::kConfig : Code::kProtocol, false};
}

}  // namespace

bool SameHeaderName(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return LowerOf(x) == LowerOf(y); });
}

std::string_view FindHeader(const HttpHeaders& headers, std::string_view name) noexcept {
  for (const auto& [key, value] : headers) {
    if (SameHeaderName(key, name)) return value;
  }
  return {};
}

uint64_t HttpRequest::BodyBytes() const noexcept {
  if (body_source) return body_size_bytes;
  uint64_t sum = 0;
  for (const ByteSpan& piece : body) sum += piece.size();
  return sum;
}

std::string PrintableLine(std::string_view text, size_t bytes_max) {
  std::string line;
  for (const char c : text.substr(0, bytes_max)) line += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > bytes_max) line += "...";
  return line;
}

uint32_t RetryAfterMs(const HttpHeaders& headers) {
  const std::string_view text = FindHeader(headers, "Retry-After");
  if (text.empty()) return 0;
  if (const Result<uint64_t> seconds = http::ParseDecimal(text); seconds.ok()) {
    return static_cast<uint32_t>(std::min(*seconds, kRetryAfterMsMax / 1000) * 1000);
  }
  // A date counts from the server's own now: our clock may be wrong.
  const Result<int64_t> until = http::ParseHttpDate(text);
  const Result<int64_t> now = http::ParseHttpDate(FindHeader(headers, "Date"));
  if (!until.ok() || !now.ok() || *until <= *now) return 0;
  return static_cast<uint32_t>(std::min(static_cast<uint64_t>(*until - *now) / 1'000'000, kRetryAfterMsMax));
}

Status HttpStatusError(int status, const HttpHeaders& headers, const HttpErrorText& text) {
  const Meaning meaning = MeaningOf(status);
  std::string message = fmt::format("HTTP {}", status);
  if (!text.name.empty()) message += " " + PrintableLine(text.name, 60);
  if (!text.message.empty()) message += ": " + PrintableLine(text.message);
  if (!text.what.empty()) message.insert(0, fmt::format("{}: ", text.what));
  Status::Detail detail;
  detail.retryable = meaning.retryable;
  // 503 too: a gateway gives it for a server behind it that did the work and did not answer in time.
  detail.outcome_unknown = text.changes && status >= 500 && status != 501;
  detail.retry_after_ms = meaning.retryable ? RetryAfterMs(headers) : 0;
  detail.native_code = status;
  detail.native_name = PrintableLine(text.name, 60);
  detail.request_id = PrintableLine(text.request_id, 120);
  Status error = Status(meaning.code, std::move(message)).WithDetail(std::move(detail));
  if (status >= 300 && status < 400 && status != 304) {
    return std::move(error).Hint("redirects are not followed: name the right endpoint or region");
  }
  return error;
}

}  // namespace walrig
