#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/layout/paths.h"
#include "core/retention/execute.h"
#include "core/retention/plan.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "core/storage/wrapper.h"
#include "tests/support/failing_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_backup.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;
using test::SyntheticBackup;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr const char* kFull = "base_000000010000000000000020";
constexpr const char* kChild = "base_000000010000000000000030_D_000000010000000000000020";
constexpr const char* kOther = "base_000000010000000000000050";

ObjectInfo Object(const std::string& key) {
  ObjectInfo info;
  info.key = key;
  info.size_bytes = 10;
  return info;
}

std::vector<ObjectInfo> ObjectsOf(std::initializer_list<const char*> names) {
  std::vector<ObjectInfo> objects{Object("wal_005/000000010000000000000020.zst"), Object("stranger")};
  for (const char* name : names) {
    objects.push_back(Object(SentinelKey(name)));
    objects.push_back(Object(MetadataKey(name)));
    objects.push_back(Object(TarKey(name, "part_001.tar.zst")));
  }
  return objects;
}

RetentionBackup Backup(const char* name, const char* parent = "", std::optional<bool> permanent = false) {
  return {.name = name, .parent = parent, .permanent = permanent, .unknown_because = "garbage"};
}

TEST(DeletePlanTest, EverythingIsEveryObjectWithSentinelsFirst) {
  ASSERT_OK_AND_ASSIGN(DeletionPlan plan,
                       PlanDeleteEverything({}, {Backup(kFull), Backup(kOther)}, ObjectsOf({kFull, kOther})));
  EXPECT_THAT(plan.sentinels, UnorderedElementsAre(SentinelKey(kFull), SentinelKey(kOther)));
  EXPECT_EQ(plan.objects.size(), 6u);
  EXPECT_EQ(plan.bytes, 80u);
}

TEST(DeletePlanTest, EverythingRefusesAPermanentBackupWithoutForce) {
  const std::vector<RetentionBackup> backups{Backup(kFull, "", true), Backup(kOther)};
  EXPECT_THAT(PlanDeleteEverything({}, backups, ObjectsOf({kFull, kOther})), HasCode(Code::kPreconditionFailed));
  EXPECT_OK(PlanDeleteEverything({.force = true}, backups, ObjectsOf({kFull, kOther})).status());
}

TEST(DeletePlanTest, RefusesRatherThanGuessesPermanence) {
  const std::vector<RetentionBackup> backups{Backup(kFull, "", std::nullopt), Backup(kOther)};
  EXPECT_THAT(PlanDeleteEverything({}, backups, ObjectsOf({kFull})), MessageHas("garbage"));
  EXPECT_THAT(PlanDeleteTarget({.name = kFull}, backups, ObjectsOf({kFull})), HasCode(Code::kPreconditionFailed));
  EXPECT_OK(PlanDeleteTarget({.name = kOther}, backups, ObjectsOf({kFull, kOther})).status());
}

TEST(DeletePlanTest, TargetTakesDescendantsChildrenFirstAndNothingElse) {
  ASSERT_OK_AND_ASSIGN(DeletionPlan plan,
                       PlanDeleteTarget({.name = kFull}, {Backup(kFull), Backup(kChild, kFull), Backup(kOther)},
                                        ObjectsOf({kFull, kChild, kOther})));
  EXPECT_THAT(plan.sentinels, ElementsAre(SentinelKey(kChild), SentinelKey(kFull)));
  EXPECT_THAT(plan.objects, UnorderedElementsAre(MetadataKey(kFull), TarKey(kFull, "part_001.tar.zst"),
                                                 MetadataKey(kChild), TarKey(kChild, "part_001.tar.zst")));
}

TEST(DeletePlanTest, TargetKeepsAPermanentBackupAndOneWithAPermanentDescendant) {
  const std::vector<RetentionBackup> backups{Backup(kFull), Backup(kChild, kFull, true)};
  EXPECT_THAT(PlanDeleteTarget({.name = kFull}, backups, ObjectsOf({kFull, kChild})), MessageHas(kChild));
  EXPECT_OK(PlanDeleteTarget({.name = kFull, .force = true}, backups, ObjectsOf({kFull, kChild})).status());
}

