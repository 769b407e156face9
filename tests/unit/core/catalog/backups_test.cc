#include "core/catalog/backups.h"

#include <gtest/gtest.h>

#include "core/catalog/backup_objects.h"
#include "core/catalog/chain.h"
#include "core/storage/memory.h"
#include "tests/support/failing_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_backup.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;
using test::SyntheticBackup;

constexpr const char* kFirst = "base_000000010000000000000020";
constexpr const char* kSecond = "base_000000010000000000000010";  // newer, though its name is smaller

class BackupsTest : public ::testing::Test {
 protected:
  void StoreTwo() {
    SyntheticBackup first(kFirst), second(kSecond);
    first.metadata.user_data = Json::parse(R"({"a":1,"b":[true,null]})");
    second.metadata.user_data = Json::parse(R"("nightly")");
    second.sentinel.finish_time_ns += 1'000'000'000'000;
    first.Store(ctx_, storage_);
    ctx_.clock().Advance(1'000'000'000);
    second.Store(ctx_, storage_);
  }
  Result<BackupEntry> Find(BackupSelector selector) { return FindBackup(ctx_, storage_, selector); }
  void Put(const std::string& key, const std::string& text) { ASSERT_OK(WriteObject(ctx_, storage_, key, text)); }

  test::TestContext ctx_;
  MemoryStorage storage_;
};

TEST_F(BackupsTest, OrdersBySentinelsModificationNotByName) {
  StoreTwo();
  ASSERT_OK_AND_ASSIGN(auto entries, ListBackups(ctx_, storage_, {}));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, kFirst);
  EXPECT_EQ(entries[1].name, kSecond);
  EXPECT_EQ(entries[1].wal_file_name, "000000010000000000000010");
  ASSERT_OK_AND_ASSIGN(BackupEntry latest, Find({.name = "LATEST", .user_data = {}, .target_time_ns = {}}));
  EXPECT_EQ(latest.name, kSecond);
}

class LatestOfManyTest : public BackupsTest {
 protected:
  static constexpr int64_t kHourNs = 3'600'000'000'000;
  // Backup `hour`, of that hour since the fake clock's beginning, as it would be stored when it is finished.
  SyntheticBackup Made(int hour) {
    SyntheticBackup backup("base_0000000100000000000000" + std::to_string(30 - hour));
    backup.sentinel.finish_time_ns = backup.metadata.finish_time_ns = begin_ns_ + hour * kHourNs;
    backup.sentinel.start_time_ns = backup.metadata.start_time_ns = backup.sentinel.finish_time_ns - kHourNs / 6;
    return backup;
  }
  void StoreInOrder(int count) {
    for (int hour = 0; hour < count; ++hour) {
      Made(hour).Store(ctx_, storage_);
      ctx_.clock().Advance(kHourNs);
    }
  }
  void StoreAsCopied(std::initializer_list<int> hours) {
    ctx_.clock().Advance(100 * kHourNs);
    for (const int hour : hours) Made(hour).Store(ctx_, storage_);
  }
  Result<BackupEntry> Latest(Storage& storage) {
    return FindBackup(ctx_, storage, {.name = "LATEST", .user_data = {}, .target_time_ns = {}});
  }
  const int64_t begin_ns_ = ctx_.clock().WallNs();
};

TEST_F(LatestOfManyTest, OfACopyIsTheOneThatWasFinishedLast) {
  StoreAsCopied({2, 3, 0, 1});
  ASSERT_OK_AND_ASSIGN(BackupEntry latest, Latest(storage_));
  EXPECT_EQ(latest.name, Made(3).name);
  EXPECT_EQ(latest.chosen_because, "it is LATEST, the one of 4 that was finished last");
  EXPECT_TRUE(latest.sentinel.has_value() && latest.metadata.has_value());
  EXPECT_TRUE(ctx_.log().Has("the storage's time stamps would say", LogLevel::kWarning));
}

TEST_F(LatestOfManyTest, CostsNoMoreThanItsOwnDocumentsInTheirUsualOrder) {
  StoreInOrder(9);
  test::FailingStorage counted(storage_, 1 + 2 * 3);  // the list; two documents, each opened and read to its end
  ASSERT_OK_AND_ASSIGN(BackupEntry latest, Latest(counted));
  EXPECT_EQ(latest.name, Made(8).name);
  EXPECT_FALSE(counted.failed());
  EXPECT_FALSE(ctx_.log().Has("time stamps", LogLevel::kWarning));
}

TEST_F(LatestOfManyTest, IsNotGuessedWhereADocumentCannotBeRead) {
  StoreAsCopied({2, 3, 0, 1});
  for (uint64_t good = 0;; ++good) {
    ASSERT_LT(good, 100u);
    test::FailingStorage failing(storage_, good);
    auto latest = Latest(failing);
    if (!failing.failed()) break;
    // The documents of the chosen one, read last, may be what failed.
    if (latest.ok()) {
      EXPECT_EQ(latest->name, Made(3).name);
    }
  }
}

