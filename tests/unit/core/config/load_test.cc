#include "core/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;
using ::testing::HasSubstr;

class LoadTest : public ::testing::Test {
 protected:
  Result<Settings> Load(std::vector<const char*> environment = {}) {
    environment.push_back(nullptr);
    input_.environment = environment.data();
    report_ = {};
    return LoadSettings(input_, &report_);
  }

  test::TempDir dir_;
  LoadInput input_;
  LoadReport report_;
};

TEST_F(LoadTest, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  input_.config_path = dir_.Write("c.env", "PGHOST=file\nPGPORT=1\nPGUSER=file\n");
  input_.flags = {{"PGHOST", "flag", "flag --pghost"}};
  ASSERT_OK_AND_ASSIGN(const Settings settings, Load({"PGHOST=environment", "PGUSER=environment"}));
  EXPECT_EQ(settings.Text("PGHOST"), "flag");
  EXPECT_EQ(settings.Find("PGHOST")->where, "flag --pghost");
  EXPECT_EQ(settings.Text("PGUSER"), "environment");
  EXPECT_EQ(settings.Find("PGUSER")->where, "environment PGUSER");
  EXPECT_EQ(settings.Text("PGPORT"), "1");
  EXPECT_EQ(settings.Find("PGPORT")->where, input_.config_path + ":2");
  EXPECT_EQ(settings.Text("PGAPPNAME"), "walrig");
}

TEST_F(LoadTest, MisspeltEnvironmentVariableGetsTheNearestName) {
  ASSERT_OK(Load({"WALG_FILE_PREFX=/b", "WALG_SOMETHING_OF_ANOTHER_HOUSE=1", "PATH=/bin", "WALG_FILE_PREFIX=/c"}));
  ASSERT_EQ(report_.warnings.size(), 1u);
  EXPECT_THAT(report_.warnings[0], HasSubstr("WALG_FILE_PREFX is unknown; did you mean WALG_FILE_PREFIX?"));
}

TEST_F(LoadTest, EmptyEnvironmentVariableCountsAsUnset) {
  input_.config_path = dir_.Write("c.env", "PGHOST=file\n");
  ASSERT_OK_AND_ASSIGN(const Settings settings, Load({"PGHOST=", "PGUSER="}));
  EXPECT_EQ(settings.Text("PGHOST"), "file");
  EXPECT_FALSE(settings.Has("PGUSER"));
}

TEST_F(LoadTest, EnvironmentNamesAreCaseSensitiveAndFileKeysAreNot) {
  input_.config_path = dir_.Write("c.json", R"({"walg_file_prefix": "/b"})");
  ASSERT_OK_AND_ASSIGN(const Settings settings, Load({"pghost=x"}));
  EXPECT_EQ(settings.Text("WALG_FILE_PREFIX"), "/b");
  EXPECT_FALSE(settings.Has("PGHOST"));
}

TEST_F(LoadTest, TakesTheFileOfConfigPathAndThenOfHome) {
  input_.home = dir_.path();
  dir_.Write(".walg.yaml", "PGHOST: home\n");
  ASSERT_OK_AND_ASSIGN(const Settings home, Load());
  EXPECT_EQ(home.Text("PGHOST"), "home");
  EXPECT_EQ(home.config_path(), dir_.File(".walg.yaml"));
  const std::string variable = "WALG_CONFIG_PATH=" + dir_.Write("other.env", "PGHOST=other\n");
  ASSERT_OK_AND_ASSIGN(const Settings other, Load({variable.c_str()}));
  EXPECT_EQ(other.Text("PGHOST"), "other");
}

TEST_F(LoadTest, TakesTheFileOfTheHomeOfThePasswordDatabaseWhereHomeHasNone) {
  static std::string other;
  other = dir_.Mkdir("other");
  dir_.Write("other/.walg.json", R"({"PGHOST": "database"})");
  input_.other_home = [] { return other; };
  ASSERT_OK_AND_ASSIGN(const Settings unset, Load());
  EXPECT_EQ(unset.Text("PGHOST"), "database");
  input_.home = dir_.path();
  ASSERT_OK_AND_ASSIGN(const Settings empty, Load());
  EXPECT_EQ(empty.config_path(), dir_.File("other/.walg.json"));
  dir_.Write(".walg.yaml", "PGHOST: home\n");
  ASSERT_OK_AND_ASSIGN(const Settings home, Load());
  EXPECT_EQ(home.Text("PGHOST"), "home");
}

TEST_F(LoadTest, MissingNamedFileIsAnErrorAndMissingHomeFileIsNot) {
  input_.home = dir_.path();
  EXPECT_OK(Load());
  input_.config_path = dir_.File("none.yaml");
  EXPECT_THAT(Load(), HasCode(Code::kNotFound));
  EXPECT_THAT(Load(), MessageHas("none.yaml"));
}

TEST_F(LoadTest, MalformedFileIsAnErrorEvenWhenTheEnvironmentWouldDo) {
  input_.config_path = dir_.Write("c.json", "{\n  \"A\": \n}");
  EXPECT_THAT(Load({"WALG_FILE_PREFIX=/b"}), HasCode(Code::kConfig));
  EXPECT_THAT(Load(), MessageHas("line"));
}

TEST_F(LoadTest, UnknownKeyIsAWarningWithTheNearestName) {
  input_.config_path = dir_.Write("c.yaml", "PGHOST: h\nWALG_COMPRESSION_METHDO: zstd\n");
  EXPECT_OK(Load());
  ASSERT_EQ(report_.warnings.size(), 1u);
  EXPECT_THAT(report_.warnings[0], HasSubstr("c.yaml:2"));
  EXPECT_THAT(report_.warnings[0], HasSubstr("did you mean WALG_COMPRESSION_METHOD?"));
}

TEST_F(LoadTest, SecretFlagIsAWarningThatDoesNotTellTheSecret) {
  input_.flags = {{"PGPASSWORD", "hush", "flag --pgpassword"}};
  EXPECT_OK(Load());
  ASSERT_EQ(report_.warnings.size(), 1u);
  EXPECT_THAT(report_.warnings[0], ::testing::Not(HasSubstr("hush")));
}

TEST_F(LoadTest, ExportsLibraryVariablesOfFilesAndFlagsOnly) {
  unsetenv("PGSERVICE");
  unsetenv("WALG_FILE_PREFIX");
  setenv("PGTZ", "old", 1);
  input_.config_path = dir_.Write("c.env", "PGSERVICE=file\nWALG_FILE_PREFIX=/b\n");
  input_.flags = {{"PGTZ", "flag", "flag --pgtz"}};
  ASSERT_OK_AND_ASSIGN(const Settings settings, Load({"PGTZ=old"}));
  ASSERT_OK(ExportToEnvironment(settings));
  EXPECT_STREQ(getenv("PGSERVICE"), "file");
  EXPECT_STREQ(getenv("PGTZ"), "flag");
  EXPECT_EQ(getenv("WALG_FILE_PREFIX"), nullptr);
  unsetenv("PGSERVICE");
  unsetenv("PGTZ");
}

}  // namespace
}  // namespace walrig
