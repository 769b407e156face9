#include "core/backup/claim.h"

#include <gtest/gtest.h>

#include "core/layout/claim.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

const std::string kBackup = "base_000000010000000000000003";
const std::string kFolder = "basebackups_005/" + kBackup + "/";
const std::string kSentinel = "basebackups_005/" + kBackup + "_backup_stop_sentinel.json";

class NameClaimTest : public ::testing::Test {
 protected:
  void Store(const std::string& key) { ASSERT_THAT(WriteObject(ctx_, storage_, key, "x"), IsOk()); }
  bool Has(const std::string& key) { return Exists(ctx_, storage_, key).value(); }

  TestContext ctx_;
  MemoryStorage storage_;
  NameClaim claim_{storage_, kBackup};
  NameClaim other_{storage_, kBackup};
};

TEST_F(NameClaimTest, IsOursOnlyOnceTaken) {
  ASSERT_OK_AND_ASSIGN(const bool before, claim_.IsOurs(ctx_));
  EXPECT_FALSE(before);
  EXPECT_THAT(claim_.Check(ctx_), HasCode(Code::kConflict));
  ASSERT_THAT(claim_.Take(ctx_), IsOk());
  EXPECT_THAT(claim_.Check(ctx_), IsOk());
}

// With put-if-absent the storage says who was first, and no part of either is ever touched by the other.
TEST_F(NameClaimTest, BelongsToTheFirstThatTookIt) {
  ASSERT_THAT(claim_.Take(ctx_), IsOk());
  Store(kFolder + "tar_partitions/part_001.tar");
  EXPECT_THAT(other_.Take(ctx_), HasCode(Code::kConflict));
  EXPECT_THAT(claim_.Check(ctx_), IsOk());
  EXPECT_THAT(other_.ClearFolder(ctx_), HasCode(Code::kConflict));
  ASSERT_OK_AND_ASSIGN(const bool ours, other_.GiveUp(ctx_, ""));
  EXPECT_FALSE(ours);
  EXPECT_TRUE(Has(kFolder + "tar_partitions/part_001.tar"));
}

// The process of a claim; of a storage that cannot put only what is absent, where `conditions` is false.
class ForeignClaimTest : public NameClaimTest, public ::testing::WithParamInterface<bool> {
 protected:
  Status TakeFrom(const ProcessMark& process) {
    FaultyStorage storage(storage_);
    StorageCapabilities can = storage_.capabilities();
    can.put_if_absent = GetParam();
    storage.SetCapabilities(can);
    EXPECT_THAT(WriteObject(ctx_, storage_, claim_.key(), SerializeClaim({"token", "db2", process})), IsOk());
    NameClaim claim(storage, kBackup);
    WALRIG_TRY(claim.Take(ctx_));
    return claim.Check(ctx_);
  }
};

TEST_P(ForeignClaimTest, IsTakenOverFromAProcessThatIsGone) {
  ProcessMark gone = OwnProcessMark();
  --gone.started;
  EXPECT_THAT(TakeFrom(gone), IsOk());
}

TEST_P(ForeignClaimTest, IsLeftToAProcessThatRuns) { EXPECT_THAT(TakeFrom(OwnProcessMark()), HasCode(Code::kConflict)); }

TEST_P(ForeignClaimTest, OfAnotherMachineIsLeftAloneWhereTheStorageCanDecide) {
  ProcessMark elsewhere = OwnProcessMark();
  elsewhere.machine += " of another host";
  if (GetParam()) {
    EXPECT_THAT(TakeFrom(elsewhere), MessageHas("process " + std::to_string(elsewhere.pid) + " on db2"));
  } else {
    EXPECT_THAT(TakeFrom(elsewhere), IsOk()) << "the last one has it";
  }
}

INSTANTIATE_TEST_SUITE_P(Storages, ForeignClaimTest, ::testing::Bool(),
                         [](const auto& conditions) { return conditions.param ? "PutIfAbsent" : "LastWins"; });

// The put had its effect, its answer was lost, and the second attempt finds the object.
TEST_F(NameClaimTest, TakesItsOwnTokenForItsOwnWhateverTheStorageSays) {
  FaultyStorage faulty(storage_);
  NameClaim claim(faulty, kBackup);
  faulty.Set({.only = StorageCall::kCommit, .fail_from = 1, .failure = AlreadyExists("it exists"), .effect_first = true});
  EXPECT_THAT(claim.Take(ctx_), IsOk());
  EXPECT_THAT(claim.Check(ctx_), IsOk());
}

