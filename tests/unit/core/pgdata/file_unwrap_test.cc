#include "core/pgdata/file_unwrap.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOk;
using test::IsOkAndHolds;
using test::MessageHas;

uint32_t ModeOf(const std::string& path) {
  struct stat info{};
  EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777u;
}

TEST(NormalizeMemberNameTest, TakesTheFormsThatBackupsUse) {
  EXPECT_THAT(NormalizeMemberName("/base/5/1259"), IsOkAndHolds(std::string("base/5/1259")));
  EXPECT_THAT(NormalizeMemberName("base/5/1259"), IsOkAndHolds(std::string("base/5/1259")));
  EXPECT_THAT(NormalizeMemberName("./base/"), IsOkAndHolds(std::string("base")));
  EXPECT_THAT(NormalizeMemberName("/"), IsOkAndHolds(std::string()));
  EXPECT_THAT(NormalizeMemberName("."), IsOkAndHolds(std::string()));
  EXPECT_THAT(NormalizeMemberName("//etc/passwd"), IsOkAndHolds(std::string("etc/passwd")));
  EXPECT_THAT(NormalizeMemberName("/a..b/..c"), IsOkAndHolds(std::string("a..b/..c")));
}

TEST(NormalizeMemberNameTest, RefusesWhatNoDataDirectoryHolds) {
  for (std::string name : {std::string(), std::string("../x"), std::string("/base/../../x"), std::string("a/.."),
                           std::string(".."), std::string("a//b"), std::string("a/./b"), std::string("a//"),
                           std::string("a\0b", 3), std::string(300, 'n'), std::string(2500, 'x') + "/" + std::string(2500, 'y')}) {
    EXPECT_THAT(NormalizeMemberName(name), HasCode(Code::kCorruption)) << name.substr(0, 40);
  }
}

class TreeWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    data_ = dir_.Mkdir("data");
    ASSERT_OK_AND_ASSIGN(tree_, TreeWriter::Open(data_));
  }

  test::TempDir dir_;
  std::string data_;
  std::unique_ptr<TreeWriter> tree_;
};

TEST_F(TreeWriterTest, WritesFilesAndMakesParentsThatHaveNoMember) {
  ASSERT_OK(tree_->WriteFile("base/5/1259", 0600, "pages"));
  EXPECT_EQ(dir_.Read("data/base/5/1259"), "pages");
  EXPECT_EQ(ModeOf(data_ + "/base/5"), 0700u);
}

TEST_F(TreeWriterTest, GivesModesWithoutSetIdAndStickyBits) {
  ASSERT_OK(tree_->WriteFile("suid", 06755, "x"));
  ASSERT_OK(tree_->WriteFile("read-only", 0444, "x"));
  ASSERT_OK(tree_->MakeDirectory("sticky", 01777));
  EXPECT_EQ(ModeOf(data_ + "/suid"), 0755u);
  EXPECT_EQ(ModeOf(data_ + "/read-only"), 0444u);
  EXPECT_EQ(ModeOf(data_ + "/sticky"), 0777u);
}

TEST_F(TreeWriterTest, KeepsADirectoryOpenToItsOwner) {
  ASSERT_OK(tree_->MakeDirectory("locked", 0500));
  ASSERT_OK(tree_->WriteFile("locked/file", 0600, "x"));
  EXPECT_EQ(ModeOf(data_ + "/locked"), 0700u);
}

TEST_F(TreeWriterTest, KeepsTheGroupThatADirectoryGivesToWhatIsInIt) {
  ASSERT_OK(tree_->MakeDirectory("given", 02750));
  EXPECT_EQ(ModeOf(data_ + "/given"), 02750u);
  ASSERT_OK(tree_->MakeDirectory("given/below", 0750));
  ASSERT_OK(tree_->MakeDirectory("given/below", 0700));
  EXPECT_EQ(ModeOf(data_ + "/given/below"), 02700u);
}

TEST_F(TreeWriterTest, RefusesAFileThatOccursTwice) {
  ASSERT_OK(tree_->WriteFile("PG_VERSION", 0600, "15\n"));
  EXPECT_THAT(tree_->WriteFile("PG_VERSION", 0600, "99\n"), HasCode(Code::kCorruption));
  EXPECT_EQ(dir_.Read("data/PG_VERSION"), "15\n");
}

TEST_F(TreeWriterTest, TakesADirectoryAnyNumberOfTimes) {
  ASSERT_OK(tree_->WriteFile("base/5/1", 0600, "x"));
  ASSERT_OK(tree_->MakeDirectory("base/5", 0750));
  ASSERT_OK(tree_->MakeDirectory("base/5", 0700));
  EXPECT_EQ(ModeOf(data_ + "/base/5"), 0700u);
}

TEST_F(TreeWriterTest, RefusesADirectoryInThePlaceOfAFileAndTheOtherWayRound) {
  ASSERT_OK(tree_->WriteFile("a", 0600, "x"));
  EXPECT_THAT(tree_->MakeDirectory("a", 0700), HasCode(Code::kCorruption));
  EXPECT_THAT(tree_->WriteFile("a/b", 0600, "x"), HasCode(Code::kCorruption));
  ASSERT_OK(tree_->MakeDirectory("d", 0700));
  EXPECT_THAT(tree_->WriteFile("d", 0600, "x"), HasCode(Code::kCorruption));
}

