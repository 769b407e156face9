// Text forms of HTTP services: percent encoding, URLs, moments.
//
// A moment is nanoseconds since 1970-01-01 UTC. THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig::http {

// All but A-Z a-z 0-9 - . _ ~ becomes %XX (upper case); '/' stays when `keep_slash`.
std::string PercentEncode(std::string_view text, bool keep_slash = false);
// "%41" is "A"; what is no escape stays. '+' becomes a blank when `plus_is_space`.
std::string PercentDecode(std::string_view text, bool plus_is_space = false);

struct Url {
  std::string scheme;  // lower case: "https"
  std::string host;    // lower case; an IPv6 address keeps its brackets
  uint16_t port = 0;   // 0: the scheme's own
  std::string path;    // with its leading '/', or ""
  std::string query;   // without '?'

  // "host" or "host:8080", as the Host header has it.
  std::string Authority() const;
  std::string ToString() const;
};
// http and https only; without user and password. FAILS WITH: kInvalidArgument.
Result<Url> ParseUrl(std::string_view text);
// Whether a host, as URLs have it, is this machine. Of addresses only: 127.0.0.1.example.com is anybody's.
bool IsLoopback(std::string_view host);

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string HttpDate(int64_t ns);
Result<int64_t> ParseHttpDate(std::string_view text);
// "20260102T030405Z", as SigV4 wants it; the first 8 letters are the day.
std::string BasicIsoTime(int64_t ns);
// "2026-01-02T03:04:05Z"
std::string Rfc3339(int64_t ns);
// With 'Z' or an offset, any fraction.
Result<int64_t> ParseRfc3339Time(std::string_view text);

// Decimal digits only. FAILS WITH: kInvalidArgument.
Result<uint64_t> ParseDecimal(std::string_view text);

}  // namespace walrig::http
