// Timeline: the branch of history that WAL belongs to. 1 is the first; 0 is no timeline.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig {

using Timeline = uint32_t;

// As the setting recovery_target_timeline takes a number: decimal, or hexadecimal with 0x.
// FAILS WITH: kInvalidArgument for 0, other text and what 32 bits do not hold.
Result<Timeline> ParseTimeline(std::string_view text);

}  // namespace walrig
