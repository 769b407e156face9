#include "plugins/common/ssh/key_file.h"

#include <gtest/gtest.h>

#include "plugins/common/ssh/base64.h"

namespace walrig::ssh {
namespace {

std::string Field(const std::string& text) {
  return std::string{'\0', '\0', '\0', static_cast<char>(text.size())} + text;
}
std::string Openssh(const std::string& cipher, const std::string& type) {
  const std::string body = std::string("openssh-key-v1\0", 15) + Field(cipher) + Field("none") + Field("") +
                           std::string("\0\0\0\1", 4) + Field(Field(type) + "rest");
  return "-----BEGIN OPENSSH PRIVATE KEY-----\n" + EncodeBase64(body) + "\n-----END OPENSSH PRIVATE KEY-----\n";
}

TEST(KeyFile, TellsTheTypeWithoutThePassphrase) {
  bool encrypted = false;
  EXPECT_EQ(KindOfKey(Openssh("aes256-ctr", "ssh-rsa"), &encrypted), KeyKind::kRsa);
  EXPECT_TRUE(encrypted);
  EXPECT_EQ(KindOfKey(Openssh("none", "ssh-ed25519"), &encrypted), KeyKind::kEd25519);
  EXPECT_FALSE(encrypted);
  EXPECT_EQ(KindOfKey(Openssh("none", "ecdsa-sha2-nistp521"), &encrypted), KeyKind::kEcdsa);
  EXPECT_EQ(KindOfKey(Openssh("none", "sk-ssh-ed25519@openssh.com"), &encrypted), KeyKind::kOther);
}

TEST(KeyFile, TellsTheOldFormats) {
  bool encrypted = false;
  EXPECT_EQ(KindOfKey("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", &encrypted), KeyKind::kRsa);
  EXPECT_TRUE(encrypted);
  EXPECT_EQ(KindOfKey("-----BEGIN EC PRIVATE KEY-----\n", &encrypted), KeyKind::kEcdsa);
  EXPECT_EQ(KindOfKey("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", &encrypted), KeyKind::kUnknown);
  EXPECT_TRUE(encrypted);
}

TEST(KeyFile, EveryCutOfAKeyIsUnknownOrRight) {
  const std::string whole = Openssh("none", "ssh-ed25519");
  for (size_t n = 0; n < whole.size(); ++n) {
    bool encrypted = false;
    const KeyKind kind = KindOfKey(std::string_view(whole).substr(0, n), &encrypted);
    EXPECT_TRUE(kind == KeyKind::kUnknown || kind == KeyKind::kEd25519 || kind == KeyKind::kOther) << n;
  }
}

TEST(KeyFile, NamesAFileThatCannotBeRead) {
  const auto key = ReadKeyFile("/nonexistent/id_ed25519");
  ASSERT_FALSE(key.ok());
  EXPECT_EQ(key.status().code(), Code::kConfig);
  EXPECT_NE(key.status().message().find("/nonexistent/id_ed25519"), std::string_view::npos);
}

}  // namespace
}  // namespace walrig::ssh