TEST_F(NameClaimTest, DoesNotGuessWhereTheStorageDoesNotAnswer) {
  ASSERT_THAT(claim_.Take(ctx_), IsOk());
  FaultyStorage faulty(storage_);
  NameClaim blind(faulty, kBackup);
  faulty.Set({.fail_from = 1, .fail_times = UINT64_MAX});
  EXPECT_THAT(blind.Check(ctx_), ::testing::Not(HasCode(Code::kConflict)));
  EXPECT_THAT(blind.Check(ctx_), ::testing::Not(IsOk()));
}

TEST_F(NameClaimTest, ClearsLeftoversButNeitherItselfNorTheNeighbours) {
  const std::string neighbour = "basebackups_005/" + kBackup + "_D_000000010000000000000001/tar_partitions/part_001.tar";
  Store(kFolder + "tar_partitions/part_001.tar");
  Store(kFolder + "metadata.json");
  Store(neighbour);
  ASSERT_THAT(claim_.Take(ctx_), IsOk());
  ASSERT_THAT(claim_.ClearFolder(ctx_), IsOk());
  EXPECT_FALSE(Has(kFolder + "tar_partitions/part_001.tar"));
  EXPECT_FALSE(Has(kFolder + "metadata.json"));
  EXPECT_TRUE(Has(neighbour));
  EXPECT_THAT(claim_.Check(ctx_), IsOk());
}

TEST_F(NameClaimTest, GivesUpWithEverythingThatIsOurs) {
  ASSERT_THAT(claim_.Take(ctx_), IsOk());
  Store(kFolder + "tar_partitions/part_001.tar");
  Store(kSentinel);
  ASSERT_OK_AND_ASSIGN(const bool ours, claim_.GiveUp(ctx_, "x"));
  EXPECT_TRUE(ours);
  EXPECT_TRUE(ListAll(ctx_, storage_, "")->empty());
}

TEST_F(NameClaimTest, GivesUpNothingOfAnotherRun) {
  ASSERT_THAT(other_.Take(ctx_), IsOk());
  Store(kFolder + "tar_partitions/part_001.tar");
  ASSERT_OK_AND_ASSIGN(const bool ours, claim_.GiveUp(ctx_, ""));
  EXPECT_FALSE(ours);
  EXPECT_TRUE(Has(kFolder + "tar_partitions/part_001.tar"));
  EXPECT_THAT(other_.Check(ctx_), IsOk());
}

TEST_F(NameClaimTest, WhereNothingLiesNothingIsAnotherRuns) {
  ASSERT_THAT(claim_.Take(ctx_), IsOk());
  ASSERT_THAT(claim_.Remove(ctx_), IsOk());
  ASSERT_OK_AND_ASSIGN(const bool nothing_left, claim_.GiveUp(ctx_, ""));
  EXPECT_TRUE(nothing_left);
}

// Whatever is believed about it: parts below a sentinel are a backup's.
TEST_F(NameClaimTest, DeletesNoPartBelowASentinelThatIsNotKnownToBeOurs) {
  for (const char* tried : {"", "another text", "y"}) {
    ASSERT_THAT(claim_.Take(ctx_), IsOk());
    Store(kFolder + "tar_partitions/part_001.tar");
    Store(kSentinel);
    ASSERT_OK_AND_ASSIGN(const bool ours, claim_.GiveUp(ctx_, tried));
    EXPECT_FALSE(ours) << tried;
    EXPECT_TRUE(Has(kFolder + "tar_partitions/part_001.tar")) << tried;
    EXPECT_TRUE(Has(kSentinel)) << tried;
  }
}

// With the parts gone and the sentinel still there, a broken backup would be listed as one.
TEST_F(NameClaimTest, DeletesNoPartWhileTheSentinelCannotBeDeleted) {
  ASSERT_THAT(claim_.Take(ctx_), IsOk());
  Store(kFolder + "tar_partitions/part_001.tar");
  Store(kSentinel);
  FaultyStorage faulty(storage_);
  NameClaim failing(faulty, kBackup);
  ASSERT_THAT(claim_.Remove(ctx_), IsOk());
  ASSERT_THAT(failing.Take(ctx_), IsOk());
  faulty.Set({.only = StorageCall::kDelete, .fail_from = 1});
  EXPECT_THAT(failing.GiveUp(ctx_, "x"), ::testing::Not(IsOk()));
  EXPECT_TRUE(Has(kSentinel));
  EXPECT_TRUE(Has(kFolder + "tar_partitions/part_001.tar"));
}

}  // namespace
}  // namespace walrig::test