TEST_F(LatestOfManyTest, WithoutFinishTimeInTheSentinelAsksTheMetadata) {
  ctx_.clock().Advance(100 * kHourNs);
  for (const int hour : {1, 0}) {
    SyntheticBackup backup = Made(hour);
    backup.sentinel.finish_time_ns = 0;
    backup.Store(ctx_, storage_);
  }
  ASSERT_OK_AND_ASSIGN(BackupEntry latest, Latest(storage_));
  EXPECT_EQ(latest.name, Made(1).name);
}

TEST_F(BackupsTest, SaysWhyItTookABackup) {
  StoreTwo();
  ASSERT_OK_AND_ASSIGN(BackupEntry named, Find({.name = kFirst, .user_data = {}, .target_time_ns = {}}));
  EXPECT_EQ(named.chosen_because, "it was named");
  ASSERT_OK_AND_ASSIGN(BackupEntry marked, Find({.name = "", .user_data = Json("nightly"), .target_time_ns = {}}));
  EXPECT_EQ(marked.chosen_because, "it has the user data that were asked for");
}

TEST_F(BackupsTest, AnEmptyStorageIsAnEmptyList) {
  ASSERT_OK_AND_ASSIGN(auto entries, ListBackups(ctx_, storage_, {.sentinels = true, .metadata = true}));
  EXPECT_TRUE(entries.empty());
  EXPECT_THAT(Find({.name = "LATEST", .user_data = {}, .target_time_ns = {}}), HasCode(Code::kNotFound));
}

TEST_F(BackupsTest, GoesOnAfterADocumentThatCannotBeRead) {
  StoreTwo();
  Put(SentinelKey(kFirst), "not json");
  Put(MetadataKey(kSecond), "[]");
  ASSERT_OK_AND_ASSIGN(auto entries, ListBackups(ctx_, storage_, {.sentinels = true, .metadata = true}));
  ASSERT_EQ(entries.size(), 2u);
  const BackupEntry& broken = entries[0].name == kFirst ? entries[0] : entries[1];
  const BackupEntry& other = entries[0].name == kFirst ? entries[1] : entries[0];
  EXPECT_THAT(broken.sentinel_status, MessageHas(SentinelKey(kFirst)));
  EXPECT_FALSE(broken.sentinel.has_value());
  EXPECT_TRUE(broken.metadata.has_value());
  EXPECT_OK(other.sentinel_status);
  EXPECT_THAT(other.metadata_status, HasCode(Code::kCorruption));
}

TEST_F(BackupsTest, IgnoresFoldersAndStrangersBesideTheSentinels) {
  StoreTwo();
  Put("basebackups_005/README.txt", "x");
  Put("basebackups_005/base_000000010000000000000099/sub_backup_stop_sentinel.json", "{}");
  ASSERT_OK_AND_ASSIGN(auto entries, ListBackups(ctx_, storage_, {}));
  EXPECT_EQ(entries.size(), 2u);
}

TEST_F(BackupsTest, FindsByNameAndHintsAtANearOne) {
  StoreTwo();
  ASSERT_OK_AND_ASSIGN(BackupEntry found, Find({.name = kFirst, .user_data = {}, .target_time_ns = {}}));
  EXPECT_TRUE(found.sentinel.has_value());
  EXPECT_TRUE(found.metadata.has_value());
  EXPECT_THAT(Find({.name = "base_000000010000000000000021", .user_data = {}, .target_time_ns = {}}),
              MessageHas("did you mean"));
  EXPECT_THAT(Find({.name = "../x", .user_data = {}, .target_time_ns = {}}), HasCode(Code::kInvalidArgument));
}

TEST_F(BackupsTest, FindsByUserDataComparedDeeply) {
  StoreTwo();
  ASSERT_OK_AND_ASSIGN(BackupEntry found, Find({.name = "", .user_data = Json::parse(R"({"b":[true,null],"a":1})"),
                                                .target_time_ns = {}}));
  EXPECT_EQ(found.name, kFirst);
  EXPECT_THAT(Find({.name = "", .user_data = Json::parse(R"({"a":1})"), .target_time_ns = {}}),
              HasCode(Code::kNotFound));
}

TEST_F(BackupsTest, RefusesUserDataThatFitTwoBackups) {
  SyntheticBackup first(kFirst), second(kSecond);
  first.metadata.user_data = second.metadata.user_data = Json("same");
  first.Store(ctx_, storage_);
  second.Store(ctx_, storage_);
  EXPECT_THAT(Find({.name = "", .user_data = Json("same"), .target_time_ns = {}}), HasCode(Code::kInvalidArgument));
}

