#include "plugins/common/ssh/running_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace walrig::ssh {

struct RunningHash::State {
  XXH3_state_t xxh;
};

RunningHash::RunningHash() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh); }
RunningHash::~RunningHash() = default;

void RunningHash::Update(ByteSpan bytes) noexcept { XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size()); }

std::array<uint64_t, 2> RunningHash::Value() const noexcept {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh);
  return {hash.low64, hash.high64};
}

}  // namespace walrig::ssh
