// Put through RetryingStorage: replay of what fits, and what an unknown outcome means.
#include <gtest/gtest.h>

#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "core/storage/retrying.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

class RetryingPutTest : public ::testing::Test {
 protected:
  static Status Gone() { return Unavailable("gone").Retryable(); }
  static Status Unknown() { return Unavailable("no answer").Retryable().OutcomeUnknown(); }

  // Writes `bytes` in pieces of 1000.
  Status Put(std::string_view bytes, const PutOptions& options = {}, const RetryPolicy& policy = {}) {
    RetryingStorage storage(faulty_, policy, 42);
    WALRIG_ASSIGN(auto sink, storage.Put(ctx_, "a", options));
    for (size_t i = 0; i < bytes.size(); i += 1000) WALRIG_TRY(sink->Write(ctx_, AsBytes(bytes.substr(i, 1000))));
    return sink->Commit(ctx_);
  }
  Result<std::string> Stored() { return ReadObject(ctx_, memory_, "a", 1 << 20); }

  const std::string content_ = NumberedBytes(10'500);
  TestContext ctx_;
  MemoryStorage memory_;
  FaultyStorage faulty_{memory_};
};

// fail the n-th call for every n until the put succeeds without a failure
TEST_F(RetryingPutTest, SurvivesTheFailureOfAnyOneCall) {
  uint64_t n = 1;
  for (;; n++) {
    ASSERT_OK(DeleteAll(ctx_, memory_, {"a"}));
    faulty_.Set({.fail_from = n, .failure = Gone()});
    ASSERT_OK(Put(content_)) << n;
    ASSERT_THAT(Stored(), IsOkAndHolds(content_)) << n;
    if (faulty_.failed() == 0) break;
  }
  EXPECT_EQ(n, 14u);  // put, 11 writes, commit, and the round without a failure
}

TEST_F(RetryingPutTest, SurvivesFailuresDuringTheReplay) {
  faulty_.Set({.only = StorageCall::kWrite, .fail_from = 5, .fail_times = 3, .failure = Gone()});
  ASSERT_OK(Put(content_));
  EXPECT_THAT(Stored(), IsOkAndHolds(content_));
}

TEST_F(RetryingPutTest, LetsTheErrorStandWhenTheBytesAreNoLongerAtHand) {
  faulty_.Set({.only = StorageCall::kWrite, .fail_from = 8, .failure = Gone()});
  const Status status = Put(content_, {}, {.replay_bytes_max = 4'000});
  EXPECT_THAT(status, HasCode(Code::kUnavailable));
  EXPECT_THAT(status, MessageHas("too many to write them again"));
  EXPECT_THAT(Stored(), HasCode(Code::kNotFound));
}

TEST_F(RetryingPutTest, ReplaysWithTheWriteThatNoLongerFitsTheBuffer) {
  faulty_.Set({.only = StorageCall::kWrite, .fail_from = 5, .failure = Gone()});
  ASSERT_OK(Put(content_, {}, {.replay_bytes_max = 4'000}));
  EXPECT_THAT(Stored(), IsOkAndHolds(content_));
}

TEST_F(RetryingPutTest, KeepsNoMoreThanTheMemoryBudgetOfThePut) {
  faulty_.Set({.only = StorageCall::kCommit, .fail_from = 1, .failure = Gone()});
  EXPECT_THAT(Put(content_, {.memory_budget_bytes = 2'000}), HasCode(Code::kUnavailable));
}

TEST_F(RetryingPutTest, DoesNotRepeatACommitThatIsNotRetryable) {
  faulty_.Set({.only = StorageCall::kCommit, .fail_from = 1, .failure = NoSpace("full")});
  EXPECT_THAT(Put(content_), HasCode(Code::kNoSpace));
  EXPECT_EQ(faulty_.counted(), 1u);
}

TEST_F(RetryingPutTest, WritesAgainAfterAnUnknownOutcomeWhenOverwriting) {
  for (bool effect : {true, false}) {
    faulty_.Set({.only = StorageCall::kCommit, .fail_from = 1, .failure = Unknown(), .effect_first = effect});
    ASSERT_OK(Put(content_));
    EXPECT_EQ(faulty_.counted(), 2u);
    EXPECT_THAT(Stored(), IsOkAndHolds(content_));
  }
}

TEST_F(RetryingPutTest, AcceptsAnObjectOfOurBytesWhenItCannotWriteAgain) {
  faulty_.Set({.only = StorageCall::kCommit, .fail_from = 1, .failure = Unknown(), .effect_first = true});
  EXPECT_OK(Put(content_, {}, {.replay_bytes_max = 100}));
  EXPECT_TRUE(ctx_.log().Has("the storage has it", LogLevel::kInfo));
}

TEST_F(RetryingPutTest, NeverTakesAnOlderObjectOfTheSameSizeForItsOwn) {
  const std::string older(content_.size(), 'o');
  ASSERT_OK(WriteObject(ctx_, memory_, "a", older));
  faulty_.Set({.only = StorageCall::kCommit, .fail_from = 1, .failure = Unknown()});
  EXPECT_THAT(Put(content_, {}, {.replay_bytes_max = 100}), HasCode(Code::kUnavailable));
  EXPECT_THAT(Stored(), IsOkAndHolds(older));
}

TEST_F(RetryingPutTest, FailsAfterAnUnknownOutcomeWhenNothingIsThereAndItCannotWriteAgain) {
  faulty_.Set({.only = StorageCall::kCommit, .fail_from = 1, .failure = Unknown()});
  EXPECT_THAT(Put(content_, {}, {.replay_bytes_max = 100}), HasCode(Code::kUnavailable));
}

TEST_F(RetryingPutTest, SettlesAnUnknownPutIfAbsentByLooking) {
  for (uint64_t replay_bytes_max : {100u, 1u << 20}) {
    ASSERT_OK(DeleteAll(ctx_, memory_, {"a"}));
    faulty_.Set({.only = StorageCall::kCommit, .fail_from = 1, .failure = Unknown(), .effect_first = true});
    EXPECT_OK(Put(content_, {.only_if_absent = true}, {.replay_bytes_max = replay_bytes_max}));
    EXPECT_EQ(faulty_.counted(), 1u);
  }
}

TEST_F(RetryingPutTest, WritesAgainAfterAnUnknownPutIfAbsentThatLeftNothing) {
  faulty_.Set({.only = StorageCall::kCommit, .fail_from = 1, .failure = Unknown()});
  ASSERT_OK(Put(content_, {.only_if_absent = true}));
  EXPECT_THAT(Stored(), IsOkAndHolds(content_));
}

TEST_F(RetryingPutTest, SaysExistsWhenAnUnknownPutIfAbsentMeetsOtherBytesOfTheSameSize) {
  std::string other = content_;
  other.back() ^= 1;
  ASSERT_OK(WriteObject(ctx_, memory_, "a", other));
  faulty_.Set({.only = StorageCall::kCommit, .fail_from = 1, .failure = Unknown()});
  EXPECT_THAT(Put(content_, {.only_if_absent = true}), HasCode(Code::kAlreadyExists));
  EXPECT_THAT(Stored(), IsOkAndHolds(other));
}

TEST_F(RetryingPutTest, SaysExistsForTheSameBytesWhenNoAttemptOfItsOwnCanHaveStoredThem) {
  ASSERT_OK(WriteObject(ctx_, memory_, "a", content_));
  EXPECT_THAT(Put(content_, {.only_if_absent = true}), HasCode(Code::kAlreadyExists));
}

// The Stat after the unknown commit still sees nothing; the replay's commit meets our own object.
TEST_F(RetryingPutTest, KnowsItsOwnObjectWhenTheReplayIsToldThatItExists) {
  class LateStat final : public StorageWrapper {
   public:
    using StorageWrapper::StorageWrapper;
    Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override {
      if (stats++ == 0) return NotFound("not yet");
      return StorageWrapper::Stat(ctx, key);
    }
    int stats = 0;
  };
  faulty_.Set({.only = StorageCall::kCommit, .fail_from = 1, .failure = Unknown(), .effect_first = true});
  LateStat late(faulty_);
  RetryingStorage storage(late, {}, 1);
  EXPECT_OK(WriteObject(ctx_, storage, "a", content_, {.only_if_absent = true}));
}

// A sink that can go on where it failed: every call fails once, having taken half of its bytes.
class StumblingStorage final : public StorageWrapper {
 public:
  using StorageWrapper::StorageWrapper;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    puts++;
    WALRIG_ASSIGN(auto sink, StorageWrapper::Put(ctx, key, options));
    return std::unique_ptr<Sink>(std::make_unique<StumblingSink>(*this, std::move(sink)));
  }
  int puts = 0;
  int failures_each = 1;
  Status failure = Unavailable("gone").Resumable();

 private:
  class StumblingSink final : public Sink {
   public:
    StumblingSink(StumblingStorage& storage, std::unique_ptr<Sink> sink) : storage_(storage), sink_(std::move(sink)) {}
    Status Write(const Context& ctx, ByteSpan bytes) override {
      if (failed_ == 0) WALRIG_TRY(sink_->Write(ctx, bytes.first(bytes.size() / 2)));
      if (failed_++ < storage_.failures_each) return storage_.failure;
      failed_ = 0;
      return sink_->Write(ctx, bytes.subspan(bytes.size() / 2));
    }
    Status Commit(const Context& ctx) override {
      if (failed_++ < storage_.failures_each) return storage_.failure;
      return sink_->Commit(ctx);
    }
    void Abort() noexcept override { sink_->Abort(); }

   private:
    StumblingStorage& storage_;
    std::unique_ptr<Sink> sink_;
    int failed_ = 0;
  };
};

TEST_F(RetryingPutTest, GoesOnWithTheSameSinkWhenItCanAlthoughTheBytesAreNoLongerAtHand) {
  StumblingStorage stumbling(memory_);
  RetryingStorage storage(stumbling, {.replay_bytes_max = 100}, 1);
  ASSERT_OK_AND_ASSIGN(auto sink, storage.Put(ctx_, "a", {}));
  for (size_t i = 0; i < content_.size(); i += 500) ASSERT_OK(sink->Write(ctx_, AsBytes(content_.substr(i, 500))));
  ASSERT_OK(sink->Commit(ctx_));
  EXPECT_THAT(Stored(), IsOkAndHolds(content_));
  EXPECT_EQ(stumbling.puts, 1);
}

TEST_F(RetryingPutTest, GivesUpOnASinkThatNeverGetsFurther) {
  StumblingStorage stumbling(memory_);
  stumbling.failures_each = 1000;
  RetryingStorage storage(stumbling, {.attempts_max = 4}, 1);
  ASSERT_OK_AND_ASSIGN(auto sink, storage.Put(ctx_, "a", {}));
  const Status status = sink->Write(ctx_, AsBytes(content_));
  EXPECT_THAT(status, HasCode(Code::kUnavailable));
  EXPECT_THAT(status, MessageHas("gave up after 4 attempts"));
}

TEST_F(RetryingPutTest, RemembersThatAResumedPutIfAbsentMayHaveHadItsEffect) {
  StumblingStorage stumbling(memory_);
  stumbling.failure = Unavailable("no answer").Resumable().OutcomeUnknown();
  RetryingStorage storage(stumbling, {}, 1);
  ASSERT_OK_AND_ASSIGN(auto sink, storage.Put(ctx_, "a", {.only_if_absent = true}));
  ASSERT_OK(sink->Write(ctx_, AsBytes(content_)));
  ASSERT_OK(WriteObject(ctx_, memory_, "a", content_));  // as if the first Commit had done it
  EXPECT_OK(sink->Commit(ctx_));
}

TEST_F(RetryingPutTest, LeavesNothingWhenAborted) {
  RetryingStorage storage(faulty_, {}, 1);
  ASSERT_OK_AND_ASSIGN(auto sink, storage.Put(ctx_, "a", {}));
  ASSERT_OK(sink->Write(ctx_, AsBytes("x")));
  sink->Abort();
  sink->Abort();
  EXPECT_THAT(Stored(), HasCode(Code::kNotFound));
}

}  // namespace
}  // namespace walrig::test