TEST_F(BackupsTest, FindsTheNewestBackupFinishedByATime) {
  StoreTwo();
  const int64_t finished = SyntheticBackup().sentinel.finish_time_ns;
  const auto at = [&](int64_t ns) { return Find({.name = "", .user_data = {}, .target_time_ns = ns}); };
  ASSERT_OK_AND_ASSIGN(BackupEntry exact, at(finished));
  EXPECT_EQ(exact.name, kFirst);
  ASSERT_OK_AND_ASSIGN(BackupEntry later, at(finished + 2'000'000'000'000));
  EXPECT_EQ(later.name, kSecond);
  EXPECT_THAT(at(finished - 1), HasCode(Code::kNotFound));
}

TEST_F(BackupsTest, WantsExactlyOneCriterion) {
  EXPECT_THAT(Find({.name = "", .user_data = {}, .target_time_ns = {}}), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(Find({.name = "LATEST", .user_data = {}, .target_time_ns = 5}), HasCode(Code::kInvalidArgument));
}

class ChainTest : public BackupsTest {
 protected:
  void PutDelta(const std::string& name, const std::string& parent) {
    SyntheticBackup backup(name);
    backup.sentinel.delta = DeltaInfo{.lsn = Lsn{1}, .from = parent, .full_name = kFirst, .count = 1};
    backup.Store(ctx_, storage_);
  }
  Result<std::vector<std::string>> Chain(const std::string& name) {
    WALRIG_ASSIGN(BackupEntry entry, Find({.name = name, .user_data = {}, .target_time_ns = {}}));
    return ChainOf(ctx_, storage_, entry);
  }
};

constexpr const char* kChild = "base_000000010000000000000030_D_000000010000000000000020";
constexpr const char* kGrandchild = "base_000000010000000000000040_D_000000010000000000000030";

TEST_F(ChainTest, NamesAncestorsFromTheFullBackupOn) {
  SyntheticBackup(kFirst).Store(ctx_, storage_);
  PutDelta(kChild, kFirst);
  PutDelta(kGrandchild, kChild);
  ASSERT_OK_AND_ASSIGN(auto chain, Chain(kGrandchild));
  EXPECT_EQ(chain, (std::vector<std::string>{kFirst, kChild, kGrandchild}));
  ASSERT_OK_AND_ASSIGN(auto alone, Chain(kFirst));
  EXPECT_EQ(alone, std::vector<std::string>{kFirst});
}

TEST_F(ChainTest, AnswersACycle) {
  PutDelta(kChild, kGrandchild);
  PutDelta(kGrandchild, kChild);
  EXPECT_THAT(Chain(kGrandchild), MessageHas("cycle"));
  PutDelta(kChild, kChild);
  EXPECT_THAT(Chain(kChild), MessageHas("cycle"));
}

TEST_F(ChainTest, NamesTheParentThatIsMissing) {
  PutDelta(kChild, kFirst);
  EXPECT_THAT(Chain(kChild), MessageHas(kFirst));
  // Not kNotFound: the backup that was asked for is there.
  EXPECT_THAT(Chain(kChild), HasCode(Code::kCorruption));
}

TEST_F(ChainTest, DistrustsAnIncrementsNameWithoutDeltaKeys) {
  SyntheticBackup backup(kChild);
  backup.Store(ctx_, storage_);
  EXPECT_THAT(Chain(kChild), HasCode(Code::kCorruption));
}

TEST(BackupObjectsTest, KnowsEveryTarNameThatWalGWrites) {
  const auto kind = [](const char* name) { return ClassifyTarName(name); };
  EXPECT_EQ(kind("part_001.tar.zst")->extension, "zst");
  EXPECT_EQ(kind("part_001.tar")->extension, "");
  EXPECT_EQ(kind("part_001.tar.")->stem, "part_001.tar");
  EXPECT_EQ(kind("copy_0.tar.tar")->extension, "");
  EXPECT_EQ(kind("pg_control.tar.")->kind, TarObject::Kind::kControl);
  EXPECT_EQ(kind("backup_label.tar.lz4")->kind, TarObject::Kind::kLabel);
  EXPECT_FALSE(kind("README.txt").has_value());
}

TEST(BackupObjectsTest, SortsPartsBySizeAndSetsStrangersApart) {
  test::TestContext ctx;
  MemoryStorage storage;
  SyntheticBackup backup;
  backup.Store(ctx, storage);
  ASSERT_OK(WriteObject(ctx, storage, TarKey(backup.name, "README.txt"), "x"));
  ASSERT_OK_AND_ASSIGN(BackupObjects objects, ListBackupObjects(ctx, storage, backup.name));
  ASSERT_EQ(objects.parts.size(), 2u);
  EXPECT_EQ(objects.parts[0].stem, "part_001.tar");
  EXPECT_GT(objects.parts[0].size_bytes, objects.parts[1].size_bytes);
  EXPECT_EQ(objects.control.size(), 1u);
  EXPECT_EQ(objects.label.size(), 1u);
  EXPECT_EQ(objects.foreign, std::vector<std::string>{TarKey(backup.name, "README.txt")});
  EXPECT_TRUE(objects.has_manifest && objects.has_proof && objects.has_files_metadata);
}

}  // namespace
}  // namespace walrig
