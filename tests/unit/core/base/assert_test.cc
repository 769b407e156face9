#include "core/base/assert.h"

#include <gtest/gtest.h>

namespace walrig {
namespace {

TEST(AssertDeathTest, BrokenClaimEndsTheProcessWithItsText) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(WALRIG_ASSERT(1 + 1 == 3), "broken claim at .*assert_test.cc:.*1 \\+ 1 == 3");
}

TEST(AssertTest, EvaluatesItsClaimOnce) {
  int calls = 0;
  WALRIG_ASSERT(++calls > 0);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace walrig
