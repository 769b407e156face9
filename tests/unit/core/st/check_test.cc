#include "core/st/check.h"

#include <gtest/gtest.h>

#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

TEST(StCheckTest, NamesAllThatAreMissing) {
  test::TestContext context;
  MemoryStorage memory;
  ASSERT_OK(WriteObject(context.ctx(), memory, "there", "x"));
  EXPECT_OK(StCheckRead(context.ctx(), memory, {"there"}));
  const Status status = StCheckRead(context.ctx(), memory, {"one", "there", "two"});
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_NE(status.message().find("one, two"), std::string::npos);
}

TEST(StCheckTest, AWriteCheckLeavesNothing) {
  test::TestContext context;
  MemoryStorage memory;
  EXPECT_OK(StCheckWrite(context.ctx(), memory, 7));
  EXPECT_TRUE(ListAll(context.ctx(), memory, "").value().empty());
}

TEST(StCheckTest, OnlyUploadsOldEnoughAreRemoved) {
  test::TestContext context;
  MemoryStorage memory;
  const auto old = memory.Put(context.ctx(), "old", {}).value();
  constexpr int64_t kHourNs = 3'600'000'000'000;
  context.clock().Advance(2 * static_cast<uint64_t>(kHourNs));
  const auto young = memory.Put(context.ctx(), "young", {}).value();
  EXPECT_EQ(StUnfinished(context.ctx(), memory, "", 0).value().size(), 2u);
  ASSERT_OK_AND_ASSIGN(const auto uploads, StUnfinished(context.ctx(), memory, "", kHourNs));
  ASSERT_EQ(uploads.size(), 1u);
  EXPECT_EQ(uploads[0].key, "old");
  EXPECT_EQ(StRemoveUnfinished(context.ctx(), memory, uploads).value(), 1u);
  EXPECT_FALSE(old->Commit(context.ctx()).ok());
  EXPECT_OK(young->Commit(context.ctx()));
}

}  // namespace
}  // namespace walrig
