#include "core/st/find.h"

#include <gtest/gtest.h>

#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

class StFindTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* key : {"a/b/c", "a/b/d", "a/x", "ab", "wal_005/1.zst", "wal_005/2.lz4"}) {
      ASSERT_OK(WriteObject(context_.ctx(), memory_, key, "x"));
    }
  }
  std::vector<std::string> Names(const std::string& path, const StFindOptions& options) {
    std::vector<std::string> names;
    const std::vector<ObjectInfo> found = StFind(context_.ctx(), memory_, path, options).value();
    for (const ObjectInfo& info : found) names.push_back(info.key);
    return names;
  }
  test::TestContext context_;
  MemoryStorage memory_;
};

TEST_F(StFindTest, AFolderIsOneDeepUnlessRecursive) {
  EXPECT_EQ(Names("", {}), (std::vector<std::string>{"a/", "ab", "wal_005/"}));
  EXPECT_EQ(Names("a", {}), (std::vector<std::string>{"a/b/", "a/x"}));
  EXPECT_EQ(Names("/a/", {.recursive = true}), (std::vector<std::string>{"a/b/c", "a/b/d", "a/x"}));
}

TEST_F(StFindTest, APatternNeverCrossesASlash) {
  EXPECT_EQ(Names("a/*", {.glob = true}), (std::vector<std::string>{"a/x"}));
  EXPECT_EQ(Names("*/*/[cd]", {.glob = true}), (std::vector<std::string>{"a/b/c", "a/b/d"}));
  EXPECT_EQ(Names("wal_005/?.zst", {.glob = true}), (std::vector<std::string>{"wal_005/1.zst"}));
  EXPECT_TRUE(Names("wal_005/\\*", {.glob = true}).empty());
}

TEST_F(StFindTest, APrefixIsOfKeys) {
  EXPECT_EQ(StMatch(context_.ctx(), memory_, "a", false).value().size(), 4u);
}

}  // namespace
}  // namespace walrig
