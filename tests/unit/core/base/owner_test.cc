#include "core/base/owner.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

class OwnerTest : public ::testing::Test {
 protected:
  struct stat Look(const std::string& name) {
    struct stat found = {};
    EXPECT_EQ(::stat(dir_.File(name).c_str(), &found), 0) << name;
    return found;
  }
  test::TempDir dir_;
};

TEST_F(OwnerTest, MakesWhatIsMissingAndTakesWhatIsThere) {
  ASSERT_OK(MakeFolders(dir_.File("a/b//c/")));
  ASSERT_OK(MakeFolders(dir_.File("a/b/c")));
  EXPECT_TRUE(dir_.Exists("a/b/c"));
  dir_.Write("file", "");
  EXPECT_THAT(MakeFolders(dir_.File("file/below")), test::HasCode(Code::kInvalidArgument));
}

TEST_F(OwnerTest, NewFoldersOfRootBelongToTheOwnerOfTheOneAbove) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give folders away";
  ASSERT_EQ(::chown(dir_.path().c_str(), 1234, 2345), 0);
  ASSERT_OK(MakeFolders(dir_.File("a/b")));
  for (const char* name : {"a", "a/b"}) {
    EXPECT_EQ(Look(name).st_uid, 1234u) << name;
    EXPECT_EQ(Look(name).st_gid, 2345u) << name;
    EXPECT_EQ(Look(name).st_mode & 0020, 0u) << name;
  }
}

TEST_F(OwnerTest, FoldersThatSeveralThreadsMakeAtOnceAllBelongToTheOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give folders away";
  ASSERT_EQ(::chown(dir_.path().c_str(), 1234, 1234), 0);
  for (int round = 0; round < 50; ++round) {
    const std::string top = std::to_string(round);
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i) threads.emplace_back([&] { EXPECT_OK(MakeFolders(dir_.File(top + "/a/b"))); });
    }
    for (const char* name : {"", "/a", "/a/b"}) EXPECT_EQ(Look(top + name).st_uid, 1234u) << top << name;
  }
  EXPECT_EQ(dir_.Names().size(), 50u);
}

// A folder of root's that a group writes to: its members must be able to write to what root makes in it, too.
TEST_F(OwnerTest, AGroupKeepsItsRightsInNewFolders) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give folders away";
  ASSERT_EQ(::chown(dir_.path().c_str(), 0, 2345), 0);
  ASSERT_EQ(::chmod(dir_.path().c_str(), 02770), 0);
  ASSERT_OK(MakeFolders(dir_.File("a/b")));
  EXPECT_EQ(Look("a/b").st_gid, 2345u);
  EXPECT_EQ(Look("a/b").st_mode & 02070, 02070u);
}

}  // namespace
}  // namespace walrig
