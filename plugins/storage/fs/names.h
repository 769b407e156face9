// Names: which keys a directory can hold, and what an object is called while it is being written.
//
// A key is parts separated by '/'. Refused: empty, a leading or trailing '/', an empty part, "." and "..", a NUL, a
// part of more than 255 bytes, more than 1024 bytes in all, and a last part that looks like a temporary name (listings
// hide those, WAL-G's too: such an object could be written and never be seen).
//
//   <name>.tmp.<YYYYMMDD>T<hhmmss>Z-<16 hex digits>      as WAL-G writes (pkg/storages/fs); the time is UTC
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "walrig/status.h"

namespace walrig::fs {

inline constexpr size_t kPartBytesMax = 255;
inline constexpr size_t kKeyBytesMax = 1024;
inline constexpr size_t kTempSuffixBytes = 38;  // ".tmp." and what follows

// FAILS WITH: kNameInvalid, saying why.
Status CheckKey(std::string_view key);

// "a/b/c" -> "a/b", "c"; "c" -> "", "c".
std::pair<std::string, std::string> SplitKey(std::string_view key);

bool IsTempName(std::string_view name);

// For long names the front is cut so that the whole fits a part. FAILS never: without random bytes from the system it
// uses the clock's.
std::string TempName(std::string_view name, int64_t wall_ns);

}  // namespace walrig::fs
