#include "core/storage/retrying.h"

#include <gtest/gtest.h>

#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

constexpr uint64_t kMs = 1'000'000;

class RetryingTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(WriteObject(ctx_, memory_, "a", content_)); }

  // Streams must not outlive the storage: it lives as long as the test.
  RetryingStorage* Retrying(const RetryPolicy& policy = {}) {
    retrying_ = std::make_unique<RetryingStorage>(faulty_, policy, 42);
    return retrying_.get();
  }
  static Status Gone() { return Unavailable("gone").Retryable(); }

  const std::string content_ = NumberedBytes(300'000);
  TestContext ctx_;
  MemoryStorage memory_;
  FaultyStorage faulty_{memory_};
  std::unique_ptr<RetryingStorage> retrying_;
};

TEST_F(RetryingTest, RepeatsARetryableFailureUntilItSucceedsAndSaysSo) {
  faulty_.Set({.only = StorageCall::kStat, .fail_from = 1, .fail_times = 3, .failure = Gone()});
  EXPECT_OK(Retrying()->Stat(ctx_, "a"));
  EXPECT_EQ(faulty_.counted(), 4u);
  EXPECT_EQ(ctx_.clock().sleeps(), 3u);
  EXPECT_TRUE(ctx_.log().Has("stat a: attempt 2 of 8", LogLevel::kInfo));
  EXPECT_TRUE(ctx_.log().Has("because: gone", LogLevel::kInfo));
}

TEST_F(RetryingTest, NeverRepeatsWhatIsNotRetryable) {
  faulty_.Set({.only = StorageCall::kStat, .fail_from = 1, .fail_times = 1, .failure = Unavailable("for ever")});
  EXPECT_THAT(Retrying()->Stat(ctx_, "a"), HasCode(Code::kUnavailable));
  EXPECT_EQ(faulty_.counted(), 1u);
  EXPECT_EQ(ctx_.clock().sleeps(), 0u);
}

TEST_F(RetryingTest, GivesUpAfterTheAllowedAttemptsWithTheLastReason) {
  faulty_.Set({.fail_from = 1, .fail_times = 100, .failure = Gone()});
  const auto answer = Retrying({.attempts_max = 3})->List(ctx_, {});
  EXPECT_THAT(answer, HasCode(Code::kUnavailable));
  EXPECT_THAT(answer, MessageHas("gave up after 3 attempts"));
  EXPECT_EQ(faulty_.counted(), 3u);
}

TEST_F(RetryingTest, AbsurdPausesNeverOverflowIntoNone) {
  faulty_.Set({.only = StorageCall::kStat, .fail_from = 1, .fail_times = 30, .failure = Gone()});
  const RetryPolicy absurd{.attempts_max = 1000, .initial_ms = uint64_t{1} << 43, .max_ms = UINT64_MAX / kMs,
                           .total_ms_max = UINT64_MAX / kMs};
  EXPECT_OK(Retrying(absurd)->Stat(ctx_, "a"));
  // Pauses are random between nothing and their bound: 30 of at most a day make some days.
  EXPECT_GT(ctx_.clock().elapsed_ns(), uint64_t{86'400'000} * kMs);
  EXPECT_LT(ctx_.clock().elapsed_ns(), 30 * uint64_t{86'400'000} * kMs);
}

TEST_F(RetryingTest, GivesUpWhenTheTotalTimeIsUsed) {
  faulty_.Set({.fail_from = 1, .fail_times = 1000, .failure = Gone()});
  const RetryPolicy policy{.attempts_max = 1000, .initial_ms = 100, .max_ms = 100, .total_ms_max = 1000};
  EXPECT_THAT(Retrying(policy)->Stat(ctx_, "a"), MessageHas("too late"));
  EXPECT_LE(ctx_.clock().elapsed_ns(), 1000 * kMs);
  EXPECT_GT(faulty_.counted(), 5u);
}

