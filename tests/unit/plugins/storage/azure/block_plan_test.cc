#include "plugins/storage/azure/block_plan.h"

#include <gtest/gtest.h>

namespace walrig::azure {
namespace {

constexpr uint64_t kMib = 1 << 20;

BlockPlan Plan(uint64_t budget, uint64_t size = UINT64_MAX) {
  return *BlockPlan::Make({.block_bytes = 8 * kMib, .buffers_max = 4, .budget_bytes = budget, .size_bytes = size});
}

TEST(BlockPlanTest, KeepsTheBudgetUntilAnUploadIsHuge) {
  for (const uint64_t budget : {1 * kMib, 8 * kMib, 32 * kMib, 1024 * kMib}) {
    const BlockPlan plan = Plan(budget);
    for (uint64_t i = 0; i < 40'000; i += 500) {
      const uint64_t bytes = plan.BlockBytes(i);
      EXPECT_LE(bytes * plan.Buffers(bytes), budget) << budget << " " << i;
      EXPECT_LE(bytes, plan.BlockBytes(i + 500));
    }
  }
}

TEST(BlockPlanTest, ReachesTheLargestBlobOfThe50000Blocks) {
  const BlockPlan plan = Plan(32 * kMib);
  uint64_t total = 0;
  for (uint64_t i = 0; i < kBlocksMax; ++i) total += plan.BlockBytes(i);
  EXPECT_GT(total, 10ull << 40);
  EXPECT_LE(plan.BlockBytes(kBlocksMax - 1), kBlockBytesMax);
}

TEST(BlockPlanTest, AKnownSizeFitsFromTheFirstBlock) {
  for (const uint64_t size : {uint64_t{1}, 100 * kMib, 390'625 * kMib, 5'000'000 * kMib, kBlocksMax * kBlockBytesMax}) {
    const BlockPlan plan = Plan(32 * kMib, size);
    EXPECT_GE(plan.BlockBytes(0) * kBlocksMax, size);
    EXPECT_EQ(plan.BlockBytes(0), plan.BlockBytes(kBlocksMax - 1));
  }
  EXPECT_EQ(BlockPlan::Make({.size_bytes = kBlocksMax * kBlockBytesMax + 1}).status().code(), Code::kTooLarge);
}

}  // namespace
}  // namespace walrig::azure
