#include "core/postgres/data_dir.h"

#include <gtest/gtest.h>

namespace walrig {
namespace {

TEST(DataDirTest, TellsTheServersDataFromWhatItBuildsAnew) {
  EXPECT_EQ(PartOfDataDir("base/5/1259"), DataDirPart::kData);
  EXPECT_EQ(PartOfDataDir("pg_xact"), DataDirPart::kData);
  EXPECT_EQ(PartOfDataDir("pg_wal/archive_status"), DataDirPart::kRebuilt);
  EXPECT_EQ(PartOfDataDir("postgresql.conf"), DataDirPart::kOther);
  EXPECT_EQ(PartOfDataDir("pg_hba.conf"), DataDirPart::kOther);
  EXPECT_EQ(PartOfDataDir("base.old/5"), DataDirPart::kOther);
  EXPECT_EQ(PartOfDataDir(""), DataDirPart::kOther);
}

TEST(DataDirTest, ALinkInPlaceOfDataHidesItButATablespaces) {
  EXPECT_TRUE(LinkHidesData("base"));
  EXPECT_TRUE(LinkHidesData("base/5"));
  EXPECT_TRUE(LinkHidesData("global/pg_control"));
  EXPECT_TRUE(LinkHidesData("pg_tblspc"));
  EXPECT_TRUE(LinkHidesData("pg_tblspc/16385/PG_15_202209061"));
  EXPECT_FALSE(LinkHidesData("pg_tblspc/16385"));
  EXPECT_FALSE(LinkHidesData("pg_stat"));
  EXPECT_FALSE(LinkHidesData("server.key"));
}

TEST(DataDirTest, RequiredDirectoriesAreThoseWhoseContentIsLeftOut) {
  for (const std::string_view name : RequiredEmptyDirectories()) EXPECT_TRUE(IsExcludedName(name)) << name;
}

}  // namespace
}  // namespace walrig
