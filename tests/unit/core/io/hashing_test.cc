#include "core/io/hashing.h"

#include <gtest/gtest.h>

#include "core/io/limited.h"
#include "core/io/memory.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::Drain;
using test::IsOkAndHolds;

TEST(HashingSourceTest, TakesTheChecksumsThatWereAskedFor) {
  test::TestContext ctx;
  HashSet set;
  set.crc32c = 0;
  set.xxh128.emplace();
  ASSERT_OK_AND_ASSIGN(set.sha256, Sha256::New());
  HashingSource source(std::make_unique<MemorySource>("123456789", 4), &set);
  EXPECT_THAT(Drain(ctx, source), IsOkAndHolds(std::string("123456789")));
  EXPECT_EQ(set.bytes, 9u);
  EXPECT_EQ(*set.crc32c, 0xe3069283u);
  EXPECT_EQ(set.xxh128->Hex(), Xxh128Hex(AsBytes("123456789")));
  EXPECT_EQ(set.sha256->Hex(), "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
}

TEST(HashingSourceTest, TakesNoneThatWasNotAskedFor) {
  test::TestContext ctx;
  HashSet set;
  HashingSource source(std::make_unique<MemorySource>("123"), &set);
  EXPECT_OK(Drain(ctx, source));
  EXPECT_EQ(set.bytes, 3u);
  EXPECT_FALSE(set.crc32c.has_value());
  EXPECT_FALSE(set.xxh128.has_value());
}

TEST(HashingSinkTest, HashesOnlyWhatWasTaken) {
  test::TestContext ctx;
  std::string target;
  HashSet set;
  set.crc32c = 0;
  HashingSink sink(std::make_unique<LimitedSink>(std::make_unique<MemorySink>(&target), 9), &set);
  EXPECT_OK(sink.Write(ctx, AsBytes("12345")));
  EXPECT_OK(sink.Write(ctx, AsBytes("6789")));
  EXPECT_THAT(sink.Write(ctx, AsBytes("x")), test::HasCode(Code::kTooLarge));
  EXPECT_OK(sink.Commit(ctx));
  EXPECT_EQ(*set.crc32c, 0xe3069283u);
  EXPECT_EQ(set.bytes, 9u);
  EXPECT_EQ(target, "123456789");
}

TEST(HashingSinkTest, ForwardsAbort) {
  auto memory = std::make_unique<MemorySink>();
  MemorySink* seen = memory.get();
  HashSet set;
  HashingSink sink(std::move(memory), &set);
  sink.Abort();
  EXPECT_TRUE(seen->aborted());
}

}  // namespace
}  // namespace walrig
