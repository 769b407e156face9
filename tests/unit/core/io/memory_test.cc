#include "core/io/memory.h"

#include <gtest/gtest.h>

#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::Drain;
using test::HasCode;
using test::IsOkAndHolds;

TEST(MemorySourceTest, GivesItsBytesAndThenTheEndForGood) {
  test::TestContext ctx;
  MemorySource source("hello", 2);
  Buffer buffer(10);
  EXPECT_THAT(source.Read(ctx, buffer.span()), IsOkAndHolds(size_t{2}));
  EXPECT_THAT(Drain(ctx, source, 1), IsOkAndHolds(std::string("llo")));
  EXPECT_THAT(source.Read(ctx, buffer.span()), IsOkAndHolds(size_t{0}));
}

TEST(MemorySinkTest, CommitHandsTheBytesOver) {
  test::TestContext ctx;
  std::string target = "old";
  MemorySink sink(&target);
  EXPECT_OK(sink.Write(ctx, AsBytes("ne")));
  EXPECT_OK(sink.Write(ctx, AsBytes("w")));
  EXPECT_EQ(target, "old");
  EXPECT_EQ(sink.bytes(), "new");
  EXPECT_OK(sink.Commit(ctx));
  EXPECT_EQ(target, "new");
  EXPECT_TRUE(sink.committed());
  EXPECT_THAT(sink.Write(ctx, AsBytes("x")), HasCode(Code::kInternal));
  EXPECT_THAT(sink.Commit(ctx), HasCode(Code::kInternal));
  sink.Abort();
  EXPECT_FALSE(sink.aborted());
  EXPECT_EQ(target, "new");
}

TEST(MemorySinkTest, AbortDropsTheBytes) {
  test::TestContext ctx;
  std::string target = "old";
  MemorySink sink(&target);
  EXPECT_OK(sink.Write(ctx, AsBytes("new")));
  sink.Abort();
  sink.Abort();
  EXPECT_TRUE(sink.aborted());
  EXPECT_EQ(sink.bytes(), "");
  EXPECT_THAT(sink.Commit(ctx), HasCode(Code::kInternal));
  EXPECT_EQ(target, "old");
}

TEST(MemorySinkTest, KeepsTheBytesWithoutATarget) {
  test::TestContext ctx;
  MemorySink sink;
  EXPECT_OK(sink.Write(ctx, AsBytes("kept")));
  EXPECT_OK(sink.Commit(ctx));
  EXPECT_EQ(sink.bytes(), "kept");
}

TEST(MemoryStreamsTest, StopWhenAsked) {
  test::TestContext ctx;
  MemorySource source("x");
  MemorySink sink;
  ctx.stop().RequestStop();
  EXPECT_THAT(Drain(ctx, source), HasCode(Code::kCancelled));
  EXPECT_THAT(sink.Write(ctx, AsBytes("x")), HasCode(Code::kCancelled));
  EXPECT_THAT(sink.Commit(ctx), HasCode(Code::kCancelled));
}

}  // namespace
}  // namespace walrig
