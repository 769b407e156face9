// Text in and out: numbers, sizes, durations, hexadecimal, near names, the usual splitting.
//
// Every parser takes the whole text or fails with kInvalidArgument naming it; none throws, none reads the locale.
// THREADS: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig {

// Decimal digits only, no sign, no space.
Result<uint64_t> ParseUint(std::string_view text);
// As ParseUint, with an optional '-' or '+'.
Result<int64_t> ParseInt(std::string_view text);
// A finite decimal number, "1.5" or "2e3".
Result<double> ParseDouble(std::string_view text);

// Bytes: "1024", "8MiB", "20mb", "1.5 G", "16kB". Units k, m, g, t, p with optional "b" or "ib", in any case, are
// powers of 1024, as in postgresql.conf; "b" alone is bytes. A fraction is cut off to whole bytes.
Result<uint64_t> ParseSize(std::string_view text);

// Nanoseconds, as Go's time.ParseDuration: "1m30s", "1.5h", "-2ms", "300us", "0"; a bare number other than 0 fails.
Result<int64_t> ParseGoDuration(std::string_view text);

// As Go's strconv.ParseBool: 1, t, T, TRUE, true, True, 0, f, F, FALSE, false, False.
Result<bool> ParseGoBool(std::string_view text);

// "0 B", "999 B", "1.6 GiB": three significant places at most.
std::string FormatBytes(uint64_t bytes);
// "1m30s", "1.5s", "250ms", "0s": as Go's Duration.String.
std::string FormatDuration(int64_t ns);

std::string HexEncode(ByteSpan bytes);  // lower case
// Both cases. Fails for an odd number of digits.
Result<std::string> HexDecode(std::string_view text);

// The candidate that `name` was probably meant to be: at most a third of its letters differ (case and '-' versus '_'
// do not count). "" when none is near.
std::string NearestName(std::string_view name, std::span<const std::string> candidates);

// "a,,b" gives "a", "", "b"; "" gives one empty part.
std::vector<std::string> Split(std::string_view text, char separator);
std::string Join(std::span<const std::string> parts, std::string_view separator);
// Without blanks, tabs and line ends on both sides.
std::string_view Trim(std::string_view text);
inline bool StartsWith(std::string_view text, std::string_view head) { return text.substr(0, head.size()) == head; }
inline bool EndsWith(std::string_view text, std::string_view tail) {
  return text.size() >= tail.size() && text.substr(text.size() - tail.size()) == tail;
}
// ASCII only.
std::string ToLower(std::string_view text);
std::string ToUpper(std::string_view text);

// Text from outside, fit for one line of a log: control bytes and bytes that are not UTF-8 become "\xNN", and what
// is beyond bytes_max is cut with "...".
std::string Printable(std::string_view text, size_t bytes_max = 200);

}  // namespace walrig
