#include "cli/wiring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/logger.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;

Settings With(std::initializer_list<std::pair<const char*, const char*>> values) {
  Settings settings;
  for (const auto& [key, text] : values) {
    settings.Put(key, {text, SettingOrigin::kEnvironment, std::string("environment ") + key});
  }
  return settings;
}

TEST(WiringTest, StorageIsTheFirstPrefixInWalGsOrder) {
  const std::pair<const char*, const char*> order[] = {{"WALG_SSH_PREFIX", "ssh"},  {"WALG_SWIFT_PREFIX", "swift"},
                                                       {"WALG_AZ_PREFIX", "azure"}, {"WALG_GS_PREFIX", "gcs"},
                                                       {"WALG_FILE_PREFIX", "fs"},  {"WALG_S3_PREFIX", "s3"},
                                                       {"WALG_OSS_PREFIX", "oss"}};
  Settings settings;
  for (const auto& [key, plugin] : order) {
    settings.Put(key, {"x://y", SettingOrigin::kFile, "f"});
    ASSERT_OK_AND_ASSIGN(const PluginChoice choice, ChooseStorage(settings));
    EXPECT_EQ(choice.name, plugin);
  }
}

TEST(WiringTest, StorageOptionWinsAndIsTakenApart) {
  ASSERT_OK_AND_ASSIGN(const PluginChoice choice,
                       ChooseStorage(With({{"WALG_S3_PREFIX", "s3://b"}, {"WALRIG_STORAGE", "fs,prefix=/a\\,b"}})));
  EXPECT_EQ(choice.name, "fs");
  EXPECT_EQ(choice.values, (OptionValues{{"prefix", "/a,b"}}));
}

TEST(WiringTest, NoStorageIsAnErrorThatSaysWhatToSet) {
  EXPECT_THAT(ChooseStorage(Settings()), HasCode(Code::kConfig));
  EXPECT_THAT(ChooseStorage(Settings()), MessageHas("WALG_FILE_PREFIX"));
}

TEST(WiringTest, CompressorDefaultsToLz4) {
  ASSERT_OK_AND_ASSIGN(const PluginChoice choice, ChooseCompressor(Settings()));
  EXPECT_EQ(choice.name, "lz4");
}

TEST(WiringTest, ZstdLevelWithAnotherMethodIsAnError) {
  EXPECT_THAT(ChooseCompressor(With({{"WALG_ZSTD_LEVEL", "best"}})), HasCode(Code::kConfig));
  EXPECT_OK(ChooseCompressor(With({{"WALG_ZSTD_LEVEL", "best"}, {"WALG_COMPRESSION_METHOD", "ZSTD"}})));
}

TEST(WiringTest, CipherFollowsTheKeyThatIsSet) {
  const std::pair<const char*, const char*> known[] = {
      {"WALG_LIBSODIUM_KEY_PATH", "libsodium"},   {"YC_CSE_KMS_KEY_ID", "yc-kms"},
      {"WALG_CSE_KMS_ID", "aws-kms"},             {"WALG_PGP_KEY", "openpgp"},
      {"WALRIG_GCRYPT_KEY_FILE", "gcrypt"},       {"WALRIG_GCRYPT_PASSPHRASE", "gcrypt"},
      {"WALRIG_GCRYPT_KEY_CREDENTIAL", "gcrypt"}, {"WALRIG_GCRYPT_KEY_COMMAND", "gcrypt"}};
  for (const auto& [key, plugin] : known) {
    ASSERT_OK_AND_ASSIGN(const PluginChoice choice, ChooseCipher(With({{key, "k"}})));
    EXPECT_EQ(choice.name, plugin);
  }
}

TEST(WiringTest, KeysOfSeveralCiphersAreAnErrorThatNamesThem) {
  const Settings settings = With({{"WALG_LIBSODIUM_KEY", "k"}, {"WALRIG_GCRYPT_KEY_FILE", "f"}, {"WALG_PGP_KEY", "k"}});
  const auto choice = ChooseCipher(settings);
  EXPECT_THAT(choice, HasCode(Code::kConfig));
  for (const char* name : {"gcrypt", "libsodium", "openpgp"}) EXPECT_THAT(choice, MessageHas(name));
  EXPECT_OK(ChooseCipher(With({{"WALG_LIBSODIUM_KEY", "k"}, {"WALG_LIBSODIUM_KEY_PATH", "f"}})));
}

