#include "core/io/limited.h"

#include <gtest/gtest.h>

#include "core/io/memory.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::Drain;
using test::HasCode;
using test::IsOkAndHolds;

Result<std::string> DrainLimited(std::string bytes, uint64_t bytes_max, LimitPolicy policy) {
  test::TestContext ctx;
  LimitedSource source(std::make_unique<MemorySource>(std::move(bytes), 3), bytes_max, policy);
  return Drain(ctx, source);
}

TEST(LimitedSourceTest, CutEndsAtTheLimit) {
  EXPECT_THAT(DrainLimited("12345", 4, LimitPolicy::kCut), IsOkAndHolds(std::string("1234")));
  EXPECT_THAT(DrainLimited("12345", 9, LimitPolicy::kCut), IsOkAndHolds(std::string("12345")));
  EXPECT_THAT(DrainLimited("12345", 0, LimitPolicy::kCut), IsOkAndHolds(std::string()));
}

TEST(LimitedSourceTest, FailRefusesOneByteTooMuchAndTakesExactlyTheLimit) {
  EXPECT_THAT(DrainLimited("12345", 5, LimitPolicy::kFail), IsOkAndHolds(std::string("12345")));
  EXPECT_THAT(DrainLimited("12345", 4, LimitPolicy::kFail), HasCode(Code::kTooLarge));
  EXPECT_THAT(DrainLimited("1", 0, LimitPolicy::kFail), HasCode(Code::kTooLarge));
  EXPECT_THAT(DrainLimited("", 0, LimitPolicy::kFail), IsOkAndHolds(std::string()));
}

TEST(LimitedSourceTest, ShowsWhatRemains) {
  test::TestContext ctx;
  LimitedSource source(std::make_unique<MemorySource>("123"), 10, LimitPolicy::kCut);
  EXPECT_OK(Drain(ctx, source));
  EXPECT_EQ(source.remaining_bytes(), 7u);
}

TEST(LimitedSinkTest, RefusesAPieceThatDoesNotFitBeforeWritingAnyOfIt) {
  test::TestContext ctx;
  std::string target;
  LimitedSink sink(std::make_unique<MemorySink>(&target), 5);
  EXPECT_OK(sink.Write(ctx, AsBytes("123")));
  EXPECT_THAT(sink.Write(ctx, AsBytes("456")), HasCode(Code::kTooLarge));
  EXPECT_OK(sink.Write(ctx, AsBytes("45")));
  EXPECT_OK(sink.Commit(ctx));
  EXPECT_EQ(target, "12345");
}

}  // namespace
}  // namespace walrig
