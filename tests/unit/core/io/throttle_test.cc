#include "core/io/throttle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "core/io/memory.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::Drain;
using test::HasCode;
using test::IsOkAndHolds;

constexpr uint64_t kSecondNs = 1'000'000'000;

class ThrottleTest : public ::testing::Test {
 protected:
  test::TestContext ctx_;
};

TEST_F(ThrottleTest, AnyFiveSecondsAreWithinTenPercentOfTheRate) {
  constexpr uint64_t kRate = 1'000'000;
  TokenBucket bucket({.rate_bytes_per_s = kRate});
  std::vector<std::pair<uint64_t, uint64_t>> passed;  // moment, bytes
  ctx_.clock().Advance(100 * kSecondNs);              // idle time must not be saved up
  while (ctx_.clock().elapsed_ns() < 130 * kSecondNs) {
    uint64_t bytes = 1 + passed.size() * 7919 % 40'000;
    ASSERT_OK(bucket.Take(ctx_, bytes));
    passed.emplace_back(ctx_.clock().elapsed_ns(), bytes);
  }
  for (uint64_t start_ns = 100 * kSecondNs; start_ns <= 125 * kSecondNs; start_ns += kSecondNs / 4) {
    uint64_t sum = 0;
    for (auto [at_ns, bytes] : passed) {
      if (at_ns >= start_ns && at_ns < start_ns + 5 * kSecondNs) sum += bytes;
    }
    EXPECT_NEAR(static_cast<double>(sum), 5.0 * kRate, 0.5 * kRate) << start_ns;
  }
}

TEST_F(ThrottleTest, BurstPassesAtOnceAndTheRestWaits) {
  TokenBucket bucket({.rate_bytes_per_s = 1000, .burst_bytes = 500});
  ASSERT_OK(bucket.Take(ctx_, 500));
  EXPECT_EQ(ctx_.clock().elapsed_ns(), 0u);
  ASSERT_OK(bucket.Take(ctx_, 100));
  EXPECT_EQ(ctx_.clock().elapsed_ns(), kSecondNs / 10);
}

