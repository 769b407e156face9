#include "cli/commands/restore_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::IsOkAndHolds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class RestoreCommandTest : public ::testing::Test {
 protected:
  void Set(const char* key, const char* text, SettingOrigin origin = SettingOrigin::kEnvironment) {
    settings_.Put(key, {text, origin, "test"});
  }
  Result<std::string> Make() { return RestoreCommand("/usr/bin/walrig", settings_, &missing_); }

  Settings settings_;
  std::vector<std::string> missing_;
};

TEST_F(RestoreCommandTest, HoldsWhatTheServersEnvironmentLacks) {
  Set("WALG_FILE_PREFIX", "/backup");
  Set("WALRIG_PLUGIN_DIR", "/p", SettingOrigin::kFlag);
  EXPECT_THAT(Make(), IsOkAndHolds(
                          "/usr/bin/walrig --walg-file-prefix /backup --walrig-plugin-dir /p wal-fetch \"%f\" \"%p\""));
}

TEST_F(RestoreCommandTest, NamesTheFileInsteadOfItsContent) {
  settings_.set_config_path("/etc/walg.yaml");
  Set("WALG_FILE_PREFIX", "/backup", SettingOrigin::kFile);
  EXPECT_THAT(Make(), IsOkAndHolds("/usr/bin/walrig --config /etc/walg.yaml wal-fetch \"%f\" \"%p\""));
}

TEST_F(RestoreCommandTest, QuotesForTheShellAndDoublesPercentSigns) {
  Set("WALG_FILE_PREFIX", "/it's 100% mine");
  EXPECT_THAT(Make(),
              IsOkAndHolds("/usr/bin/walrig --walg-file-prefix '/it'\\''s 100%% mine' wal-fetch \"%f\" \"%p\""));
}

TEST_F(RestoreCommandTest, NeverHoldsASecretButNamesIt) {
  Set("WALG_S3_PREFIX", "s3://b/p");
  Set("AWS_SECRET_ACCESS_KEY", "hush");
  ASSERT_OK_AND_ASSIGN(const std::string command, Make());
  EXPECT_THAT(command, Not(HasSubstr("hush")));
  EXPECT_THAT(missing_, ElementsAre("AWS_SECRET_ACCESS_KEY"));
}

TEST_F(RestoreCommandTest, LeavesConnectionAndBackupSettingsOut) {
  Set("PGHOST", "h");
  Set("WALG_TAR_SIZE_THRESHOLD", "1000000");
  EXPECT_THAT(Make(), IsOkAndHolds("/usr/bin/walrig wal-fetch \"%f\" \"%p\""));
}

TEST_F(RestoreCommandTest, MakesRelativePathsAbsolute) {
  Set("WALG_FILE_PREFIX", "backup");
  ASSERT_OK_AND_ASSIGN(const std::string command, Make());
  EXPECT_THAT(command, HasSubstr("--walg-file-prefix /"));
}

TEST_F(RestoreCommandTest, RefusesLineBreaks) {
  Set("WALG_FILE_PREFIX", "/a\nb");
  EXPECT_THAT(Make(), test::HasCode(Code::kInvalidArgument));
}

}  // namespace
}  // namespace walrig
