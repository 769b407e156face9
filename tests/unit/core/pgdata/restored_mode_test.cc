#include "core/pgdata/restored_mode.h"

#include <gtest/gtest.h>

namespace walrig {
namespace {

// miscinit.c, checkDataDir: group write or anything for others is FATAL.
constexpr uint32_t kRefusedByPostgres = 0027;

TEST(RestoredModeTest, RootHasAlwaysAModeThatPostgresStartsWith) {
  for (uint32_t mode = 0; mode <= 07777; ++mode) {
    const uint32_t restored = RestoredRootMode(mode);
    ASSERT_EQ(restored & kRefusedByPostgres, 0u) << std::oct << mode;
    ASSERT_EQ(restored & 0700u, 0700u) << std::oct << mode;
    ASSERT_EQ(RestoredRootMode(restored), restored);
  }
  EXPECT_EQ(RestoredRootMode(0750), 0750u);
  EXPECT_EQ(RestoredRootMode(0500), 0700u);
  EXPECT_EQ(RestoredRootMode(0777), 0750u);
  EXPECT_EQ(RestoredRootMode(02770), 02750u);
}

TEST(RestoredModeTest, DirectoriesAreOpenToTheirOwner) {
  EXPECT_EQ(RestoredDirectoryMode(0), 0700u);
  EXPECT_EQ(RestoredDirectoryMode(0555), 0755u);
  EXPECT_EQ(RestoredDirectoryMode(07770), 02770u);
}

TEST(RestoredModeTest, FilesOfTheServerCanBeWrittenAndOthersRead) {
  EXPECT_EQ(RestoredFileMode("base/5/1259", 0400, false), 0600u);
  EXPECT_EQ(RestoredFileMode("backup_label", 0440, false), 0640u);
  EXPECT_EQ(RestoredFileMode("server.key", 0400, false), 0400u);
  EXPECT_EQ(RestoredFileMode("postgresql.conf", 0, false), 0400u);
  EXPECT_EQ(RestoredFileMode("script.sh", 06755, false), 0755u);
}

// be-secure-common.c: a key of the server's own user may have 0600, one of root's 0640.
TEST(RestoredModeTest, AKeyOfRootsIsStillAKeyWhenItIsTheServers) {
  EXPECT_EQ(RestoredFileMode("server.key", 0640, true), 0600u);
  EXPECT_EQ(RestoredFileMode("server.key", 0040, true), 0400u);
  EXPECT_EQ(RestoredFileMode("server.key", 0640, false), 0640u);
  EXPECT_EQ(RestoredFileMode("postgresql.conf", 0644, true), 0644u);
  EXPECT_EQ(RestoredFileMode("postgresql.conf", 0004, true), 0404u);
}

TEST(RestoredModeTest, WhatWalrigMakesFollowsTheRoot) {
  EXPECT_EQ(MadeFileMode(0700), 0600u);
  EXPECT_EQ(MadeFileMode(02750), 0640u);
  EXPECT_EQ(MadeFileMode(0710), 0600u);
  EXPECT_EQ(MadeDirectoryMode(0700), 0700u);
  EXPECT_EQ(MadeDirectoryMode(0750), 0750u);
}

}  // namespace
}  // namespace walrig
