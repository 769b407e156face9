#include "core/catalog/leftovers.h"

#include <gtest/gtest.h>

#include "core/layout/claim.h"
#include "core/layout/paths.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_backup.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

const std::string kName = "base_000000010000000000000007";

class LeftoversTest : public ::testing::Test {
 protected:
  void Store(const std::string& key, const std::string& bytes = "0123456789") {
    ASSERT_THAT(WriteObject(ctx_, storage_, key, bytes), IsOk());
  }
  // Of a process that runs, is gone, or belongs to another machine.
  void Claim(ProcessState state) {
    ProcessMark mark = OwnProcessMark();
    if (state == ProcessState::kGone) --mark.started;
    if (state == ProcessState::kUnknown) mark.machine += "x";
    Store(BackupFolder(kName) + std::string(kClaimName), SerializeClaim({"token", "db1", mark}));
  }
  void Age() { ctx_.clock().Advance(static_cast<uint64_t>(kLeftoverAgeNs)); }
  Leftovers Find() {
    Result<Leftovers> found = FindLeftovers(ctx_, storage_, kLeftoverAgeNs);
    EXPECT_THAT(found, IsOk());
    return found.ok() ? *found : Leftovers();
  }

  TestContext ctx_;
  MemoryStorage storage_;
};

TEST_F(LeftoversTest, TellsAFolderWhoseWriterIsGoneAtOnceWithItsSize) {
  Store(TarKey(kName, "part_001.tar.zst"));
  Claim(ProcessState::kGone);
  const Leftovers found = Find();
  ASSERT_EQ(found.backups.size(), 1u);
  EXPECT_EQ(found.backups[0].name, kName);
  EXPECT_EQ(found.backups[0].keys.size(), 2u);
  EXPECT_EQ(found.backups[0].keys.back(), BackupFolder(kName) + "walrig.claim") << "last, so that the rest is known for what it is";
  EXPECT_GT(found.bytes(), 10u);
}

TEST_F(LeftoversTest, NeverTakesARunThatGoesOnForOne) {
  Store(TarKey(kName, "part_001.tar.zst"));
  Claim(ProcessState::kRuns);
  const auto upload = storage_.Put(ctx_, TarKey(kName, "part_002.tar.zst"), {}).value();
  Age();
  EXPECT_TRUE(Find().empty());
}

TEST_F(LeftoversTest, GoesByTheYoungestObjectWhereNobodyKnowsTheWriter) {
  for (const bool claimed : {false, true}) {
    Store(TarKey(kName, "part_001.tar.zst"));
    if (claimed) Claim(ProcessState::kUnknown);
    Age();
    Store(TarKey(kName, "part_002.tar.zst"));
    EXPECT_TRUE(Find().empty());
    Age();
    EXPECT_EQ(Find().backups.size(), 1u);
  }
}

TEST_F(LeftoversTest, TakesNoFinishedBackupAndNoStrangerForOne) {
  SyntheticBackup().Store(ctx_, storage_);
  Store("basebackups_005/notes/readme.txt");
  Store("basebackups_005/loose.txt");
  Store("wal_005/000000010000000000000002.zst");
  Age();
  EXPECT_TRUE(Find().empty());
}

TEST_F(LeftoversTest, CountsUploadsWithoutAnEndByTheirWriterOrAge) {
  Claim(ProcessState::kGone);
  const auto of_gone = storage_.Put(ctx_, TarKey(kName, "part_001.tar.zst"), {}).value();
  const auto of_unknown = storage_.Put(ctx_, TarKey("base_000000010000000000000009", "part_001.tar.zst"), {}).value();
  const auto of_wal = storage_.Put(ctx_, "wal_005/000000010000000000000002.zst", {}).value();
  EXPECT_EQ(Find().uploads.size(), 1u);
  Age();
  EXPECT_EQ(Find().uploads.size(), 2u);
}

TEST_F(LeftoversTest, KeepsWhatWasFinishedOrWentOnSinceItWasFound) {
  Store(TarKey(kName, "part_001.tar.zst"));
  Age();
  const LeftoverBackup found = Find().backups.at(0);
  EXPECT_TRUE(*IsStillLeft(ctx_, storage_, found));
  Store(TarKey(kName, "part_002.tar.zst"));
  EXPECT_FALSE(*IsStillLeft(ctx_, storage_, found));
  Age();
  const LeftoverBackup again = Find().backups.at(0);
  Store(SentinelKey(kName));
  EXPECT_FALSE(*IsStillLeft(ctx_, storage_, again));
}

TEST_F(LeftoversTest, AreDescribedInOneLine) {
  for (int i = 1; i <= 5; ++i) Store(TarKey("base_00000001000000000000000" + std::to_string(i), "part_001.tar.zst"));
  const auto upload = storage_.Put(ctx_, TarKey(kName, "part_001.tar.zst"), {}).value();
  Age();
  EXPECT_EQ(DescribeLeftovers(Find()),
            "interrupted runs of backup-push left 5 unfinished backups (base_000000010000000000000001, "
            "base_000000010000000000000002, base_000000010000000000000003, ...) and 1 unfinished upload in the storage, 50 B in "
            "all; walrig delete garbage BACKUPS shows them, and with --confirm deletes them");
}

}  // namespace
}  // namespace walrig::test
