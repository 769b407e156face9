#include "core/backup/restore_owner.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/status_matchers.h"
#include "tests/support/unprivileged.h"
#include "tests/unit/core/backup/fetch_fixture.h"

namespace walrig {
namespace {

using test::HasCode;
using test::Member;
using test::MessageHas;

class RestoreOwnerTest : public test::FetchFixture {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root gives files to others";
  }
  void ExpectOwner(uid_t uid) {
    for (const char* name : {"out/data", "out/data/base", "out/data/global/pg_control", "out/data/pg_wal", "out/data/recovery.signal",
                             "out/data/postgresql.auto.conf", "out/data/backup_label"}) {
      struct stat info{};
      ASSERT_EQ(lstat(dir_.File(name).c_str(), &info), 0) << name;
      EXPECT_EQ(info.st_uid, uid) << name;
    }
  }
  void GiveAll(uint32_t uid) {
    for (auto* members : {&backup_.parts["part_001.tar"], &backup_.parts["part_002.tar"], &backup_.control}) {
      for (Member& member : *members) member.uid = uid;
    }
  }
};

TEST_F(RestoreOwnerTest, AsRootGivesAllToTheOwnerInTheBackup) {
  GiveAll(4321);
  options_.recovery.target_immediate = true;
  ASSERT_OK(StoreAndFetch().status());
  ExpectOwner(4321);
  struct stat info{};
  ASSERT_EQ(stat(dir_.File("out").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 4321u) << "made on the way: under a strict umask the server could not pass it";
}

TEST_F(RestoreOwnerTest, AsRootGivesAllToTheOwnerOfTheDirectoryThatIsThere) {
  GiveAll(4321);
  dir_.Mkdir("out/data");
  ASSERT_EQ(chown(dir_.File("out/data").c_str(), 5432, 5432), 0);
  options_.recovery.target_immediate = true;
  ASSERT_OK(StoreAndFetch().status());
  ExpectOwner(5432);
}

TEST_F(RestoreOwnerTest, AsRootGivesToTheOwnerAboveWhatTheBackupGivesToNobody) {
  GiveAll(0);
  dir_.Mkdir("out");
  ASSERT_EQ(chown(dir_.File("out").c_str(), 5432, 5432), 0);
  options_.recovery.target_immediate = true;
  ASSERT_OK(StoreAndFetch().status());
  ExpectOwner(5432);
}

TEST_F(RestoreOwnerTest, RefusesToMakeADirectoryOfRootsBeforeItWrites) {
  GiveAll(0);
  EXPECT_THAT(StoreAndFetch(), ::testing::AllOf(HasCode(Code::kInvalidArgument), MessageHas("nothing was written")));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(RestoreOwnerTest, KeepsTheGroupThatADirectoryWasGiven) {
  dir_.Mkdir("out/data");
  ASSERT_EQ(chown(dir_.File("out/data").c_str(), 5432, 6543), 0);
  ASSERT_EQ(chmod(dir_.File("out/data").c_str(), 02750), 0);
  ASSERT_OK(StoreAndFetch().status());
  struct stat info{};
  ASSERT_EQ(stat(dir_.File("out/data/base").c_str(), &info), 0);
  EXPECT_EQ(info.st_gid, 6543u);
  EXPECT_TRUE(info.st_mode & S_ISGID);
}

TEST_F(RestoreOwnerTest, FindsADirectoryThatTheOwnerMayNotPass) {
  dir_.Mkdir("closed/data");
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(dir_.File("closed").c_str(), 0700), 0);
  EXPECT_EQ(ClosedDirectoryAbove(dir_.File("closed/data"), {4321, 4321}), dir_.File("closed"));
  EXPECT_EQ(ClosedDirectoryAbove(dir_.File("closed/data"), {0, 0}), "");
  ASSERT_EQ(chown(dir_.File("closed").c_str(), 0, 4321), 0);
  ASSERT_EQ(chmod(dir_.File("closed").c_str(), 0710), 0);
  EXPECT_EQ(ClosedDirectoryAbove(dir_.File("closed/data"), {4321, 4321}), "");
}

TEST_F(RestoreOwnerTest, RefusesAnotherUsersDirectoryBeforeItWrites) {
  dir_.Mkdir("out/data");
  ASSERT_EQ(chown(dir_.File("out/data").c_str(), 5432, 5432), 0);
  ASSERT_EQ(chmod(dir_.File("out/data").c_str(), 0777), 0);
  test::Unprivileged nobody(dir_.path());
  EXPECT_THAT(StoreAndFetch(), ::testing::AllOf(HasCode(Code::kPermission), MessageHas("belongs to user 5432")));
  EXPECT_TRUE(std::filesystem::is_empty(dir_.File("out/data")));
}

}  // namespace
}  // namespace walrig
