#include "core/backup/list.h"

#include <gtest/gtest.h>

#include "core/backup/show.h"
#include "core/layout/paths.h"
#include "core/storage/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_backup.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::SyntheticBackup;

class BackupListTest : public ::testing::Test {
 protected:
  void SetUp() override { backup_.Store(ctx_, storage_); }
  void Put(const std::string& key, const std::string& text) { ASSERT_OK(WriteObject(ctx_, storage_, key, text)); }

  test::TestContext ctx_;
  MemoryStorage storage_;
  SyntheticBackup backup_;
};

TEST_F(BackupListTest, PrintsWalGsColumns) {
  ASSERT_OK_AND_ASSIGN(BackupListReport report, BackupList(ctx_, {}, storage_));
  const auto table = BackupListTable(report, false, false);
  ASSERT_EQ(table.size(), 2u);
  EXPECT_EQ(table[0], (std::vector<std::string>{"backup_name", "modified", "wal_file_name", "storage_name"}));
  EXPECT_EQ(table[1], (std::vector<std::string>{backup_.name, "2026-09-21T14:13:20Z", "000000010000000000000020", "default"}));
}

TEST_F(BackupListTest, PrintsPrettyTitlesAndTimes) {
  ASSERT_OK_AND_ASSIGN(BackupListReport report, BackupList(ctx_, {.detail = true}, storage_));
  const auto table = BackupListTable(report, true, true);
  EXPECT_EQ(table[0][0], "Backup name");
  EXPECT_EQ(table[0].size(), 12u);
  EXPECT_EQ(table[1][1], "Monday, 21-Sep-26 14:13:20 UTC");
  EXPECT_EQ(table[1][9], "0/2000028");
  EXPECT_EQ(table[1][11], "false");
}

TEST_F(BackupListTest, GivesAllKeysOfTheMetadataAsJson) {
  ASSERT_OK_AND_ASSIGN(BackupListReport report, BackupList(ctx_, {.detail = true}, storage_));
  const Json json = BackupListRowJson(report.rows.at(0));
  EXPECT_EQ(json.at("backup_name"), backup_.name);
  EXPECT_EQ(json.at("start_lsn"), 0x2000028);
  EXPECT_EQ(json.at("is_permanent"), false);
}

TEST_F(BackupListTest, ListsABackupWithDamageAndNamesIt) {
  Put(SentinelKey(backup_.name), "{");
  ASSERT_OK_AND_ASSIGN(BackupListReport report, BackupList(ctx_, {}, storage_));
  ASSERT_EQ(report.rows.size(), 1u);
  EXPECT_NE(report.rows[0].problem.find(SentinelKey(backup_.name)), std::string::npos);
}

TEST_F(BackupListTest, KeepsTheStoragesOrderAndSaysWhereItMisleads) {
  SyntheticBackup older("base_000000010000000000000010");
  older.sentinel.finish_time_ns -= 1'000'000'000'000;
  ctx_.clock().Advance(3'600'000'000'000);
  older.Store(ctx_, storage_);
  ASSERT_OK_AND_ASSIGN(BackupListReport report, BackupList(ctx_, {}, storage_));
  ASSERT_EQ(report.rows.size(), 2u);
  EXPECT_EQ(report.rows[1].backup_name, older.name);
  EXPECT_NE(report.order_warning.find("LATEST is " + backup_.name), std::string::npos) << report.order_warning;
}

TEST_F(BackupListTest, SaysNothingOfAnOrderThatIsRight) {
  SyntheticBackup newer("base_000000010000000000000010");
  newer.sentinel.finish_time_ns += 1'000'000'000'000;
  ctx_.clock().Advance(1'000'000'000'000);
  newer.Store(ctx_, storage_);
  ASSERT_OK_AND_ASSIGN(BackupListReport report, BackupList(ctx_, {}, storage_));
  EXPECT_EQ(report.order_warning, "");
}

TEST_F(BackupListTest, ShowsATarThatWalrigJsonDoesNotList) {
  Put(backup_.TarKeyOf("part_777.tar"), "x");
  BackupShowOptions options;
  options.selector.name = backup_.name;
  ASSERT_OK_AND_ASSIGN(BackupShowReport report, BackupShow(ctx_, options, storage_));
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0], backup_.TarKeyOf("part_777.tar") + " is not listed in walrig.json");
  EXPECT_EQ(BackupShowJson(report).at("tars").size(), 4u);
}

TEST_F(BackupListTest, GoesOnWithoutMetadata) {
  ASSERT_OK(DeleteAll(ctx_, storage_, {MetadataKey(backup_.name)}));
  ASSERT_OK_AND_ASSIGN(BackupListReport report, BackupList(ctx_, {.detail = true}, storage_));
  EXPECT_NE(report.rows.at(0).problem.find("metadata.json is missing"), std::string::npos);
  EXPECT_EQ(BackupListTable(report, true, false)[1][4], "-");
}

TEST_F(BackupListTest, ShowsEverythingAboutOne) {
  BackupShowOptions options;
  options.selector.name = "LATEST";
  ASSERT_OK_AND_ASSIGN(BackupShowReport report, BackupShow(ctx_, options, storage_));
  EXPECT_EQ(report.chain, std::vector<std::string>{backup_.name});
  EXPECT_TRUE(report.problems.empty());
  EXPECT_EQ(BackupShowJson(report).at("tars").size(), 4u);
  EXPECT_EQ(BackupShowLines(report)[0].second, backup_.name);
}

TEST_F(BackupListTest, ShowsWhatIsWrong) {
  ASSERT_OK(DeleteAll(ctx_, storage_, {backup_.TarKeyOf("pg_control.tar"), FilesMetadataKey(backup_.name)}));
  BackupShowOptions options;
  options.selector.name = backup_.name;
  ASSERT_OK_AND_ASSIGN(BackupShowReport report, BackupShow(ctx_, options, storage_));
  EXPECT_EQ(report.problems.size(), 3u);
}

}  // namespace
}  // namespace walrig