TEST_F(ThrottleTest, APieceLargerThanTheBurstWaitsForAllOfItself) {
  TokenBucket bucket({.rate_bytes_per_s = 1000, .burst_bytes = 1});
  ASSERT_OK(bucket.Take(ctx_, 10'001));
  EXPECT_EQ(ctx_.clock().elapsed_ns(), 10 * kSecondNs);
}

TEST_F(ThrottleTest, NoRateMeansNoLimit) {
  TokenBucket bucket({});
  ASSERT_OK(bucket.Take(ctx_, UINT64_MAX));
  EXPECT_EQ(ctx_.clock().sleeps(), 0u);
  EXPECT_EQ(bucket.piece_bytes_max(), UINT64_MAX);
}

TEST_F(ThrottleTest, StopEndsTheWaitAndGivesBackWhatWasNotWaitedFor) {
  TokenBucket bucket({.rate_bytes_per_s = 1000, .burst_bytes = 1000});
  ASSERT_OK(bucket.Take(ctx_, 1000));
  ctx_.stop().RequestStop();
  EXPECT_THAT(bucket.Take(ctx_, 1'000'000), HasCode(Code::kCancelled));
  test::TestContext other;
  ASSERT_OK(bucket.Take(other, 1000));
  EXPECT_LE(other.clock().elapsed_ns(), kSecondNs + 1);
}

TEST_F(ThrottleTest, DeadlineEndsTheWaitAndGivesBack) {
  TokenBucket bucket({.rate_bytes_per_s = 1000, .burst_bytes = 1000});
  ctx_.mutable_ctx().deadline_ns = ctx_.clock().MonotonicNs() + 2 * kSecondNs;
  EXPECT_THAT(bucket.Take(ctx_, 1'000'000), HasCode(Code::kTimeout));
  EXPECT_LT(ctx_.clock().elapsed_ns(), 3 * kSecondNs);
  ctx_.mutable_ctx().deadline_ns = 0;
  uint64_t before_ns = ctx_.clock().elapsed_ns();
  ASSERT_OK(bucket.Take(ctx_, 1000));
  EXPECT_LE(ctx_.clock().elapsed_ns() - before_ns, kSecondNs + 1000);
}

TEST_F(ThrottleTest, HugePiecesDoNotOverflowTheWait) {
  TokenBucket bucket({.rate_bytes_per_s = 1});
  ctx_.mutable_ctx().deadline_ns = ctx_.clock().MonotonicNs() + kSecondNs;
  EXPECT_THAT(bucket.Take(ctx_, UINT64_MAX), HasCode(Code::kTimeout));
}

TEST_F(ThrottleTest, ThreadsShareOneRate) {
  ctx_.UseRealClock();
  TokenBucket bucket({.rate_bytes_per_s = 10'000'000, .burst_bytes = 10'000});
  uint64_t start_ns = RealClock().MonotonicNs();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 50; ++k) EXPECT_OK(bucket.Take(ctx_, 5'000));
      });
    }
  }
  // A million bytes, less the burst, at ten million a second.
  EXPECT_GE(RealClock().MonotonicNs() - start_ns, 98'000'000u);
}

TEST_F(ThrottleTest, SourceAndSinkPayForEachByteInSmoothPieces) {
  TokenBucket bucket({.rate_bytes_per_s = 1000, .burst_bytes = 100});
  std::string content = test::NumberedBytes(2100);
  ThrottledSource source(std::make_unique<MemorySource>(content), &bucket);
  EXPECT_THAT(Drain(ctx_, source), IsOkAndHolds(content));
  EXPECT_NEAR(static_cast<double>(ctx_.clock().elapsed_ns()), 2.0 * kSecondNs, 1e4);
  EXPECT_GE(ctx_.clock().sleeps(), 20u);

  std::string target;
  ThrottledSink sink(std::make_unique<MemorySink>(&target), &bucket);
  ASSERT_OK(sink.Write(ctx_, AsBytes(content)));
  ASSERT_OK(sink.Commit(ctx_));
  EXPECT_EQ(target, content);
  EXPECT_NEAR(static_cast<double>(ctx_.clock().elapsed_ns()), 4.1 * kSecondNs, 1e5);
}

TEST_F(ThrottleTest, ARepeatedWriteGoesOnAfterTheBytesThatTheSinkTook) {
  class Stumbling final : public Sink {
   public:
    explicit Stumbling(std::string* target) : target_(target) {}
    Status Write(const Context&, ByteSpan bytes) override {
      if (++calls_ % 3 == 0) return Unavailable("gone").Resumable();
      target_->append(AsText(bytes));
      return OkStatus();
    }
    Status Commit(const Context&) override { return OkStatus(); }
    void Abort() noexcept override {}

   private:
    std::string* target_;
    int calls_ = 0;
  };
  TokenBucket bucket({.rate_bytes_per_s = 1000, .burst_bytes = 100});
  std::string target;
  ThrottledSink sink(std::make_unique<Stumbling>(&target), &bucket);
  const std::string content = test::NumberedBytes(2100);
  Status status = sink.Write(ctx_, AsBytes(content));
  ASSERT_TRUE(status.resumable());
  while (status.resumable()) status = sink.Write(ctx_, AsBytes(content));
  ASSERT_OK(status);
  ASSERT_OK(sink.Write(ctx_, AsBytes("end")));
  EXPECT_EQ(target, content + "end");
}

TEST_F(ThrottleTest, WithoutABucketTheWrappersOnlyForward) {
  ThrottledSource source(std::make_unique<MemorySource>("abc"), nullptr);
  EXPECT_THAT(Drain(ctx_, source), IsOkAndHolds(std::string("abc")));
  std::string target;
  ThrottledSink sink(std::make_unique<MemorySink>(&target), nullptr);
  ASSERT_OK(sink.Write(ctx_, AsBytes("abc")));
  sink.Abort();
  EXPECT_EQ(target, "");
  EXPECT_EQ(ctx_.clock().sleeps(), 0u);
}

}  // namespace
}  // namespace walrig
