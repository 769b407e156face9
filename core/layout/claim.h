// ClaimText: <backup>/walrig.claim, who writes the backup while it is being written.
//
//   {"version":1,"token":"32 hex","host":"db1","machine":"<boot id> pid:[4026531836]","pid":123,"started":456}
//
// docs/formats/storage_layout.md. THREADS: a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/process.h"
#include "walrig/result.h"

namespace walrig {

inline constexpr int kClaimVersion = 1;
inline constexpr uint64_t kClaimBytesMax = 4096;

struct ClaimText {
  std::string token;    // of this run alone
  std::string host;     // for people
  ProcessMark process;
};

std::string SerializeClaim(const ClaimText& claim);
// FAILS WITH: kCorruption; kNotSupported for a higher version and for the bare token that walrig 0.1 wrote.
Result<ClaimText> ParseClaim(std::string_view text);

}  // namespace walrig
