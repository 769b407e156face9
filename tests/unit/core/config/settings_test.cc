#include "core/config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOkAndHolds;
using test::MessageHas;

SettingValue Value(std::string text, SettingOrigin origin = SettingOrigin::kFile, std::string where = "here") {
  return {std::move(text), origin, std::move(where)};
}

TEST(SettingsTest, HigherOriginWinsWhateverTheOrder) {
  for (const bool flag_first : {true, false}) {
    Settings settings;
    if (flag_first) settings.Put("PGPORT", Value("3", SettingOrigin::kFlag));
    settings.Put("PGPORT", Value("1", SettingOrigin::kFile));
    settings.Put("PGPORT", Value("2", SettingOrigin::kEnvironment));
    if (!flag_first) settings.Put("PGPORT", Value("3", SettingOrigin::kFlag));
    EXPECT_EQ(settings.Text("PGPORT"), "3");
  }
}

TEST(SettingsTest, BareSpellingWinsAmongEqualOrigins) {
  Settings settings;
  settings.Put("WALE_AWS_REGION", Value("e"));
  settings.Put("AWS_REGION", Value("bare"));
  settings.Put("WALG_AWS_REGION", Value("g"));
  EXPECT_EQ(settings.Text("WALG_AWS_REGION"), "bare");
}

TEST(SettingsTest, EnvironmentWithPrefixWinsOverBareNameInFile) {
  Settings settings;
  settings.Put("AWS_REGION", Value("file", SettingOrigin::kFile));
  settings.Put("WALE_AWS_REGION", Value("environment", SettingOrigin::kEnvironment));
  EXPECT_EQ(settings.Text("AWS_REGION"), "environment");
}

TEST(SettingsTest, CutsLineEndsAtTheEndOnly) {
  Settings settings;
  settings.Put("WALG_PGP_KEY", Value("a\nb \r\n\n"));
  EXPECT_EQ(settings.Text("WALG_PGP_KEY"), "a\nb ");
}

TEST(SettingsTest, GivesDefaultsButDoesNotCallThemSet) {
  const Settings settings;
  EXPECT_THAT(settings.Number("WALG_DOWNLOAD_CONCURRENCY"), IsOkAndHolds(10u));
  EXPECT_THAT(settings.DurationNs("WALG_ALIVE_CHECK_INTERVAL"), IsOkAndHolds(60'000'000'000));
  EXPECT_FALSE(settings.Has("WALG_DOWNLOAD_CONCURRENCY"));
  EXPECT_EQ(settings.Find("WALG_DOWNLOAD_CONCURRENCY")->where, "default");
}

TEST(SettingsTest, UnsetWithoutDefaultIsZeroOrEmpty) {
  const Settings settings;
  EXPECT_THAT(settings.Size("WALG_DISK_RATE_LIMIT"), IsOkAndHolds(0u));
  EXPECT_EQ(settings.Text("PGHOST"), "");
}

TEST(SettingsTest, TypeErrorsNameKeyValueAndOrigin) {
  Settings settings;
  settings.Put("WALG_UPLOAD_CONCURRENCY", Value("many", SettingOrigin::kFile, "/etc/walg.yaml:7"));
  const Result<uint64_t> number = settings.Number("WALG_UPLOAD_CONCURRENCY");
  EXPECT_THAT(number, HasCode(Code::kConfig));
  EXPECT_THAT(number, MessageHas("WALG_UPLOAD_CONCURRENCY"));
  EXPECT_THAT(number, MessageHas("\"many\""));
  EXPECT_THAT(number, MessageHas("/etc/walg.yaml:7"));
}

TEST(SettingsTest, RefusesEveryWrongType) {
  const std::pair<const char*, const char*> wrong[] = {{"WALG_UPLOAD_QUEUE", "-1"},
                                                       {"WALG_UPLOAD_QUEUE", "2x"},
                                                       {"WALG_TAR_SIZE_THRESHOLD", "1 elephant"},
                                                       {"WALG_ALIVE_CHECK_INTERVAL", "1"},
                                                       {"WALG_ALIVE_CHECK_INTERVAL", "-1s"},
                                                       {"WALG_DIRECT_IO", "yes"},
                                                       {"WALRIG_LOG_FORMAT", "xml"},
                                                       {"WALG_SENTINEL_USER_DATA", "{"},
                                                       {"S3_RETENTION_PERIOD", "soon"},
                                                       {"WALG_UPLOAD_QUEUE", "99999999999999999999999"}};
  for (const auto& [key, text] : wrong) {
    Settings settings;
    settings.Put(key, Value(text));
    EXPECT_THAT(settings.Check(*FindKey(key)), HasCode(Code::kConfig)) << key << "=" << text;
  }
}

TEST(SettingsTest, ChoicesIgnoreLetterCase) {
  Settings settings;
  settings.Put("WALG_LOG_LEVEL", Value("Devel"));
  EXPECT_THAT(settings.Choice("WALG_LOG_LEVEL"), IsOkAndHolds("devel"));
}

TEST(SettingsTest, ListsValuesOfSecretsOnly) {
  Settings settings;
  settings.Put("PGPASSWORD", Value("hush"));
  settings.Put("PGUSER", Value("me"));
  EXPECT_THAT(settings.SecretValues(), ::testing::ElementsAre("hush"));
}

TEST(SettingsTest, KeepsNamesOfNoTableForPlugins) {
  Settings settings;
  settings.Put("acme_token", Value("t"));
  EXPECT_EQ(settings.Text("ACME_TOKEN"), "t");
  EXPECT_FALSE(settings.Has("ACME_OTHER"));
}

}  // namespace
}  // namespace walrig
