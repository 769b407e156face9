#include "core/backup/commit.h"

#include <gtest/gtest.h>

#include "core/layout/paths.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

const std::string kCommitted = "base_000000010000000000000003";

class CommitTest : public ::testing::Test {
 protected:
  CommitTest() { EXPECT_THAT(claim_.Take(ctx_), IsOk()); }
  Status Commit(Storage& storage) { return StoreSentinel(ctx_, storage, claim_, {kCommitted, "ours", proof_, 0}); }
  bool Has(const std::string& key) { return Exists(ctx_, storage_, key).value(); }

  TestContext ctx_;
  MemoryStorage storage_;
  NameClaim claim_{storage_, kCommitted};
  Proof proof_;
};

TEST_F(CommitTest, StoresTheSentinelAndGivesTheClaimBack) {
  ASSERT_THAT(Commit(storage_), IsOk());
  EXPECT_TRUE(Has(SentinelKey(kCommitted)));
  EXPECT_FALSE(Has(claim_.key()));
}

// The first attempt was stored and answered with 503; the second finds the object: 412.
TEST_F(CommitTest, TakesASentinelThatExistsAlreadyForOursWhenItHoldsOurText) {
  for (const Status& lie : {AlreadyExists("it exists"), Unavailable("HTTP 503").OutcomeUnknown()}) {
    MemoryStorage storage;
    NameClaim claim(storage, kCommitted);
    ASSERT_THAT(claim.Take(ctx_), IsOk());
    FaultyStorage faulty(storage);
    faulty.Set({.only = StorageCall::kCommit, .fail_from = 1, .failure = lie, .effect_first = true});
    EXPECT_THAT(StoreSentinel(ctx_, faulty, claim, {kCommitted, "ours", proof_, 0}), IsOk());
    EXPECT_TRUE(ctx_.log().Has("is stored, although the storage said"));
  }
}

TEST_F(CommitTest, LeavesTheSentinelOfAnotherRunAlone) {
  ASSERT_THAT(WriteObject(ctx_, storage_, SentinelKey(kCommitted), "theirs"), IsOk());
  EXPECT_THAT(Commit(storage_), HasCode(Code::kAlreadyExists));
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadObject(ctx_, storage_, SentinelKey(kCommitted), 100));
  EXPECT_EQ(text, "theirs");
}

TEST_F(CommitTest, FailsWhenNobodyKnowsWhetherItIsStored) {
  FaultyStorage faulty(storage_);
  faulty.Set({.fail_from = 2, .fail_times = UINT64_MAX, .failure = Unavailable("gone").OutcomeUnknown(), .effect_first = true});
  EXPECT_THAT(Commit(faulty), MessageHas("could not be found out"));
}

}  // namespace
}  // namespace walrig::test