TEST(WiringTest, ANamedCipherWinsOverKeys) {
  ASSERT_OK_AND_ASSIGN(const PluginChoice choice,
                       ChooseCipher(With({{"WALG_LIBSODIUM_KEY", "k"}, {"WALG_PGP_KEY", "k"}, {"WALRIG_CIPHER", "gcrypt"}})));
  EXPECT_EQ(choice.name, "gcrypt");
}

TEST(WiringTest, TwoOpenPgpKeysAreAnError) {
  EXPECT_THAT(ChooseCipher(With({{"WALG_PGP_KEY", "k"}, {"WALG_ENVELOPE_PGP_KEY", "k"}})), HasCode(Code::kConfig));
}

class WiringObjectTest : public ::testing::Test {
 protected:
  NullLog null_;
  Logger log_{Logger::Options{}};
  Context ctx_{.stop = {}, .log = &null_, .clock = &RealClock()};
};

// Every way to configure encryption, while no cipher plugin is installed where it is looked for.
TEST_F(WiringObjectTest, ConfiguredEncryptionWithoutPluginIsAnErrorAndNeverPlaintext) {
  for (const char* key :
       {"WALG_LIBSODIUM_KEY", "WALG_LIBSODIUM_KEY_PATH", "WALG_PGP_KEY", "WALG_PGP_KEY_PATH", "WALG_GPG_KEY_ID",
        "WALG_ENVELOPE_PGP_KEY", "WALG_CSE_KMS_ID", "YC_CSE_KMS_KEY_ID", "WALRIG_CIPHER"}) {
    const Settings settings = With({{key, "no-such-thing"}, {"WALG_COMPRESSION_METHOD", "none"}});
    Wiring wiring(settings, log_);
    const Result<Codec> codec = wiring.WriteCodec(ctx_);
    EXPECT_FALSE(codec.ok()) << key;
    EXPECT_THAT(codec, MessageHas("encryption is configured")) << key;
    EXPECT_THAT(codec, MessageHas(key));
  }
}

TEST_F(WiringObjectTest, MethodNoneWritesPlainObjects) {
  const Settings settings = With({{"WALG_COMPRESSION_METHOD", "none"}});
  Wiring wiring(settings, log_);
  ASSERT_OK_AND_ASSIGN(const Codec codec, wiring.WriteCodec(ctx_));
  EXPECT_EQ(codec.compressor, nullptr);
  EXPECT_EQ(codec.cipher, nullptr);
}

TEST_F(WiringObjectTest, ObjectsWithoutExtensionNeedNoCompressor) {
  const Settings settings;
  Wiring wiring(settings, log_);
  for (const char* extension : {"", "tar"}) {
    ASSERT_OK_AND_ASSIGN(Compressor* const compressor, wiring.ForExtension(ctx_, extension));
    EXPECT_EQ(compressor, nullptr);
  }
}

TEST_F(WiringObjectTest, UnknownExtensionIsNotSupported) {
  const Settings settings;
  Wiring wiring(settings, log_);
  EXPECT_FALSE(wiring.ForExtension(ctx_, "unheard-of").ok());
}

// "5" that was meant as 5 MB.
TEST_F(WiringObjectTest, ARateThatMayLackItsUnitIsWarnedOf) {
  const auto warned = [](const char* rate) {
    const test::TempDir dir;
    const std::string path = dir.path() + "/log";
    const std::unique_ptr<Logger> log = Logger::Open({.path = path}).value();
    EXPECT_OK(RateSetting(With({{"WALG_NETWORK_RATE_LIMIT", rate}}), "WALG_NETWORK_RATE_LIMIT", *log).status());
    return ReadWholeFile(path, 1 << 16).value().find("a unit may be missing") != std::string::npos;
  };
  for (const char* rate : {"1", "5", "65535", "63KiB"}) EXPECT_TRUE(warned(rate)) << rate;
  for (const char* rate : {"0", "65536", "64KiB", "5MB"}) EXPECT_FALSE(warned(rate)) << rate;
}

}  // namespace
}  // namespace walrig
