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
  Result<std::string> Make() {
    const char* const environment[] = {variable_.empty() ? nullptr : variable_.c_str(), nullptr};
    WALRIG_ASSIGN(RestoreCommandText text,
                  RestoreCommand(settings_, {.executable = "/usr/bin/walrig", .origins = origins_, .environment = environment}));
    warnings_ = text.warnings;
    return text.command;
  }

  Settings settings_;
  std::vector<OptionOrigin> origins_;
  std::string variable_;
  std::vector<std::string> warnings_;
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
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("the secret AWS_SECRET_ACCESS_KEY: ")));
}

// A setting that the table does not know is no flag either.
TEST_F(RestoreCommandTest, HoldsSettingsOfForeignPluginsAsAssignments) {
  Set("ACME_PATH", "/it's here");
  Set("ACME_TOKEN", "hush");
  Set("ACME_PLACE", "b", SettingOrigin::kFile);
  origins_ = {{.name = "ACME_PATH"}, {.name = "ACME_TOKEN", .secret = true}, {.name = "ACME_PLACE"}, {.name = "ACME_PATH"}};
  EXPECT_THAT(Make(), IsOkAndHolds("ACME_PATH='/it'\\''s here' /usr/bin/walrig wal-fetch \"%f\" \"%p\""));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("the secret ACME_TOKEN: ")));
}

TEST_F(RestoreCommandTest, SettingsOfTheTableStayFlags) {
  Set("WALG_FILE_PREFIX", "/backup");
  origins_ = {{.name = "WALG_FILE_PREFIX", .path = true}};
  EXPECT_THAT(Make(), IsOkAndHolds("/usr/bin/walrig --walg-file-prefix /backup wal-fetch \"%f\" \"%p\""));
}

TEST_F(RestoreCommandTest, MakesRelativePathsOfForeignPluginsAbsolute) {
  Set("ACME_PATH", "here");
  origins_ = {{.name = "ACME_PATH", .path = true}};
  ASSERT_OK_AND_ASSIGN(const std::string command, Make());
  EXPECT_THAT(command, ::testing::StartsWith("ACME_PATH=/"));
}

TEST_F(RestoreCommandTest, SaysWhichPlacesOfSecretsTheServerNeeds) {
  Set("WALRIG_STORAGE", "acme,token=env:TOKEN,key=credential:acme", SettingOrigin::kFlag);
  origins_ = {{.kind = OptionOrigin::Kind::kEnvironment, .name = "TOKEN", .secret = true},
              {.kind = OptionOrigin::Kind::kCredential, .name = "acme", .secret = true}};
  ASSERT_OK_AND_ASSIGN(const std::string command, Make());
  EXPECT_THAT(command, HasSubstr("--walrig-storage acme,token=env:TOKEN,key=credential:acme"));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("the secret TOKEN: "), HasSubstr("LoadCredential=")));
}

TEST_F(RestoreCommandTest, RefusesARelativePathThatStandsInAPluginsOptions) {
  origins_ = {{.kind = OptionOrigin::Kind::kRelativePath, .name = "prefix"}};
  EXPECT_THAT(Make(), test::HasCode(Code::kInvalidArgument));
}

TEST_F(RestoreCommandTest, HoldsWhatLibrariesReadFromTheEnvironmentUnlessItMayBeSecret) {
  variable_ = "https_proxy=http://proxy:3128";
  EXPECT_THAT(Make(), IsOkAndHolds("https_proxy=http://proxy:3128 /usr/bin/walrig wal-fetch \"%f\" \"%p\""));
  variable_ = "https_proxy=http://me:hush@proxy:3128";
  ASSERT_OK_AND_ASSIGN(const std::string command, Make());
  EXPECT_THAT(command, Not(HasSubstr("hush")));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("the secret https_proxy: ")));
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
