#include "cli/commands/config_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "core/base/logger.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConfigCheckTest : public ::testing::Test {
 protected:
  void Set(const char* key, const std::string& text) {
    settings_.Put(key, {text, SettingOrigin::kEnvironment, std::string("environment ") + key});
  }
  ConfigFinding Find(std::string_view what) {
    for (ConfigFinding& finding : CheckConfig(ctx_, settings_, log_)) {
      if (finding.what == what) return finding;
    }
    return {.what = "(nothing)", .ok = false, .text = ""};
  }

  test::TempDir dir_;
  test::TestContext ctx_;
  Logger log_{Logger::Options{}};
  Settings settings_;
};

TEST_F(ConfigCheckTest, NamesSettingsThatThisVersionIgnores) {
  Set("WALG_STATSD_ADDRESS", "localhost:1");
  const ConfigFinding finding = Find("without effect");
  EXPECT_TRUE(finding.ok);
  EXPECT_THAT(finding.text, HasSubstr("WALG_STATSD_ADDRESS"));
  EXPECT_THAT(finding.text, Not(HasSubstr("WALG_DIRECT_IO"))) << "nobody set it";
  EXPECT_TRUE(Find("settings").ok);
}

TEST_F(ConfigCheckTest, RefusesAStorageInsideTheCluster) {
  const auto inside = [this] {
    for (const ConfigFinding& finding : CheckConfig(ctx_, settings_, log_))
      if (finding.text.find("a directory of the cluster") != std::string::npos) return !finding.ok;
    return false;
  };
  const std::string pgdata = dir_.Mkdir("data"), space = dir_.Mkdir("space");
  dir_.Mkdir("data/pg_tblspc");
  dir_.Mkdir("data/backups");
  std::filesystem::create_symlink(space, pgdata + "/pg_tblspc/16387");
  std::filesystem::create_symlink(pgdata + "/backups", dir_.File("link"));
  dir_.Mkdir("space/backups");
  Set("PGDATA", pgdata);
  Set("WALG_FILE_PREFIX", dir_.Mkdir("outside"));
  EXPECT_FALSE(inside());
  for (const char* name : {"data/backups", "link", "space/backups"}) {
    Set("WALG_FILE_PREFIX", "file://localhost" + dir_.File(name));
    EXPECT_TRUE(inside()) << name;
  }
  Set("WALG_FILE_PREFIX", dir_.File("outside"));
  Set("WALG_FAILOVER_STORAGES", R"({"second": {"WALG_FILE_PREFIX": ")" + dir_.File("link") + "\"}}");
  EXPECT_TRUE(inside());
}

TEST_F(ConfigCheckTest, RefusesAPluginThatTheLoaderWouldNotTrust) {
  // Writable for all: no trust level but "any" takes it.
  const std::string file = dir_.Write("storage-tape.so", "not looked at");
  ASSERT_EQ(chmod(file.c_str(), 0666), 0);
  Set("WALRIG_PLUGIN_DIR", dir_.File("."));
  Set("WALRIG_STORAGE", "tape");
  Set("WALRIG_PLUGIN_TRUST", "any");
  EXPECT_TRUE(Find("storage").ok) << Find("storage").text;
  Set("WALRIG_PLUGIN_TRUST", "user");
  EXPECT_FALSE(Find("storage").ok);
}

}  // namespace
}  // namespace walrig
