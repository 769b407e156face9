#include "core/storage/unfinished.h"

#include <gtest/gtest.h>

#include "core/storage/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

TEST(UnfinishedTest, OnlyUploadsOldEnoughAreRemoved) {
  test::TestContext context;
  MemoryStorage memory;
  const auto old = memory.Put(context.ctx(), "old", {}).value();
  constexpr int64_t kHourNs = 3'600'000'000'000;
  context.clock().Advance(2 * static_cast<uint64_t>(kHourNs));
  const auto young = memory.Put(context.ctx(), "young", {}).value();
  EXPECT_EQ(FindUnfinished(context.ctx(), memory, "", 0).value().size(), 2u);
  ASSERT_OK_AND_ASSIGN(const auto uploads, FindUnfinished(context.ctx(), memory, "", kHourNs));
  ASSERT_EQ(uploads.size(), 1u);
  EXPECT_EQ(uploads[0].key, "old");
  EXPECT_EQ(RemoveUnfinished(context.ctx(), memory, uploads).value(), 1u);
  EXPECT_FALSE(old->Commit(context.ctx()).ok());
  EXPECT_OK(young->Commit(context.ctx()));
}

}  // namespace
}  // namespace walrig
