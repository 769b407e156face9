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

}  // namespace
}  // namespace walrig