TEST(DeletePlanTest, TargetTakesNoBackupWhoseNameOnlyBeginsAlike) {
  ASSERT_OK_AND_ASSIGN(DeletionPlan plan, PlanDeleteTarget({.name = kFull}, {Backup(kFull), Backup(kChild)},
                                                           ObjectsOf({kFull, kChild})));
  EXPECT_THAT(plan.backups, ElementsAre(kFull));
  EXPECT_EQ(plan.objects.size(), 2u);
}

TEST(DeletePlanTest, AnUnknownTargetIsNotFound) {
  EXPECT_THAT(PlanDeleteTarget({.name = "base_x"}, {Backup(kFull)}, {}), HasCode(Code::kNotFound));
}

class DeleteTest : public ::testing::Test {
 protected:
  DeleteOptions Target(const std::string& name, bool confirm) {
    DeleteOptions options;
    options.target.name = name;
    options.confirm = confirm;
    return options;
  }
  size_t Count(const std::string& prefix = "") { return ListAll(ctx_, storage_, prefix)->size(); }

  test::TestContext ctx_;
  MemoryStorage storage_;
};

TEST_F(DeleteTest, ChangesNothingWithoutConfirm) {
  SyntheticBackup(kFull).Store(ctx_, storage_);
  const size_t before = Count();
  ASSERT_OK_AND_ASSIGN(DeleteReport report, DeleteBackups(ctx_, Target(kFull, false), storage_));
  EXPECT_FALSE(report.executed);
  EXPECT_EQ(report.plan.objects.size() + report.plan.sentinels.size(), before);
  EXPECT_EQ(Count(), before);
}

TEST_F(DeleteTest, DeletesTheTargetAndLeavesOthers) {
  SyntheticBackup(kFull).Store(ctx_, storage_);
  SyntheticBackup(kOther).Store(ctx_, storage_);
  ASSERT_OK_AND_ASSIGN(DeleteReport report, DeleteBackups(ctx_, Target(kFull, true), storage_));
  EXPECT_TRUE(report.executed);
  EXPECT_EQ(Count(BackupFolder(kFull)), 0u);
  ASSERT_OK_AND_ASSIGN(auto left, ListBackups(ctx_, storage_, {}));
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].name, kOther);
}

TEST_F(DeleteTest, KeepsAPermanentTarget) {
  SyntheticBackup backup(kFull);
  backup.metadata.permanent = true;
  backup.Store(ctx_, storage_);
  const size_t before = Count();
  EXPECT_THAT(DeleteBackups(ctx_, Target(kFull, true), storage_), HasCode(Code::kPreconditionFailed));
  EXPECT_EQ(Count(), before);
}

TEST_F(DeleteTest, RefusesWhenMetadataIsGarbage) {
  SyntheticBackup(kFull).Store(ctx_, storage_);
  ASSERT_OK(WriteObject(ctx_, storage_, MetadataKey(kFull), "garbage"));
  EXPECT_THAT(DeleteBackups(ctx_, Target(kFull, true), storage_), HasCode(Code::kPreconditionFailed));
}

TEST_F(DeleteTest, RefusesWhenTheMetadataThatMayHoldTheMarkIsLost) {
  SyntheticBackup(kFull).Store(ctx_, storage_);
  ASSERT_OK(DeleteAll(ctx_, storage_, {MetadataKey(kFull)}));
  EXPECT_THAT(DeleteBackups(ctx_, Target(kFull, true), storage_), HasCode(Code::kPreconditionFailed));
  DeleteOptions force = Target(kFull, true);
  force.force = true;
  EXPECT_OK(DeleteBackups(ctx_, force, storage_));
}

TEST_F(DeleteTest, RefusesWhenAnUnreadableIncrementMayNeedTheTarget) {
  SyntheticBackup(kFull).Store(ctx_, storage_);
  SyntheticBackup(kChild).Store(ctx_, storage_);
  ASSERT_OK(WriteObject(ctx_, storage_, SentinelKey(kChild), "garbage"));
  EXPECT_THAT(DeleteBackups(ctx_, Target(kFull, true), storage_), MessageHas(kChild));
}

