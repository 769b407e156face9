// Moments as text. A moment is an int64_t of nanoseconds since 1970-01-01 UTC; text is RFC 3339, as Go's time package
// writes it into WAL-G's JSON documents.
//
// THREADS: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig {

// "2026-11-23T10:11:12.1234Z": UTC, the fraction without trailing zeros, none at all when it is zero (Go's
// RFC3339Nano, which is how encoding/json writes a time).
std::string FormatRfc3339Nano(int64_t ns);
// "2026-11-23T10:11:12Z": UTC, the fraction cut off.
std::string FormatRfc3339Seconds(int64_t ns);
// "2026/11/23 10:11:12.123456" in the process's time zone: the head of a line of WAL-G's log.
std::string FormatLogTime(int64_t ns);

// Reads RFC 3339 with 'Z' or an offset, any number of fraction digits (beyond nine they are cut off). A space or a
// small 't' between date and time is taken, too.
// FAILS WITH: kInvalidArgument for other text, dates that do not exist, and moments an int64_t cannot hold
// (before 1677-09-21 or after 2262-04-11; Go's zero time "0001-01-01T00:00:00Z" is one of them).
Result<int64_t> ParseRfc3339(std::string_view text);

}  // namespace walrig