// The large part of a backup is longer on its way than any pause may be.
TEST_F(RetryingTest, AStreamThatRanForHoursIsRepeatedAtItsFirstFailure) {
  faulty_.Set({.failure = Gone(), .break_after_bytes = 70'000, .break_times = 1});
  ASSERT_OK_AND_ASSIGN(auto source, Retrying()->Get(ctx_, "a", {}));
  ctx_.clock().Advance(7'200'000 * kMs);
  EXPECT_THAT(Drain(ctx_, *source), IsOkAndHolds(content_));

  faulty_.Set({.only = StorageCall::kCommit, .fail_from = 1, .fail_times = 1, .failure = Gone()});
  ASSERT_OK_AND_ASSIGN(auto sink, Retrying()->Put(ctx_, "b", {}));
  ASSERT_OK(sink->Write(ctx_, AsBytes(content_)));
  ctx_.clock().Advance(7'200'000 * kMs);
  EXPECT_OK(sink->Commit(ctx_));
}

TEST_F(RetryingTest, PausesNoLongerThanTheGrowingBound) {
  faulty_.Set({.fail_from = 1, .fail_times = 7, .failure = Gone()});
  EXPECT_OK(Retrying({.initial_ms = 100, .max_ms = 400})->Stat(ctx_, "a"));
  EXPECT_LE(ctx_.clock().elapsed_ns(), (100 + 200 + 400 * 5) * kMs);
  EXPECT_GT(ctx_.clock().elapsed_ns(), 0u);
}

TEST_F(RetryingTest, DrawsTheSamePausesFromTheSameSeedAndOthersFromAnother) {
  const auto elapsed = [&](uint64_t seed) {
    faulty_.Set({.fail_from = 1, .fail_times = 5, .failure = Gone()});
    const uint64_t before = ctx_.clock().elapsed_ns();
    EXPECT_OK(RetryingStorage(faulty_, {}, seed).Stat(ctx_, "a"));
    return ctx_.clock().elapsed_ns() - before;
  };
  const uint64_t first = elapsed(7);
  EXPECT_EQ(elapsed(7), first);
  EXPECT_NE(elapsed(8), first);
}

TEST_F(RetryingTest, WaitsAtLeastAsLongAsTheOtherSideAsked) {
  faulty_.Set({.fail_from = 1, .failure = Status(Code::kThrottled, "slow down").Retryable(7'000)});
  EXPECT_OK(Retrying()->Stat(ctx_, "a"));
  EXPECT_GE(ctx_.clock().elapsed_ns(), 7'000 * kMs);
}

TEST_F(RetryingTest, DoesNotWaitBeyondTheDeadline) {
  faulty_.Set({.fail_from = 1, .failure = Gone()});
  ctx_.mutable_ctx().deadline_ns = ctx_.clock().MonotonicNs() + 1;
  EXPECT_THAT(Retrying()->Stat(ctx_, "a"), MessageHas("after the deadline"));
  EXPECT_EQ(ctx_.clock().sleeps(), 0u);
}

TEST_F(RetryingTest, EndsWithCancelledWhenStopIsRequested) {
  faulty_.Set({.fail_from = 1, .failure = Gone()});
  ctx_.stop().RequestStop();
  EXPECT_THAT(Retrying()->Copy(ctx_, "a", "b"), HasCode(Code::kCancelled));
}

TEST_F(RetryingTest, TellsTheAttemptsNumberToTheStorage) {
  class Recorder final : public StorageWrapper {
   public:
    using StorageWrapper::StorageWrapper;
    Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override {
      attempts.push_back(ctx.attempt);
      return StorageWrapper::Stat(ctx, key);
    }
    std::vector<uint32_t> attempts;
  };
  faulty_.Set({.fail_from = 1, .fail_times = 2, .failure = Gone()});
  Recorder recorder(faulty_);
  EXPECT_OK(RetryingStorage(recorder, {}, 1).Stat(ctx_, "a"));
  EXPECT_THAT(recorder.attempts, ::testing::ElementsAre(1u, 2u, 3u));
}

TEST_F(RetryingTest, DeletesAgainOnlyTheKeysThatFailed) {
  class HalfDeleter final : public StorageWrapper {
   public:
    using StorageWrapper::StorageWrapper;
    Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override {
      calls.emplace_back(keys.begin(), keys.end());
      WALRIG_TRY(StorageWrapper::Delete(ctx, keys, each));
      if (calls.size() == 1) (*each)[1] = Unavailable("busy").Retryable(), (*each)[2] = PermissionDenied("no");
      return OkStatus();
    }
    std::vector<std::vector<std::string>> calls;
  };
  HalfDeleter half(memory_);
  std::vector<Status> each;
  const std::vector<std::string> keys = {"a", "b", "c"};
  EXPECT_OK(RetryingStorage(half, {}, 1).Delete(ctx_, keys, &each));
  EXPECT_THAT(half.calls, ::testing::ElementsAre(keys, std::vector<std::string>{"b"}));
  EXPECT_OK(each[0]);
  EXPECT_OK(each[1]);
  EXPECT_THAT(each[2], HasCode(Code::kPermission));
}

TEST_F(RetryingTest, ResumesABrokenStreamWhereItBroke) {
  faulty_.Set({.failure = Gone(), .break_after_bytes = 70'000});
  ASSERT_OK_AND_ASSIGN(auto source, Retrying()->Get(ctx_, "a", {.offset = 10, .length = kUnknownSize, .if_match_etag = ""}));
  EXPECT_THAT(Drain(ctx_, *source), IsOkAndHolds(content_.substr(10)));
  EXPECT_TRUE(ctx_.log().Has("get a from byte 70010", LogLevel::kInfo));
}

TEST_F(RetryingTest, ResumesARangeWithinItsBounds) {
  faulty_.Set({.failure = Gone(), .break_after_bytes = 1'000});
  ASSERT_OK_AND_ASSIGN(auto source, Retrying()->Get(ctx_, "a", {.offset = 5, .length = 4'321, .if_match_etag = ""}));
  EXPECT_THAT(Drain(ctx_, *source), IsOkAndHolds(content_.substr(5, 4'321)));
}

TEST_F(RetryingTest, GivesUpAStreamThatMakesNoProgress) {
  faulty_.Set({.failure = Gone(), .break_after_bytes = 0});
  ASSERT_OK_AND_ASSIGN(auto source, Retrying({.attempts_max = 4})->Get(ctx_, "a", {}));
  EXPECT_THAT(Drain(ctx_, *source), MessageHas("gave up after 4 attempts"));
}

TEST_F(RetryingTest, NeverJoinsTwoObjects) {
  faulty_.Set({.failure = Gone(), .break_after_bytes = 1'000, .break_times = 1});
  ASSERT_OK_AND_ASSIGN(auto source, Retrying()->Get(ctx_, "a", {}));
  Buffer buffer(1'000);
  ASSERT_OK(source->Read(ctx_, buffer.span()));
  ASSERT_OK(WriteObject(ctx_, memory_, "a", content_));
  EXPECT_THAT(Drain(ctx_, *source), HasCode(Code::kPreconditionFailed));
}

// A storage without etags.
class WithoutEtags final : public StorageWrapper {
 public:
  using StorageWrapper::StorageWrapper;
  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override {
    WALRIG_ASSIGN(ObjectInfo info, StorageWrapper::Stat(ctx, key));
    info.etag.clear();
    return info;
  }
};

TEST_F(RetryingTest, NeverJoinsTwoObjectsOfAStorageWithoutEtags) {
  faulty_.Set({.failure = Gone(), .break_after_bytes = 1'000, .break_times = 1});
  WithoutEtags plain(faulty_);
  RetryingStorage retrying(plain, {}, 1);
  ASSERT_OK_AND_ASSIGN(auto source, retrying.Get(ctx_, "a", {}));
  Buffer buffer(1'000);
  ASSERT_OK(source->Read(ctx_, buffer.span()));
  ctx_.clock().Advance(5);
  ASSERT_OK(WriteObject(ctx_, memory_, "a", content_));
  EXPECT_THAT(Drain(ctx_, *source), HasCode(Code::kPreconditionFailed));
}

TEST_F(RetryingTest, ResumesFromAStorageWithoutEtagsWhenNothingChanged) {
  faulty_.Set({.failure = Gone(), .break_after_bytes = 100'000});
  WithoutEtags plain(faulty_);
  RetryingStorage retrying(plain, {}, 1);
  ASSERT_OK_AND_ASSIGN(auto source, retrying.Get(ctx_, "a", {}));
  EXPECT_THAT(Drain(ctx_, *source), IsOkAndHolds(content_));
}

TEST_F(RetryingTest, LetsABrokenStreamStandWithoutTheRangeCapability) {
  faulty_.SetCapabilities({});
  faulty_.Set({.failure = Gone(), .break_after_bytes = 1'000, .break_times = 1});
  ASSERT_OK_AND_ASSIGN(auto source, Retrying()->Get(ctx_, "a", {}));
  EXPECT_THAT(Drain(ctx_, *source), HasCode(Code::kUnavailable));
}

// A checksum of the whole is compared at the end, when all bytes were delivered.
TEST_F(RetryingTest, NeverResumesBehindBytesThatTheStorageCallsCorrupt) {
  faulty_.Set({.failure = Corruption("another checksum").Retryable(), .break_after_bytes = content_.size(), .break_times = 1});
  ASSERT_OK_AND_ASSIGN(auto source, Retrying()->Get(ctx_, "a", {}));
  EXPECT_THAT(Drain(ctx_, *source), HasCode(Code::kCorruption));
}

TEST_F(RetryingTest, CallsAStreamTruncatedThatEndsBeforeItsSize) {
  faulty_.Set({.truncate_after_bytes = 200'000});
  ASSERT_OK_AND_ASSIGN(auto source, Retrying({.attempts_max = 4})->Get(ctx_, "a", {}));
  const auto drained = Drain(ctx_, *source);
  EXPECT_THAT(drained, HasCode(Code::kTruncated));
  EXPECT_THAT(drained, MessageHas("gave up after 4 attempts"));
}

// As through a proxy that ends its answer in good order when its own source breaks.
TEST_F(RetryingTest, ResumesAStreamThatEndsBeforeItsSize) {
  faulty_.Set({.truncate_after_bytes = 200'000, .truncate_times = 2});
  ASSERT_OK_AND_ASSIGN(auto source, Retrying()->Get(ctx_, "a", {}));
  EXPECT_THAT(Drain(ctx_, *source), IsOkAndHolds(content_));
  EXPECT_TRUE(ctx_.log().Has("get a from byte 200000", LogLevel::kInfo));
}

TEST_F(RetryingTest, RefusesBytesBeyondTheSizeThatTheStorageTold) {
  faulty_.Set({.size_lie_bytes = -5});
  ASSERT_OK_AND_ASSIGN(auto source, Retrying()->Get(ctx_, "a", {}));
  EXPECT_THAT(Drain(ctx_, *source), HasCode(Code::kCorruption));
}

TEST_F(RetryingTest, SaysNotFoundAtGetWithoutARetry) {
  EXPECT_THAT(Retrying()->Get(ctx_, "none", {}), HasCode(Code::kNotFound));
  EXPECT_EQ(ctx_.clock().sleeps(), 0u);
}

}  // namespace
}  // namespace walrig::test
