#include "core/pgdata/placement.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig::test {
namespace {

class PlacementTest : public ::testing::Test {
 protected:
  PlacementTest() {
    data_.Mkdir("pg_tblspc");
    data_.Mkdir("pg_wal");
  }
  void Link(const std::string& target, const std::string& path) { ASSERT_EQ(symlink(target.c_str(), path.c_str()), 0); }
  Status Check(const std::string& directory) { return CheckOutsideCluster(data_.path(), directory); }

  TempDir data_, outside_;
};

TEST_F(PlacementTest, TakesADirectoryBesideTheCluster) {
  EXPECT_OK(Check(outside_.path()));
  EXPECT_OK(Check(std::filesystem::path(data_.path()).parent_path())) << "the other way round nothing grows";
  EXPECT_OK(Check(outside_.File("missing")));
}

TEST_F(PlacementTest, RefusesTheDataDirectoryAndWhatLiesInIt) {
  EXPECT_THAT(Check(data_.path()), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(Check(data_.Mkdir("backups/main")), MessageHas(data_.path()));
  EXPECT_THAT(Check(data_.Mkdir("pg_wal/backups")), HasCode(Code::kInvalidArgument));
}

TEST_F(PlacementTest, SeesThroughSymbolicLinksOnBothSides) {
  data_.Mkdir("backups");
  Link(data_.File("backups"), outside_.File("link"));
  EXPECT_THAT(Check(outside_.File("link")), HasCode(Code::kInvalidArgument));
  TempDir other;
  Link(data_.path(), other.File("data"));
  EXPECT_THAT(CheckOutsideCluster(other.File("data"), data_.File("backups")), HasCode(Code::kInvalidArgument));
}

TEST_F(PlacementTest, RefusesWhatLiesInATablespaceOrInPgWalBehindALink) {
  TempDir space, wal;
  Link(space.path(), data_.File("pg_tblspc/16387"));
  EXPECT_THAT(Check(space.Mkdir("backups")), MessageHas("pg_tblspc/16387"));
  rmdir(data_.File("pg_wal").c_str());
  Link(wal.path(), data_.File("pg_wal"));
  EXPECT_THAT(Check(wal.Mkdir("backups")), MessageHas("pg_wal"));
}

TEST_F(PlacementTest, SeesThroughABindMountOfATablespace) {
  TempDir space;
  const std::string backups = space.Mkdir("backups"), mounted = outside_.Mkdir("mounted");
  if (mount(space.path().c_str(), mounted.c_str(), nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << "SKIPPED: bind mounts cannot be made here";
  Link(mounted, data_.File("pg_tblspc/16387"));
  const Status status = Check(backups);
  umount(mounted.c_str());
  EXPECT_THAT(status, HasCode(Code::kInvalidArgument));
}

}  // namespace
}  // namespace walrig::test
