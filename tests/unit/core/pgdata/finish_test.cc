#include "core/pgdata/finish.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

TEST(FinishTest, SyncsEveryFileAndDirectoryAndFollowsNoLink) {
  test::TempDir dir;
  test::TestContext ctx;
  const std::string data = dir.Mkdir("data");
  for (int i = 0; i < 200; ++i) dir.Write("data/base/5/" + std::to_string(i), "x");
  dir.Write("data/PG_VERSION", "15");
  dir.Write("elsewhere/file", "x");
  ASSERT_EQ(symlink(dir.File("elsewhere").c_str(), (data + "/link").c_str()), 0);
  ASSERT_OK_AND_ASSIGN(SyncReport report, SyncTrees(ctx, {data}, 3));
  EXPECT_EQ(report.files, 201u);
  EXPECT_EQ(report.directories, 3u);
}

TEST(FinishTest, SyncsWhatItsOwnerMayNotReadAndLeavesItsMode) {
  test::TempDir dir;
  test::TestContext ctx;
  const std::string file = dir.Write("data/secret", "x");
  ASSERT_EQ(chmod(file.c_str(), 0), 0);
  ASSERT_OK_AND_ASSIGN(SyncReport report, SyncTrees(ctx, {dir.File("data")}, 1));
  EXPECT_EQ(report.files, 1u);
  struct stat info{};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777u, 0u);
}

TEST(FinishTest, AnswersAMissingRoot) {
  test::TempDir dir;
  test::TestContext ctx;
  EXPECT_THAT(SyncTrees(ctx, {dir.File("nowhere")}, 2), test::HasCode(Code::kNotFound));
}

TEST(FinishTest, StopsWhenAskedTo) {
  test::TempDir dir;
  test::TestContext ctx;
  dir.Write("data/file", "x");
  ctx.stop().RequestStop();
  EXPECT_THAT(SyncTrees(ctx, {dir.File("data")}, 2), test::HasCode(Code::kCancelled));
}

TEST(FinishTest, GivesTheControlFileItsNameLast) {
  test::TempDir dir;
  dir.Write("data/global/pg_control.walrig-restore", "control");
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<TreeWriter> tree, TreeWriter::Open(dir.File("data")));
  ASSERT_OK(PublishControlFile(*tree, true));
  EXPECT_EQ(dir.Read("data/global/pg_control"), "control");
  EXPECT_FALSE(dir.Exists("data/global/pg_control.walrig-restore"));
}

}  // namespace
}  // namespace walrig
