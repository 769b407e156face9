#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"
#include "tests/support/transform_checks.h"

namespace walrig::testing {
namespace {

using test::TempDir;

constexpr const char* kHexKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr size_t kMessage = 8192, kSealed = 8209, kHeader = 24;

class LibsodiumPluginTest : public ::testing::Test {
 protected:
  AbiPlugin plugin_{"cipher-libsodium", "libsodium", {{"key", kHexKey}, {"key_transform", "hex"}}};
  std::string Sealed(const std::string& plain, Steps steps = {}) {
    return plugin_.Transform(WALRIG_ENCODE, plain, steps).bytes;
  }
  AbiResult Opened(std::string_view sealed, Steps steps = {}) {
    return plugin_.Transform(WALRIG_DECODE, sealed, steps);
  }
};

TEST_F(LibsodiumPluginTest, SaysWhatItIs) {
  ASSERT_TRUE(plugin_.create_status().ok()) << plugin_.create_status().ToString();
  EXPECT_STREQ(plugin_.module().id, "org.walrig.cipher-libsodium");
  EXPECT_EQ(plugin_.factory().kind, uint32_t{WALRIG_KIND_CIPHER});
}

TEST_F(LibsodiumPluginTest, RoundTripsAroundTheBordersOfMessages) {
  for (const size_t size : {size_t{0}, size_t{1}, kMessage - 1, kMessage, kMessage + 1, 3 * kMessage, size_t{300001}}) {
    const std::string plain = Mixed(size, 3);
    for (const Steps& steps :
         {Steps{}, Steps{.in_bytes = 4093, .out_bytes = 509}, Steps{.in_bytes = 1, .out_bytes = 1}}) {
      const std::string sealed = Sealed(plain, steps);
      // Full messages, then always a short one: WAL-G's reader refuses a full one that is marked as the last.
      ASSERT_EQ(sealed.size(), kHeader + size / kMessage * kSealed + size % kMessage + 17) << size;
      const AbiResult opened = Opened(sealed, steps);
      ASSERT_TRUE(opened.ok()) << opened.status.ToString();
      ASSERT_EQ(opened.bytes, plain);
    }
  }
}

TEST_F(LibsodiumPluginTest, SeesEveryFlippedBit) {
  const std::string plain = Mixed(700, 2);
  std::string sealed = Sealed(plain);
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    sealed[bit / 8] = static_cast<char>(sealed[bit / 8] ^ (1 << (bit % 8)));
    const AbiResult opened = Opened(sealed);
    ASSERT_EQ(opened.code(), Code::kCorruption) << bit;
    ASSERT_EQ(opened.bytes, "");
    sealed[bit / 8] = static_cast<char>(sealed[bit / 8] ^ (1 << (bit % 8)));
  }
}

TEST_F(LibsodiumPluginTest, SeesEveryTruncation) {
  const std::string plain = Mixed(2 * kMessage + 100, 4);
  const std::string sealed = Sealed(plain);
  for (size_t n = 0; n < sealed.size(); ++n) {
    const AbiResult opened = Opened(std::string_view(sealed).substr(0, n));
    ASSERT_TRUE(opened.code() == Code::kTruncated || opened.code() == Code::kCorruption) << n;
    ASSERT_EQ(opened.bytes, plain.substr(0, opened.bytes.size())) << n;
    const bool border = n >= kHeader && (n - kHeader) % kSealed == 0;
    if (border) {
      ASSERT_EQ(opened.code(), Code::kTruncated) << n << ": WAL-G takes this one for whole";
    }
  }
}

TEST_F(LibsodiumPluginTest, RefusesMessagesSwappedDroppedDoubledOrOfAnotherObject) {
  const std::string plain = Mixed(3 * kMessage + 5, 5);
  const std::string a = Sealed(plain), b = Sealed(plain);
  const auto message = [](const std::string& from, size_t i) { return from.substr(kHeader + i * kSealed, kSealed); };
  const std::string head = a.substr(0, kHeader);
  for (const std::string& forged :
       {head + message(a, 1) + message(a, 0) + a.substr(kHeader + 2 * kSealed), head + a.substr(kHeader + kSealed),
        head + message(a, 0) + a.substr(kHeader), head + message(a, 0) + b.substr(kHeader + kSealed),
        b.substr(0, kHeader) + a.substr(kHeader), a + b, a + std::string(1, '\0')}) {
    const AbiResult opened = Opened(forged);
    EXPECT_EQ(opened.code(), Code::kCorruption) << opened.status.ToString();
    EXPECT_EQ(opened.bytes, plain.substr(0, opened.bytes.size()));
  }
}

TEST_F(LibsodiumPluginTest, AnotherKeyOpensNothingAndTheHintNamesTheSettings) {
  const AbiPlugin other("cipher-libsodium", "libsodium", {{"key", "another key of 28 letters..."}});
  const AbiResult opened = other.Transform(WALRIG_DECODE, Sealed("some text"));
  EXPECT_EQ(opened.code(), Code::kCorruption);
  EXPECT_NE(opened.status.ToString().find("another key"), std::string::npos);
  EXPECT_NE(opened.status.ToString().find("WALG_LIBSODIUM_KEY"), std::string::npos);
}

TEST_F(LibsodiumPluginTest, SaysThatPlaintextIsNotEncrypted) {
  const AbiResult opened = Opened(std::string("\x28\xB5\x2F\xFD", 4) + Mixed(500, 1), {.in_bytes = 1});
  EXPECT_NE(opened.status.message().find("not encrypted"), std::string_view::npos) << opened.status.ToString();
}

TEST_F(LibsodiumPluginTest, BeginsAnewAfterReset) { CheckReset(plugin_, Sealed(Mixed(20000, 5)), Mixed(20000, 5)); }

TEST_F(LibsodiumPluginTest, ReadsWhatAProgramOfLibsodiumAloneWrote) {
  TempDir dir;
  for (const size_t size : {size_t{0}, size_t{1}, kMessage - 1, kMessage, kMessage * 2 + 17}) {
    const std::string plain = Mixed(size, 9), in = dir.Write("in", plain), sealed = dir.path() + "/sealed";
    const std::string tool = WALRIG_TEST_SODIUM_TOOL;
    ASSERT_EQ(std::system((tool + " seal " + kHexKey + " <" + in + " >" + sealed).c_str()), 0);
    EXPECT_EQ(Opened(dir.Read("sealed")).bytes, plain);
    // And that program reads what we write.
    const std::string ours = dir.Write("ours", Sealed(plain));
    ASSERT_EQ(std::system((tool + " open " + kHexKey + " <" + ours + " >" + dir.path() + "/back").c_str()), 0);
    EXPECT_EQ(dir.Read("back"), plain);
  }
}

TEST(LibsodiumKeyTest, ShortTextsAreFilledUpAndLongOnesCut) {
  const std::string text = "exactly 32 letters, no more of .";
  ASSERT_EQ(text.size(), 32u);
  const AbiPlugin exact("cipher-libsodium", "libsodium", {{"key", text}});
  const AbiPlugin longer("cipher-libsodium", "libsodium", {{"key", text + " and a tail"}});
  EXPECT_EQ(longer.Transform(WALRIG_DECODE, exact.Transform(WALRIG_ENCODE, "hello").bytes).bytes, "hello");
  const AbiPlugin shorter("cipher-libsodium", "libsodium", {{"key", std::string(25, 'a')}});
  const AbiPlugin padded("cipher-libsodium", "libsodium",
                         {{"key_transform", "hex"},
                          {"key",
                           "61616161616161616161616161616161616161616161616161"
                           "00000000000000"}});
  EXPECT_EQ(padded.Transform(WALRIG_DECODE, shorter.Transform(WALRIG_ENCODE, "hello").bytes).bytes, "hello");
}

TEST(LibsodiumKeyTest, RefusesBadKeysWithoutShowingThem) {
  const std::vector<std::map<std::string, std::string>> bad = {
      {},
      {{"key", "too-short-a-key"}},
      {{"key", "hush-hush-not-hexadecimal-digits"}, {"key_transform", "hex"}},
      {{"key", "00010203"}, {"key_transform", "hex"}},
      {{"key", "hush*hush"}, {"key_transform", "base64"}},
      {{"key", "aHVzaA=="}, {"key_transform", "base64"}},
      {{"key_path", "/nonexistent/hush"}},
  };
  for (const auto& options : bad) {
    const AbiPlugin plugin("cipher-libsodium", "libsodium", options);
    EXPECT_EQ(plugin.create_status().code(), Code::kConfig) << plugin.create_status().ToString();
    const auto key = options.find("key");
    if (key != options.end()) {
      EXPECT_EQ(plugin.create_status().ToString().find(key->second), std::string::npos);
    }
  }
}

TEST(LibsodiumKeyTest, AFileLosesTheWhiteSpaceAroundItsKey) {
  TempDir dir;
  const AbiPlugin inline_key("cipher-libsodium", "libsodium", {{"key", kHexKey}, {"key_transform", "hex"}});
  const AbiPlugin file_key(
      "cipher-libsodium", "libsodium",
      {{"key_path", dir.Write("key", std::string(" \n") + kHexKey + "\r\n")}, {"key_transform", "hex"}});
  ASSERT_TRUE(file_key.create_status().ok()) << file_key.create_status().ToString();
  EXPECT_EQ(file_key.Transform(WALRIG_DECODE, inline_key.Transform(WALRIG_ENCODE, "hello").bytes).bytes, "hello");
}

}  // namespace
}  // namespace walrig::testing
