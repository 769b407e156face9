#include "core/backup/archiver_check.h"

#include <gtest/gtest.h>

#include "tests/support/fake_backup_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::FakeBackupServer;
using test::HasCode;
using test::MessageHas;
using test::TempDir;
using test::TestContext;

constexpr char kWaiting[] = "000000010000000000000002";

class ArchiverCheckTest : public ::testing::Test {
 protected:
  ArchiverCheckTest() : server_(data_) {
    check_.data_directory = data_.path();
    check_.patience_ms = ArchiverPatienceMs(16 << 20, 0);
    data_.Mkdir("pg_wal/archive_status");
    // What the server says changes with the tests' clock: `now` after `second`.
    server_.archiver = [this] { return test_.clock().elapsed_ns() >= second_ * 1'000'000'000 ? now_ : check_.before; };
  }
  void Ready(const std::string& name = kWaiting) { data_.Write("pg_wal/archive_status/" + name + ".ready", ""); }
  Result<std::string> Check() { return CheckArchiver(test_, server_, check_); }

  TestContext test_;
  TempDir data_;
  FakeBackupServer server_;
  ArchiverCheck check_;
  ArchiverStats now_;
  uint64_t second_ = 0;
};

TEST_F(ArchiverCheckTest, IsContentWhenNothingWaits) {
  ASSERT_OK_AND_ASSIGN(const std::string name, Check());
  EXPECT_EQ(name, "");
  EXPECT_EQ(test_.clock().sleeps(), 0u);
}

TEST_F(ArchiverCheckTest, WaitsForOneSuccessAndNamesIt) {
  Ready();
  second_ = 30;
  now_.archived_count = 1;
  now_.last_archived_wal = kWaiting;
  ASSERT_OK_AND_ASSIGN(const std::string name, Check());
  EXPECT_EQ(name, kWaiting);
}

TEST_F(ArchiverCheckTest, EndsSoonWithAnArchiverThatFailedBeforeAndFailsAgain) {
  Ready();
  check_.before.failed_count = 6, check_.before.failed_last = true;
  check_.before.last_failed_wal = kWaiting, check_.before.last_failed_time = "yesterday";
  now_ = check_.before, now_.failed_count = 9, second_ = 3;
  EXPECT_THAT(Check(), HasCode(Code::kPreconditionFailed));
  EXPECT_THAT(Check(), MessageHas("000000010000000000000002 waits, the last success was none yet, the last failure"));
  EXPECT_LT(test_.clock().elapsed_ns(), 10'000'000'000u);
}

TEST_F(ArchiverCheckTest, GivesAFirstFailureAnotherMinute) {
  Ready();
  now_.failed_count = 3, now_.failed_last = true;
  server_.archiver = [this] {
    ArchiverStats stats = now_;
    stats.archived_count = test_.clock().elapsed_ns() >= 61'000'000'000;
    return stats;
  };
  EXPECT_OK(Check());
}

// 127: the command was not found. The archiver ends, is started anew, and no counter moves.
TEST_F(ArchiverCheckTest, SeesAnArchiverThatEndsByTheFileThatGoesOnWaiting) {
  Ready();
  Result<std::string> checked = Check();
  EXPECT_THAT(checked, HasCode(Code::kPreconditionFailed));
  EXPECT_NE(std::string(checked.status().hint()).find("126 and above"), std::string::npos);
  EXPECT_GE(test_.clock().elapsed_ns(), 65'000'000'000u);
  EXPECT_LT(test_.clock().elapsed_ns(), 70'000'000'000u);
}

TEST_F(ArchiverCheckTest, TakesBackgroundUploadsForProgress) {
  Ready();
  server_.archiver = [this] {
    if (test_.clock().elapsed_ns() > 1'000'000'000) {
      std::filesystem::remove(data_.File("pg_wal/archive_status/" + std::string(kWaiting) + ".ready"));
      Ready("000000010000000000000003");
    }
    return ArchiverStats();
  };
  EXPECT_OK(Check());
}

TEST_F(ArchiverCheckTest, IsAsPatientAsTheUserAndAsLargeSegmentsNeed) {
  EXPECT_EQ(ArchiverPatienceMs(16 << 20, 3000), 3000u);
  EXPECT_EQ(ArchiverPatienceMs(16 << 20, 0), 65'536u);
  EXPECT_GT(ArchiverPatienceMs(1 << 30, 0), 3'600'000u);
}

TEST_F(ArchiverCheckTest, EndsWhenStopped) {
  Ready();
  test_.stop().RequestStop();
  EXPECT_THAT(Check(), HasCode(Code::kCancelled));
}

TEST_F(ArchiverCheckTest, RefusesAPrimaryThatArchivesNothingUnlessItsWalIsElsewhere) {
  for (const auto& [mode, command] : {std::pair("off", "x"), std::pair("on", ""), std::pair("on", "(disabled)")}) {
    ServerInfo server = server_.info;
    server.archive_mode = mode, server.archive_command = command;
    EXPECT_THAT(CheckArchiveSettings(test_, server, true), HasCode(Code::kConfig)) << mode;
    EXPECT_OK(CheckArchiveSettings(test_, server, false));
    EXPECT_TRUE(test_.log().Has("this backup cannot be restored", LogLevel::kWarning));
    server.in_recovery = true;
    EXPECT_OK(CheckArchiveSettings(test_, server, true));
  }
  ServerInfo hidden = server_.info;
  hidden.archive_mode = hidden.archive_command = "";
  EXPECT_OK(CheckArchiveSettings(test_, hidden, true));
  hidden.archive_mode = "on", hidden.archive_library = "basic_archive";
  EXPECT_OK(CheckArchiveSettings(test_, hidden, true));
}

}  // namespace
}  // namespace walrig
