#include "core/io/counting.h"

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

TEST(CountingSourceTest, CountsWhatPassedAlsoBeforeAnError) {
  test::TestContext ctx;
  std::atomic<uint64_t> total{100};
  CountingSource source(std::make_unique<test::FailingSource>("12345", IoError("broken")), &total);
  EXPECT_THAT(Drain(ctx, source, 2), test::HasCode(Code::kIoError));
  EXPECT_EQ(source.bytes(), 5u);
  EXPECT_EQ(total, 105u);
}

TEST(CountingSourceTest, ChangesNothing) {
  test::TestContext ctx;
  CountingSource source(std::make_unique<MemorySource>("12345", 2));
  EXPECT_THAT(Drain(ctx, source), IsOkAndHolds(std::string("12345")));
}

TEST(CountingSinkTest, CountsOnlyWhatWasTakenAndForwardsTheEnd) {
  test::TestContext ctx;
  std::string target;
  std::atomic<uint64_t> total{0};
  CountingSink sink(std::make_unique<LimitedSink>(std::make_unique<MemorySink>(&target), 4), &total);
  EXPECT_OK(sink.Write(ctx, AsBytes("123")));
  EXPECT_THAT(sink.Write(ctx, AsBytes("45")), test::HasCode(Code::kTooLarge));
  EXPECT_EQ(sink.bytes(), 3u);
  EXPECT_EQ(total, 3u);
  EXPECT_OK(sink.Commit(ctx));
  EXPECT_EQ(target, "123");
}

TEST(CountingSinkTest, ForwardsAbort) {
  test::TestContext ctx;
  auto memory = std::make_unique<MemorySink>();
  MemorySink* seen = memory.get();
  CountingSink sink(std::move(memory));
  sink.Abort();
  EXPECT_TRUE(seen->aborted());
}

}  // namespace
}  // namespace walrig
