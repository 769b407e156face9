#include "core/postgres/relation_file.h"

#include <gmock/gmock.h>

#include "core/postgres/data_dir.h"

namespace walrig {
namespace {

TEST(RelationFileTest, ReadsEveryForm) {
  std::optional<RelationPath> path = ParseRelationPath("/base/5/16390.2");
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->tablespace, kDefaultTablespaceOid);
  EXPECT_EQ(path->database, 5u);
  EXPECT_EQ(path->relfilenode, 16390u);
  EXPECT_EQ(path->segment, 2u);
  path = ParseRelationPath("base/5/1259_fsm.1");
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->fork, RelationFork::kFreeSpaceMap);
  EXPECT_EQ(path->segment, 1u);
  path = ParseRelationPath("global/1262_vm");
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->tablespace, kGlobalTablespaceOid);
  EXPECT_EQ(path->database, 0u);
  path = ParseRelationPath("pg_tblspc/16385/PG_15_202209061/16384/16386_init");
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->tablespace, 16385u);
  EXPECT_EQ(path->database, 16384u);
  EXPECT_EQ(path->fork, RelationFork::kInit);
  path = ParseRelationPath("base/5/t3_16998_fsm");
  ASSERT_TRUE(path.has_value());
  EXPECT_TRUE(path->temporary);
  EXPECT_EQ(path->relfilenode, 16998u);
}

TEST(RelationFileTest, RefusesWhatIsNoRelation) {
  for (const char* path :
       {"", "/", "base", "base/5", "base/5/", "base/5/PG_VERSION", "base/5/pg_filenode.map", "base/5/pg_internal.init",
        "global/pg_control", "global/pg_filenode.map", "base/5/16390.", "base/5/16390.0", "base/5/16390.x", "base/5/016390",
        "base/5/16390_x", "base/5/16390/1", "base/x/16390", "pg_xact/0000", "pg_tblspc/16385/16386", "base/5/t_16390",
        "base/5/tx_16390", "pg_tblspc/16385/PG_15/5/16390/x", "base/5/99999999999", "basebackup/5/16390", "16999",
        "/var/base/5/1259", "base/5/-1", "base/5/+1", "base/5/0"}) {
    EXPECT_FALSE(ParseRelationPath(path).has_value()) << path;
  }
}

TEST(RelationFileTest, NumbersBlocksAcrossSegments) {
  EXPECT_EQ(FirstBlockOfSegment(0), 0u);
  EXPECT_EQ(FirstBlockOfSegment(2), 262144u);
  EXPECT_EQ(FirstBlockOfSegment(32767), 32767u * 131072u);
  EXPECT_FALSE(FirstBlockOfSegment(32768).has_value());
  EXPECT_FALSE(FirstBlockOfSegment(UINT32_MAX).has_value());
}

TEST(RelationFileTest, KnowsWhichFilesCarryChecksumsAndWhichAreIncremented) {
  EXPECT_TRUE(IsChecksummedFile("base/5/1259_vm"));
  EXPECT_TRUE(IsChecksummedFile("global/1262"));
  EXPECT_FALSE(IsChecksummedFile("global/pg_control"));
  EXPECT_FALSE(IsChecksummedFile("base/5/PG_VERSION"));
  EXPECT_TRUE(IsPagedFile("/base/5/1259"));
  EXPECT_FALSE(IsPagedFile("/base/5/1259_vm"));
  EXPECT_FALSE(IsPagedFile("/global/1262"));
  EXPECT_FALSE(IsPagedFile("/base/5/t3_16998"));
  EXPECT_FALSE(IsPagedFile("/extra/base/16999"));
}

TEST(DataDirTest, ExcludesByExactBaseName) {
  for (const char* name : {"log", "pg_wal", "postmaster.pid", "standby.signal", "pg_subtrans", "pgsql_tmp"}) {
    EXPECT_TRUE(IsExcludedName(name)) << name;
  }
  for (const char* name : {"recovery.signal", "backup_label", "pgsql_tmp3", "pg_internal.init", "Log", "", "pg_xact"}) {
    EXPECT_FALSE(IsExcludedName(name)) << name;
  }
  EXPECT_EQ(ExcludedNames().size(), 17u);
}

TEST(DataDirTest, KnowsTheControlFileByItsWholePath) {
  EXPECT_TRUE(IsControlFile("global/pg_control"));
  EXPECT_TRUE(IsControlFile("/global/pg_control"));
  EXPECT_FALSE(IsControlFile("base/pg_control"));
  EXPECT_FALSE(IsControlFile("//global/pg_control"));
}

}  // namespace
}  // namespace walrig
