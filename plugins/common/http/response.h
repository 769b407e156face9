// What an answer means: the one map from HTTP to Status that the object storages share.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/common/http/request.h"
#include "walrig/status.h"

namespace walrig {

// What the storage's own language adds to the number; all optional.
struct HttpErrorText {
  std::string_view what = {};        // "put wal_005/x": the call and its object; begins the message
  std::string_view name = {};        // "SlowDown": native_name
  std::string_view message = {};     // the server's own words, made printable and short here
  std::string_view request_id = {};
  bool changes = false;         // the request changes something: 5xx leave the outcome unknown
};

// REQUIRES: status is not 2xx. 404 and 410 kNotFound; 401 kUnauthenticated; 403 kPermission; 409 kConflict, retryable; 412
// and 304 kPreconditionFailed; 413 kTooLarge; 416 kInvalidArgument; 408, 425, 500, 502, 504 kUnavailable, retryable; 429 and
// 503 kThrottled, retryable, with Retry-After; 499 as 408; 507 kNoSpace; 501 and 405 kNotSupported; 3xx kConfig (no redirect
// is followed); other 4xx kInvalidArgument; other 5xx kUnavailable, retryable.
Status HttpStatusError(int status, const HttpHeaders& headers, const HttpErrorText& text);

// Milliseconds of a Retry-After header (seconds, or a date measured against the answer's own Date header); 0 without one,
// at most an hour.
uint32_t RetryAfterMs(const HttpHeaders& headers);

// One line of foreign text: control bytes and bytes that are not ASCII become '?', what is beyond is cut.
std::string PrintableLine(std::string_view text, size_t bytes_max = 200);

}  // namespace walrig
