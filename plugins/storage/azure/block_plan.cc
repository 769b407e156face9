#include "plugins/storage/azure/block_plan.h"

#include <algorithm>

namespace walrig::azure {
namespace {

constexpr uint64_t kDoubleAfterBlocks = 8'000;
constexpr uint64_t kHurryAfterBlocks = 40'000;
constexpr uint64_t kDoubleInHurryBlocks = 1'000;
constexpr uint64_t kGranule = 64 * 1024;

uint64_t Doubled(uint64_t bytes, uint64_t times, uint64_t bytes_max) {
  for (; times > 0 && bytes < bytes_max; --times) bytes *= 2;
  return std::min(bytes, bytes_max);
}

}  // namespace

Result<BlockPlan> BlockPlan::Make(const Input& input) {
  BlockPlan plan;
  plan.buffers_max_ = std::max(1u, input.buffers_max);
  plan.budget_bytes_ = std::max<uint64_t>(input.budget_bytes, 1024);
  const uint64_t share = std::max<uint64_t>(plan.budget_bytes_ / plan.buffers_max_, 1024);
  plan.first_bytes_ = std::clamp<uint64_t>(std::min(input.block_bytes, share), 1024, kBlockBytesMax);
  if (input.size_bytes == UINT64_MAX) return plan;
  plan.grows_ = false;
  if (input.size_bytes > kBlocksMax * kBlockBytesMax) return TooLarge("a blob has at most 190 TiB");
  const uint64_t needed = input.size_bytes / kBlocksMax + (input.size_bytes % kBlocksMax != 0 ? 1 : 0);
  if (needed > plan.first_bytes_) {
    plan.first_bytes_ = std::min((needed + kGranule - 1) / kGranule * kGranule, kBlockBytesMax);
  }
  return plan;
}

uint64_t BlockPlan::BlockBytes(uint64_t number) const {
  if (!grows_) return first_bytes_;
  const uint64_t kept = std::max(first_bytes_, std::min(budget_bytes_, kBlockBytesMax));
  const uint64_t bytes = Doubled(first_bytes_, number / kDoubleAfterBlocks, kept);
  if (number < kHurryAfterBlocks) return bytes;
  return Doubled(bytes, (number - kHurryAfterBlocks) / kDoubleInHurryBlocks + 1, kBlockBytesMax);
}

uint32_t BlockPlan::Buffers(uint64_t block_bytes) const {
  return static_cast<uint32_t>(std::clamp<uint64_t>(budget_bytes_ / std::max<uint64_t>(block_bytes, 1), 1, buffers_max_));
}

}  // namespace walrig::azure
