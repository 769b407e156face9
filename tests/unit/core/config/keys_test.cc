#include "core/config/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/config/settings.h"
#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using ::testing::ElementsAre;

TEST(KeysTest, FindsEveryKeyByItsNameInAnyLetterCase) {
  for (const KeySpec& key : AllKeys()) {
    EXPECT_EQ(FindKey(key.name), &key) << key.name;
    std::string lower(key.name);
    for (char& c : lower) c = static_cast<char>(tolower(c));
    EXPECT_EQ(FindKey(lower), &key) << lower;
  }
}

TEST(KeysTest, FindsEveryKeyByItsFlag) {
  for (const KeySpec& key : AllKeys()) EXPECT_EQ(FindKeyOfFlag(FlagName(key.name)), &key) << key.name;
}

TEST(KeysTest, FindsStorageKeysWithAndWithoutPrefix) {
  const KeySpec* region = FindKey("AWS_REGION");
  ASSERT_NE(region, nullptr);
  EXPECT_EQ(FindKey("WALG_AWS_REGION"), region);
  EXPECT_EQ(FindKey("wale_aws_region"), region);
  EXPECT_EQ(FindKey("FILE_PREFIX"), FindKey("WALG_FILE_PREFIX"));
}

TEST(KeysTest, FindsOtherKeysOnlyByTheirName) {
  EXPECT_NE(FindKey("WALG_DELTA_MAX_STEPS"), nullptr);
  EXPECT_EQ(FindKey("DELTA_MAX_STEPS"), nullptr);
  EXPECT_EQ(FindKey("WALE_DELTA_MAX_STEPS"), nullptr);
  EXPECT_EQ(FindKey("WALG_PGHOST"), nullptr);
}

TEST(KeysTest, FindsNothingForForeignAndEmptyNames) {
  for (const char* name : {"", "W", "WALG_", "PATH", "WALG_FILE_PREFIXX", "walg-file-prefix"}) {
    EXPECT_EQ(FindKey(name), nullptr) << name;
  }
  EXPECT_EQ(FindKeyOfFlag("walg_file_prefix"), nullptr);
}

TEST(KeysTest, TriesTheBareSpellingFirst) {
  EXPECT_THAT(Spellings(*FindKey("AWS_REGION")), ElementsAre("AWS_REGION", "WALG_AWS_REGION", "WALE_AWS_REGION"));
  EXPECT_THAT(Spellings(*FindKey("WALG_S3_PREFIX")), ElementsAre("S3_PREFIX", "WALG_S3_PREFIX", "WALE_S3_PREFIX"));
  EXPECT_THAT(Spellings(*FindKey("PGHOST")), ElementsAre("PGHOST"));
}

TEST(KeysTest, EveryDefaultFitsItsType) {
  for (const KeySpec& key : AllKeys()) {
    if (key.default_text.empty()) continue;
    Settings settings;
    settings.Put(key.name, {std::string(key.default_text), SettingOrigin::kFile, "test"});
    EXPECT_OK(settings.Check(key));
  }
}

TEST(KeysTest, EveryHelpIsOneSentence) {
  for (const KeySpec& key : AllKeys()) {
    EXPECT_TRUE(key.help.ends_with('.')) << key.name;
    EXPECT_LT(key.help.size(), 120u) << key.name;
  }
}

TEST(KeysTest, SecretsAreMarked) {
  for (const char* name : {"WALG_LIBSODIUM_KEY", "WALG_PGP_KEY", "WALG_PGP_KEY_PASSPHRASE", "WALG_ENVELOPE_PGP_KEY",
                           "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "S3_SSE_C",
                           "GCS_ENCRYPTION_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_SAS_TOKEN", "SSH_PASSWORD",
                           "OS_PASSWORD", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN", "PGPASSWORD"}) {
    const KeySpec* key = FindKey(name);
    ASSERT_NE(key, nullptr) << name;
    EXPECT_TRUE(key->secret) << name;
  }
}

TEST(KeysTest, NamesTheNearestKnownName) {
  EXPECT_EQ(NearestKey("WALG_COMPRESION_METHOD"), "WALG_COMPRESSION_METHOD");
  EXPECT_EQ(NearestKey("WALG_FILE_PREFX"), "WALG_FILE_PREFIX");
  EXPECT_EQ(NearestKey("COMPLETELY_DIFFERENT_THING"), "");
}

}  // namespace
}  // namespace walrig