TEST_F(DeleteTest, KeepsABackupThatIsPermanentInAnotherOfItsCopies) {
  SyntheticBackup backup(kFull);
  backup.Store(ctx_, storage_);
  MemoryStorage other, third;
  backup.metadata.permanent = true;
  backup.Store(ctx_, other);
  const size_t before = Count();
  DeleteOptions options = Target(kFull, true);
  options.copies = {&storage_, &third, &other};
  EXPECT_THAT(DeleteBackups(ctx_, options, storage_), HasCode(Code::kPreconditionFailed));
  ASSERT_OK(WriteObject(ctx_, other, MetadataKey(kFull), "garbage"));
  EXPECT_THAT(DeleteBackups(ctx_, options, storage_), HasCode(Code::kPreconditionFailed));
  EXPECT_EQ(Count(), before);
  options.force = true;
  EXPECT_OK(DeleteBackups(ctx_, options, storage_));
}

TEST_F(DeleteTest, TakesWhatABackupWithoutSentinelLeftButNotWhatIsWanted) {
  SyntheticBackup backup(kFull);
  backup.Store(ctx_, storage_);
  ASSERT_OK(DeleteAll(ctx_, storage_, {SentinelKey(kFull)}));
  MemoryStorage permanent;
  backup.metadata.permanent = true;
  backup.Store(ctx_, permanent);
  ASSERT_OK(DeleteAll(ctx_, permanent, {SentinelKey(kFull)}));
  EXPECT_THAT(DeleteBackups(ctx_, Target(kFull, true), permanent), HasCode(Code::kPreconditionFailed));

  ASSERT_OK_AND_ASSIGN(const DeleteReport report, DeleteBackups(ctx_, Target(kFull, true), storage_));
  EXPECT_GT(report.deleted, 0u);
  EXPECT_EQ(Count(), 0u);
}

TEST_F(DeleteTest, KeepsTheLeftoverThatADeltaNeeds) {
  SyntheticBackup(kFull).Store(ctx_, storage_);
  SyntheticBackup child(kChild);
  child.sentinel.delta.emplace();
  child.sentinel.delta->from = kFull;
  child.Store(ctx_, storage_);
  ASSERT_OK(DeleteAll(ctx_, storage_, {SentinelKey(kFull)}));
  EXPECT_THAT(DeleteBackups(ctx_, Target(kFull, true), storage_), MessageHas(kChild));
}

// Its writer was only slow.
TEST_F(DeleteTest, NothingIsDeletedOfABackupThatIsFinishedMeanwhile) {
  class Finisher final : public StorageWrapper {
   public:
    using StorageWrapper::StorageWrapper;
    Result<ListPage> List(const Context& ctx, const ListOptions& options) override {
      Result<ListPage> page = inner().List(ctx, options);
      if (options.prefix == BackupFolder(kFull)) WALRIG_TRY(WriteObject(ctx, inner(), SentinelKey(kFull), "{}"));
      return page;
    }
  };
  SyntheticBackup(kFull).Store(ctx_, storage_);
  ASSERT_OK(DeleteAll(ctx_, storage_, {SentinelKey(kFull)}));
  const size_t before = Count();
  Finisher finisher(storage_);
  EXPECT_THAT(DeleteBackups(ctx_, Target(kFull, true), finisher), HasCode(Code::kConflict));
  EXPECT_EQ(Count(), before + 1);
}

// After every failure the target either has its sentinel and is whole, or is not listed; a second run ends the work.
TEST_F(DeleteTest, LeavesNoBackupThatLooksWholeWhenAnyCallFails) {
  for (uint64_t good = 0;; ++good) {
    SCOPED_TRACE(good);
    MemoryStorage storage;
    SyntheticBackup(kFull).Store(ctx_, storage);
    ASSERT_OK_AND_ASSIGN(auto all, ListAll(ctx_, storage, ""));
    test::FailingStorage failing(storage, good);
    auto report = DeleteBackups(ctx_, Target(kFull, true), failing);
    if (report.ok()) {
      EXPECT_GT(good, 3u);
      EXPECT_TRUE(ListAll(ctx_, storage, "")->empty());
      break;
    }
    ASSERT_OK_AND_ASSIGN(auto left, ListBackups(ctx_, storage, {}));
    if (!left.empty()) {
      EXPECT_EQ(ListAll(ctx_, storage, "")->size(), all.size());
    }
    ASSERT_OK(DeleteBackups(ctx_, Target(kFull, true), storage).status());
    EXPECT_TRUE(ListAll(ctx_, storage, "")->empty());
  }
}

}  // namespace
}  // namespace walrig
