#include "core/retention/garbage.h"

#include <gtest/gtest.h>

#include "core/layout/claim.h"
#include "core/layout/paths.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/failing_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_backup.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

constexpr const char* kName = "base_000000010000000000000007";

class GarbageTest : public ::testing::Test {
 protected:
  void Store(const std::string& key, const std::string& bytes = "x") { ASSERT_THAT(WriteObject(ctx_, storage_, key, bytes), IsOk()); }
  void Age() { ctx_.clock().Advance(static_cast<uint64_t>(kLeftoverAgeNs)); }
  DeleteGarbageReport Delete(bool confirm) {
    Result<DeleteGarbageReport> report = DeleteGarbage(ctx_, {.confirm = confirm}, storage_);
    EXPECT_THAT(report, IsOk());
    return report.ok() ? *report : DeleteGarbageReport();
  }
  size_t Objects() { return ListAll(ctx_, storage_, "").value().size(); }

  TestContext ctx_;
  MemoryStorage storage_;
};

TEST_F(GarbageTest, DeletesFoldersAndUploadsAndNothingElse) {
  SyntheticBackup().Store(ctx_, storage_);
  Store("wal_005/000000010000000000000002.zst");
  const size_t wanted = Objects();
  Store(TarKey(kName, "part_001.tar.zst"));
  Store(MetadataKey(kName), SerializeBackupMetadata(SyntheticBackup().metadata));
  const auto upload = storage_.Put(ctx_, TarKey(kName, "part_002.tar.zst"), {}).value();
  Age();
  const DeleteGarbageReport plan = Delete(false);
  EXPECT_EQ(plan.found.backups.size(), 1u);
  EXPECT_FALSE(plan.executed);
  EXPECT_EQ(Objects(), wanted + 2);
  const DeleteGarbageReport done = Delete(true);
  EXPECT_EQ(done.deleted_objects, 2u);
  EXPECT_EQ(done.removed_uploads, 1u);
  EXPECT_EQ(Objects(), wanted);
  EXPECT_TRUE(Delete(true).found.empty());
}

TEST_F(GarbageTest, KeepsWhatIsMarkedPermanentAndWhatADeltaNeeds) {
  SyntheticBackup permanent(kName);
  permanent.metadata.permanent = true;
  permanent.Store(ctx_, storage_);
  SyntheticBackup parent("base_000000010000000000000020");
  parent.Store(ctx_, storage_);
  SyntheticBackup delta("base_000000010000000000000030_D_000000010000000000000020");
  delta.sentinel.delta = DeltaInfo{Lsn{0x2000028}, parent.name, parent.name, 1};
  delta.Store(ctx_, storage_);
  ASSERT_THAT(DeleteAll(ctx_, storage_, {SentinelKey(kName), SentinelKey(parent.name)}), IsOk());
  Age();
  const size_t before = Objects();
  const DeleteGarbageReport report = Delete(true);
  EXPECT_TRUE(report.found.backups.empty());
  ASSERT_EQ(report.kept.size(), 2u);
  EXPECT_NE(report.kept[0].why.find("is marked permanent"), std::string::npos);
  EXPECT_NE(report.kept[1].why.find("needs it"), std::string::npos);
  EXPECT_EQ(Objects(), before);
}

// Killed before its sentinel was there: it never was a backup, whatever it was to be marked as.
TEST_F(GarbageTest, DeletesAPermanentBackupThatWasNeverFinished) {
  SyntheticBackup permanent(kName);
  permanent.metadata.permanent = true;
  permanent.Store(ctx_, storage_);
  ASSERT_THAT(DeleteAll(ctx_, storage_, {SentinelKey(kName)}), IsOk());
  ProcessMark gone = OwnProcessMark();
  --gone.started;
  Store(BackupFolder(kName) + std::string(kClaimName), SerializeClaim({"token", "db1", gone}));
  EXPECT_EQ(Delete(true).found.backups.size(), 1u);
  EXPECT_EQ(Objects(), 0u);
}

TEST_F(GarbageTest, GoesOnWhereItWasInterrupted) {
  for (uint64_t calls = 0;; ++calls) {
    Store(TarKey(kName, "part_001.tar.zst"));
    Age();
    FailingStorage failing(storage_, calls);
    const Result<DeleteGarbageReport> report = DeleteGarbage(ctx_, {.confirm = true}, failing);
    EXPECT_EQ(report.ok(), !failing.failed());
    if (report.ok()) break;
    ASSERT_LT(calls, 100u);
  }
  EXPECT_EQ(Objects(), 0u);
}

}  // namespace
}  // namespace walrig::test
