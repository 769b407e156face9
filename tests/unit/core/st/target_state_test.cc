#include "core/st/target_state.h"

#include <gtest/gtest.h>

#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/fake_codec.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::HasCode;

class TargetStateTest : public ::testing::Test {
 protected:
  const Context& ctx() { return context_.ctx(); }
  void PutAt(Storage& storage, const std::string& key, const std::string& bytes) { ASSERT_OK(WriteObject(ctx(), storage, key, bytes)); }
  Result<bool> Same(const std::string& key) {
    WALRIG_ASSIGN(const ObjectInfo object, source_.Stat(ctx(), key));
    return SameObject(ctx(), source_, target_, object);
  }
  size_t Count() { return ListAll(ctx(), target_, "").value().size(); }

  test::TestContext context_;
  MemoryStorage source_, target_;
};

TEST_F(TargetStateTest, OnlyTheSameBytesAreTheSameObject) {
  const std::string bytes(3'000'000, 'x');
  std::string changed = bytes;
  changed.back() = 'y';
  PutAt(source_, "a", bytes);
  EXPECT_FALSE(Same("a").value());  // absent
  PutAt(target_, "a", changed);
  EXPECT_FALSE(Same("a").value());
  PutAt(target_, "a", bytes + "x");
  EXPECT_FALSE(Same("a").value());
  PutAt(target_, "a", bytes);
  EXPECT_TRUE(Same("a").value());
}

// "Cannot be read now" must not pass for "another object", which could be replaced.
TEST_F(TargetStateTest, AFailureIsNoAnswer) {
  PutAt(source_, "a", "bytes");
  PutAt(target_, "a", "bytes");
  const ObjectInfo object = source_.Stat(ctx(), "a").value();
  test::FaultyStorage faulty(target_);
  for (uint64_t n = 1;; ++n) {
    faulty.Set({.fail_from = n, .failure = Unavailable("away")});
    const Result<bool> same = SameObject(ctx(), source_, faulty, object);
    if (faulty.failed() == 0) {
      EXPECT_TRUE(same.value());
      EXPECT_GE(n, 3u);
      break;
    }
    EXPECT_EQ(same.status().code(), Code::kUnavailable) << n;
  }
}

TEST_F(TargetStateTest, StrangersInABackupsFolderGoOnlyWhenAsked) {
  const std::string part = "basebackups_005/base_1/tar_partitions/part_001.tar";
  PutAt(target_, part, "ours");
  PutAt(target_, "basebackups_005/base_1/tar_partitions/part_002.tar", "another backup's");
  PutAt(target_, "basebackups_005/base_10/tar_partitions/part_001.tar", "a neighbour's");
  const std::vector<ObjectInfo> parts = {target_.Stat(ctx(), part).value()};
  EXPECT_EQ(ClearStrangers(ctx(), target_, "base_1", parts, false).code(), Code::kConflict);
  EXPECT_EQ(Count(), 3u);
  EXPECT_OK(ClearStrangers(ctx(), target_, "base_1", parts, true));
  EXPECT_EQ(Count(), 2u);
  EXPECT_TRUE(Exists(ctx(), target_, part).value());
}

TEST_F(TargetStateTest, AFolderThatABackupPushClaimsIsLeftAlone) {
  PutAt(target_, "basebackups_005/base_1/walrig.claim", "{}");
  PutAt(target_, "basebackups_005/base_1/tar_partitions/part_001.tar", "being written");
  for (const bool may_delete : {false, true}) {
    EXPECT_EQ(ClearStrangers(ctx(), target_, "base_1", {}, may_delete).code(), Code::kConflict);
    EXPECT_EQ(Count(), 2u);
  }
}

}  // namespace
}  // namespace walrig
