// BlockId: how a writer names its blocks, so that those of two writers never mix and an orphan tells its age.
//
//   base64 of "walrig1-" + 8 hex digits (seconds since 1970) + 16 hex digits (random) + 8 hex digits (number)
//
// All are of one length, as the service demands of the blocks of one blob. THREADS: functions without state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace walrig::azure {

struct WriterId {
  uint32_t started_s = 0;
  uint64_t random = 0;
};
WriterId NewWriterId(int64_t wall_ns);

std::string BlockId(const WriterId& writer, uint32_t number);

// When the writer of that block began, in nanoseconds; nothing for blocks of other programs.
std::optional<int64_t> StartedNs(std::string_view block_id);

}  // namespace walrig::azure
