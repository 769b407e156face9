#include "plugins/common/key/key_source.h"

#include <signal.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

class KeySourceTest : public ::testing::Test {
 protected:
  std::string File(const std::string& name, const std::string& content) {
    const std::string path = dir_.path() + "/" + name;
    std::ofstream(path) << content;
    ::chmod(path.c_str(), 0600);
    return path;
  }
  Result<std::string> Read(const KeySource& source, size_t max_bytes = 1024) {
    WALRIG_ASSIGN(const SecretBytes key, ReadKey(ctx_, source, max_bytes));
    return std::string(key.text());
  }
  KeySource Command(const std::string& text) {
    KeySource source;
    source.command = text;
    return source;
  }

  TestContext ctx_;
  TempDir dir_;
};

TEST_F(KeySourceTest, ReadsAFileAsItIs) {
  KeySource source;
  source.file = File("key", std::string("a\0b\n", 4));
  EXPECT_THAT(Read(source), IsOkAndHolds(std::string("a\0b\n", 4)));
  EXPECT_THAT(Read(source, 3), HasCode(Code::kTooLarge));
  source.file = File("empty", "");
  EXPECT_THAT(Read(source), HasCode(Code::kConfig));
}

TEST_F(KeySourceTest, AMissingFileIsNoMissingObject) {
  KeySource source;
  source.file = dir_.path() + "/none";
  EXPECT_THAT(Read(source), HasCode(Code::kConfig));
  source.file = dir_.path();
  EXPECT_THAT(Read(source), HasCode(Code::kConfig));
}

TEST_F(KeySourceTest, ReadsVariablesAndCredentials) {
  ::setenv("KEY_SOURCE_TEST", "of the environment", 1);
  KeySource source;
  source.environment = "KEY_SOURCE_TEST";
  EXPECT_THAT(Read(source), IsOkAndHolds("of the environment"));
  File("name", "of systemd");
  ::setenv("CREDENTIALS_DIRECTORY", dir_.path().c_str(), 1);
  source = {};
  source.credential = "name";
  EXPECT_THAT(Read(source), IsOkAndHolds("of systemd"));
  source.credential = "../name";
  EXPECT_THAT(Read(source), HasCode(Code::kConfig));
}

TEST_F(KeySourceTest, TakesWhatACommandPrints) {
  EXPECT_THAT(Read(Command("printf key")), IsOkAndHolds("key"));
  EXPECT_THAT(Read(Command("printf key; exit 3")), HasCode(Code::kConfig));
  EXPECT_THAT(Read(Command("exec cat /dev/zero")), HasCode(Code::kTooLarge));
}

// As a process that was started by one that ignores SIGCHLD.
TEST_F(KeySourceTest, ACommandWhoseEndIsNotKnownHasNotSucceeded) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  const auto answer = Read(Command("printf part; exit 3"));
  ::signal(SIGCHLD, before);
  EXPECT_THAT(answer, HasCode(Code::kConfig));
}

TEST_F(KeySourceTest, EndsACommandThatTakesTooLong) {
  KeySource source = Command("sleep 60 & sleep 60");
  source.command_timeout_ms = 50;
  EXPECT_THAT(Read(source), HasCode(Code::kTimeout));
}

TEST_F(KeySourceTest, KeepsKeysFromTheCommand) {
  ::setenv("WALG_LIBSODIUM_KEY", "secret", 1);
  ::setenv("KEY_SOURCE_TEST", "seen", 1);
  ASSERT_OK_AND_ASSIGN(const std::string environment, Read(Command("env"), 64 * 1024));
  EXPECT_EQ(environment.find("WALG_LIBSODIUM_KEY"), std::string::npos);
  EXPECT_NE(environment.find("KEY_SOURCE_TEST=seen"), std::string::npos);
}

TEST(SecretBytesTest, DecodesOnlyWhatIsCanonical) {
  EXPECT_EQ(SecretFromHex("00ffA1")->text(), std::string_view("\0\xFF\xA1", 3));
  for (const char* bad : {"0", "0g", "0x00", " 00"}) EXPECT_FALSE(SecretFromHex(bad).ok()) << bad;
  EXPECT_EQ(SecretFromBase64("Zm9vYg==")->text(), "foob");
  EXPECT_EQ(SecretFromBase64("Zm9vYg", false)->text(), "foob");
  for (const char* bad : {"Zm9vYg", "Zm9vYh==", "Zm9vY", "Zm9v====", "Zm 9v", "Zm9vYg="}) {
    EXPECT_FALSE(SecretFromBase64(bad).ok()) << bad;
  }
}

TEST(SecretBytesTest, WipesWhatIsCutOff) {
  auto secret = SecretBytes::CopyOf(AsBytes("abcdef"));
  const uint8_t* const at = secret->data();
  secret->Resize(2);
  EXPECT_EQ(secret->text(), "ab");
  for (size_t i = 2; i < 6; ++i) EXPECT_EQ(at[i], 0);
}

}  // namespace
}  // namespace walrig::test
