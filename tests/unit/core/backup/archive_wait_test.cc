#include "core/backup/archive_wait.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using ::testing::ElementsAre;
using test::HasCode;
using test::TempDir;
using test::TestContext;

constexpr char kSegment[] = "000000010000000000000002";

ServerInfo Server(const std::string& archive_mode, bool in_recovery) {
  ServerInfo server;
  server.archive_mode = archive_mode;
  server.in_recovery = in_recovery;
  server.wal_segment_bytes = 16 << 20;
  return server;
}

TEST(ArchiveWaitTest, WantsTheLastSegmentAndTheHistoryFileOfAPrimary) {
  ASSERT_OK_AND_ASSIGN(auto names, WalToBeArchived(Server("on", false), 1, Lsn{0x2000028}, Lsn{0x3000000}));
  EXPECT_THAT(names, ElementsAre("000000010000000000000002", "000000010000000000000002.00000028.backup"));
}

TEST(ArchiveWaitTest, WantsNothingOfAServerThatDoesNotArchive) {
  for (const ServerInfo& server : {Server("off", false), Server("on", true), Server("", false)}) {
    ASSERT_OK_AND_ASSIGN(auto names, WalToBeArchived(server, 1, Lsn{0x2000028}, Lsn{0x2000100}));
    EXPECT_TRUE(names.empty());
  }
}

TEST(ArchiveWaitTest, WantsTheLastSegmentOfAStandbyThatAlwaysArchives) {
  ASSERT_OK_AND_ASSIGN(auto names, WalToBeArchived(Server("always", true), 1, Lsn{0x2000028}, Lsn{0x2000100}));
  EXPECT_THAT(names, ElementsAre(kSegment));
}

class WaitTest : public ::testing::Test {
 protected:
  Status Wait(uint64_t timeout_ms = 1000) { return WaitForArchive(test_, data_.path(), {kSegment}, timeout_ms); }
  void Mark(const std::string& suffix) { data_.Write("pg_wal/archive_status/" + std::string(kSegment) + suffix, ""); }
  TestContext test_;
  TempDir data_;
};

TEST_F(WaitTest, IsOverWhenTheSegmentIsDone) {
  data_.Write("pg_wal/" + std::string(kSegment), "wal");
  Mark(".done");
  EXPECT_OK(Wait());
  EXPECT_EQ(test_.clock().sleeps(), 0u);
}

TEST_F(WaitTest, IsOverWhenTheSegmentWasRecycled) { EXPECT_OK(Wait()); }

TEST_F(WaitTest, TimesOutWhileTheSegmentIsReadyOrNotYetMarked) {
  data_.Write("pg_wal/" + std::string(kSegment), "wal");
  EXPECT_THAT(Wait(), HasCode(Code::kTimeout));
  Mark(".ready");
  EXPECT_THAT(Wait(), HasCode(Code::kTimeout));
}

TEST_F(WaitTest, WarnsEveryMinuteWhenItHasNoEnd) {
  Mark(".ready");
  EXPECT_THAT(Wait(150'000), HasCode(Code::kTimeout));
  EXPECT_TRUE(test_.log().Has("still waiting for 000000010000000000000002", LogLevel::kWarning));
}

TEST_F(WaitTest, EndsWhenStopped) {
  Mark(".ready");
  test_.stop().RequestStop();
  EXPECT_THAT(Wait(), HasCode(Code::kCancelled));
}

}  // namespace
}  // namespace walrig