TEST_F(TreeWriterTest, NeverWritesThroughALink) {
  const std::string outside = dir_.Mkdir("outside");
  ASSERT_OK(tree_->MakeSymlink("up", ".."));
  ASSERT_OK(tree_->MakeSymlink("away", outside));
  ASSERT_OK(tree_->MakeSymlink("file", outside + "/new"));
  EXPECT_THAT(tree_->WriteFile("up/escaped", 0600, "x"), HasCode(Code::kCorruption));
  EXPECT_THAT(tree_->WriteFile("away/escaped", 0600, "x"), HasCode(Code::kCorruption));
  EXPECT_THAT(tree_->MakeDirectory("away/sub/sub", 0700), HasCode(Code::kCorruption));
  EXPECT_THAT(tree_->MakeSymlink("away/link", "x"), HasCode(Code::kCorruption));
  EXPECT_THAT(tree_->WriteFile("file", 0600, "x"), HasCode(Code::kCorruption));
  EXPECT_THAT(tree_->MakeDirectory("away", 0777), HasCode(Code::kCorruption));
  EXPECT_TRUE(std::filesystem::is_empty(outside));
  EXPECT_EQ(dir_.Names(), (std::set<std::string>{"data", "outside"}));
}

TEST_F(TreeWriterTest, KeepsALinksTargetAsItWasStored) {
  ASSERT_OK(tree_->MakeSymlink("link", "../../etc/passwd"));
  EXPECT_EQ(std::filesystem::read_symlink(data_ + "/link").string(), "../../etc/passwd");
}

TEST_F(TreeWriterTest, SendsMembersOfATablespaceToItsLocation) {
  const std::string location = dir_.Mkdir("ts one");
  ASSERT_OK(tree_->AddTablespace("16385", location));
  ASSERT_OK(tree_->WriteFile("pg_tblspc/16385/PG_15_202209061/5/1", 0600, "x"));
  ASSERT_OK(tree_->WriteFile("pg_tblspc/163850", 0600, "not in it"));
  EXPECT_EQ(dir_.Read("ts one/PG_15_202209061/5/1"), "x");
  EXPECT_EQ(std::filesystem::read_symlink(data_ + "/pg_tblspc/16385").string(), location);
  EXPECT_EQ(tree_->RootPaths(), (std::vector<std::string>{data_, location}));
}

class FinishModesTest : public TreeWriterTest {
 protected:
  void Fill() {
    location_ = dir_.Mkdir("ts");
    ASSERT_OK(tree_->AddTablespace("16385", location_));
    ASSERT_OK(tree_->WriteFile("base/5/1", 0640, "x"));
    ASSERT_OK(tree_->MakeDirectory("base", 0711));
    ASSERT_OK(tree_->WriteFile("pg_tblspc/16385/PG_15/1", 0640, "x"));
    ASSERT_OK(tree_->WriteOwnFile("recovery.signal", ""));
    ASSERT_OK(tree_->EnsureDirectory("pg_wal"));
    ASSERT_OK(tree_->EnsureDirectory("pg_wal"));
    ASSERT_OK(tree_->MakeDirectory("global", 0750));
  }
  void ExpectMade(uint32_t directories, uint32_t files) {
    for (const std::string& name : {data_ + "/base/5", data_ + "/pg_tblspc", location_, location_ + "/PG_15", data_ + "/pg_wal"}) {
      EXPECT_EQ(ModeOf(name), directories) << name;
    }
    EXPECT_EQ(ModeOf(data_ + "/recovery.signal"), files);
    EXPECT_EQ(ModeOf(data_ + "/base"), 0711u) << "a member said it";
  }
  std::string location_;
};

TEST_F(FinishModesTest, GiveTheGroupAccessEverywhere) {
  Fill();
  ASSERT_OK(tree_->MakeDirectory("", 0750));
  ASSERT_OK(tree_->FinishModes());
  EXPECT_EQ(ModeOf(data_), 0750u);
  ExpectMade(0750, 0640);
}

TEST_F(FinishModesTest, GiveItNowhereWhereTheRootDoesNot) {
  Fill();
  ASSERT_OK(tree_->MakeDirectory("", 0700));
  ASSERT_OK(tree_->FinishModes());
  ExpectMade(0700, 0600);
}

TEST_F(FinishModesTest, TakeTheRootsModeFromGlobalWhenNoMemberSaysIt) {
  Fill();
  ASSERT_OK(tree_->FinishModes());
  EXPECT_EQ(ModeOf(data_), 0750u);
  ExpectMade(0750, 0640);
}

TEST(TreeWriterOwnerTest, GivesEverythingThatItMakes) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  test::TempDir dir;
  dir.Mkdir("data");
  dir.Mkdir("ts");
  ASSERT_OK_AND_ASSIGN(auto tree, TreeWriter::Open(dir.File("data"), TreeOwner{4321, 4322}));
  ASSERT_OK(tree->AddTablespace("16385", dir.File("ts")));
  ASSERT_OK(tree->WriteFile("base/5/1", 0640, "x"));
  ASSERT_OK(tree->MakeDirectory("global", 0700));
  ASSERT_OK(tree->WriteFile("pg_tblspc/16385/PG_15/1", 0640, "x"));
  ASSERT_OK(tree->MakeSymlink("link", "/elsewhere"));
  ASSERT_OK(tree->MakeDirectory("", 0700));
  ASSERT_OK(tree->FinishModes());
  size_t seen = 0;
  for (const char* top : {"data", "ts"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.File(top))) {
      struct stat info{};
      ASSERT_EQ(lstat(entry.path().c_str(), &info), 0);
      EXPECT_EQ(info.st_uid, 4321u) << entry.path();
      EXPECT_EQ(info.st_gid, 4322u) << entry.path();
      ++seen;
    }
  }
  EXPECT_EQ(seen, 9u);
}

}  // namespace
}  // namespace walrig
