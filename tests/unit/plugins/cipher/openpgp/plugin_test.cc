#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "tests/support/no_memory.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"
#include "tests/support/transform_checks.h"

namespace walrig::testing {
namespace {

using test::TempDir;
using test::TestData;
using Options = std::map<std::string, std::string>;

constexpr const char* kHoldBack = "1048576";
std::string Data(const std::string& name) { return TestData("walg/" + name); }
Options With(std::string key, Options more = {}) {
  more["key"] = std::move(key);
  more.try_emplace("hold_back", kHoldBack);
  return more;
}

// GnuPG with a home of its own.
class Gnupg {
 public:
  Gnupg() { std::filesystem::permissions(dir_.path(), std::filesystem::perms::owner_all); }
  ~Gnupg() { Run("gpgconf --kill all").value(); }
  struct Exit {
    int code;
    int value() const { return code; }
  };
  Exit Run(const std::string& command) const {
    return {std::system(
        ("GNUPGHOME='" + dir_.path() + "'; export GNUPGHOME; cd \"$GNUPGHOME\"; { " + command + "; } 2>gpg.log")
            .c_str())};
  }
  void Import(const std::string& key) const {
    dir_.Write("import.asc", key);
    ASSERT_EQ(Run("gpg --batch -q --import import.asc").value(), 0) << dir_.Read("gpg.log");
  }
  std::string Decrypt(const std::string& sealed, const std::string& flags = "") const {
    dir_.Write("sealed", sealed);
    EXPECT_EQ(Run("gpg --batch -q --yes " + flags + " -o plain -d sealed").value(), 0) << dir_.Read("gpg.log");
    return dir_.Read("plain");
  }
  std::string Encrypt(const std::string& plain, const std::string& flags) const {
    dir_.Write("plain", plain);
    EXPECT_EQ(Run("gpg --batch -q --yes --trust-model always " + flags + " -o sealed -e plain").value(), 0)
        << dir_.Read("gpg.log");
    return dir_.Read("sealed");
  }
  std::string Export(const std::string& what) const {
    EXPECT_EQ(Run("gpg --batch -q --armor " + what + " >export").value(), 0) << dir_.Read("gpg.log");
    return dir_.Read("export");
  }
  const TempDir& dir() const { return dir_; }

 private:
  TempDir dir_;
};

class OpenpgpPluginTest : public ::testing::Test {
 protected:
  const std::string secret_ = Data("openpgp-ed25519/key.asc");
  AbiPlugin plugin_{"cipher-openpgp", "openpgp", With(secret_)};
  std::string Sealed(const std::string& plain, Steps steps = {}) {
    const AbiResult result = plugin_.Transform(WALRIG_ENCODE, plain, steps);
    EXPECT_TRUE(result.ok()) << result.status.ToString();
    return result.bytes;
  }
  AbiResult Opened(std::string_view sealed, Steps steps = {}) {
    return plugin_.Transform(WALRIG_DECODE, sealed, steps);
  }
};

TEST_F(OpenpgpPluginTest, RoundTripsThroughBuffersOfAnySize) {
  ASSERT_TRUE(plugin_.create_status().ok()) << plugin_.create_status().ToString();
  for (const size_t size : {size_t{0}, size_t{1}, size_t{8191}, size_t{65536}, size_t{3'000'001}}) {
    const std::string plain = Mixed(size, 3);
    for (const Steps& steps : {Steps{}, Steps{.in_bytes = 4093, .out_bytes = 509}}) {
      const AbiResult opened = Opened(Sealed(plain, steps), steps);
      ASSERT_TRUE(opened.ok()) << opened.status.ToString();
      ASSERT_TRUE(opened.bytes == plain) << size;
    }
  }
  const Steps one{.in_bytes = 1, .out_bytes = 1};
  EXPECT_EQ(Opened(Sealed(Mixed(20000, 8), one), one).bytes, Mixed(20000, 8));
}

TEST_F(OpenpgpPluginTest, SeesEveryFlippedBitAndGivesNoByteThen) {
  const std::string plain = Mixed(300, 2);
  std::string sealed = Sealed(plain);
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    sealed[bit / 8] = static_cast<char>(sealed[bit / 8] ^ (1 << (bit % 8)));
    const AbiResult opened = Opened(sealed);
    ASSERT_TRUE(opened.code() == Code::kCorruption || opened.code() == Code::kTruncated ||
                opened.code() == Code::kPermission || opened.code() == Code::kNotSupported)
        << bit << ": " << opened.status.ToString();
    ASSERT_EQ(opened.bytes, "") << bit;
    sealed[bit / 8] = static_cast<char>(sealed[bit / 8] ^ (1 << (bit % 8)));
  }
}

TEST_F(OpenpgpPluginTest, SeesEveryTruncation) {
  const std::string sealed = Sealed(Mixed(900, 1));
  for (size_t n = 0; n < sealed.size(); ++n) {
    const AbiResult opened = Opened(std::string_view(sealed).substr(0, n));
    ASSERT_EQ(opened.code(), Code::kTruncated) << n << ": " << opened.status.ToString();
    ASSERT_EQ(opened.bytes, "");
  }
}

TEST_F(OpenpgpPluginTest, ALargeObjectThatWasChangedEndsInAnErrorAndLacksItsEnd) {
  // More than is held back: bytes come out before the check at the end, but never all of them, and never kEnd.
  const std::string plain = Mixed(5'000'000, 6);
  std::string sealed = Sealed(plain);
  for (const size_t at : {sealed.size() - 1, sealed.size() / 2}) {
    sealed[at] = static_cast<char>(sealed[at] ^ 1);
    const AbiResult opened = Opened(sealed);
    EXPECT_EQ(opened.code(), Code::kCorruption) << opened.status.ToString();
    EXPECT_LT(opened.bytes.size(), plain.size());
    sealed[at] = static_cast<char>(sealed[at] ^ 1);
  }
  EXPECT_EQ(Opened(sealed.substr(0, sealed.size() - 30)).code(), Code::kTruncated);
}

TEST_F(OpenpgpPluginTest, RefusesBytesAfterTheEnd) {
  const std::string sealed = Sealed("some text");
  for (const std::string& more : {std::string(1, '\0'), sealed, std::string(100000, 'x')}) {
    for (const Steps& steps : {Steps{}, Steps{.in_bytes = 1, .out_bytes = 1}}) {
      const AbiResult opened = Opened(sealed + more, steps);
      EXPECT_EQ(opened.code(), Code::kCorruption);
      EXPECT_EQ(opened.bytes, "");
    }
  }
}

TEST_F(OpenpgpPluginTest, BeginsAnewAfterReset) { CheckReset(plugin_, Sealed(Mixed(200000, 5)), Mixed(200000, 5)); }

TEST_F(OpenpgpPluginTest, SaysWhatAnObjectIsThatIsNotEncrypted) {
  const std::pair<std::string, const char*> cases[] = {
      {std::string("\x28\xB5\x2F\xFD", 4) + Mixed(300, 1), "zstd"},
      {"-----BEGIN PGP MESSAGE-----\n", "armored"},
      {"{\"LSN\": 1}              ", "JSON"},
      {std::string("\xCB\x0A"
                   "b\0\0\0\0\0text",
                   12),
       "not encrypted"},
      {std::string("\xD2\x05\x01....", 7), "no session key"},
      {std::string("\xC9\x05.....", 7), "integrity protection"},
      {std::string(40, '\xff'), "no OpenPGP message"},
  };
  for (const auto& [bytes, word] : cases) {
    for (const Steps& steps : {Steps{}, Steps{.in_bytes = 1, .out_bytes = 1}}) {
      const AbiResult opened = Opened(bytes, steps);
      EXPECT_EQ(opened.code(), Code::kCorruption);
      EXPECT_NE(opened.status.message().find(word), std::string_view::npos) << opened.status.ToString();
    }
  }
}

TEST_F(OpenpgpPluginTest, RefusesVersionTwoOfTheEncryptedPacketInWords) {
  std::string sealed = Sealed("some text");
  const size_t data = 2 + static_cast<unsigned char>(sealed[1]);  // after the session key
  ASSERT_EQ(static_cast<unsigned char>(sealed[data]) & 0xC0, 0xC0);
  const size_t version = data + (static_cast<unsigned char>(sealed[data + 1]) == 255   ? 6
                                 : static_cast<unsigned char>(sealed[data + 1]) >= 224 ? 2
                                 : static_cast<unsigned char>(sealed[data + 1]) >= 192 ? 3
                                                                                       : 2);
  ASSERT_EQ(sealed[version], 1);
  sealed[version] = 2;
  const AbiResult opened = Opened(sealed);
  EXPECT_EQ(opened.code(), Code::kNotSupported) << opened.status.ToString();
}

TEST_F(OpenpgpPluginTest, TheErrorForAnotherKeyNamesTheOneThatIsNeeded) {
  const AbiPlugin other("cipher-openpgp", "openpgp",
                        With(Data("openpgp-rsa3072-passphrase/key.asc"), {{"passphrase", "correct horse"}}));
  const AbiResult opened = other.Transform(WALRIG_DECODE, Sealed("some text"));
  EXPECT_EQ(opened.code(), Code::kPermission);
  EXPECT_NE(opened.status.message().find("617ECB478D9EEFB6"), std::string_view::npos) << opened.status.ToString();
  EXPECT_NE(opened.status.message().find("E8F4BD0366475EF9"), std::string_view::npos) << opened.status.ToString();
}

TEST(OpenpgpKeyTest, AWrongOrMissingPassphraseIsRefusedBeforeAnythingIsReadAndNeverShown) {
  const std::string key = Data("openpgp-rsa3072-passphrase/key.asc");
  const AbiPlugin right("cipher-openpgp", "openpgp", With(key, {{"passphrase", "correct horse"}}));
  const std::string sealed = right.Transform(WALRIG_ENCODE, "hello").bytes;
  EXPECT_EQ(right.Transform(WALRIG_DECODE, sealed).bytes, "hello");
  for (const Options& more : {Options{}, Options{{"passphrase", "hush-hush"}}}) {
    const AbiPlugin wrong("cipher-openpgp", "openpgp", With(key, more));
    ASSERT_TRUE(wrong.create_status().ok()) << "writing needs no passphrase";
    EXPECT_TRUE(wrong.Transform(WALRIG_ENCODE, "hello").ok());
    const AbiResult opened = wrong.Transform(WALRIG_DECODE, sealed);
    EXPECT_EQ(opened.code(), Code::kPermission);
    EXPECT_NE(opened.status.ToString().find("WALG_PGP_KEY_PASSPHRASE"), std::string::npos);
    EXPECT_EQ(opened.status.ToString().find("hush-hush"), std::string::npos);
  }
}

TEST(OpenpgpKeyTest, WritesForAllKeysOfARingAndEachAloneReads) {
  const AbiPlugin ring("cipher-openpgp", "openpgp", With(Data("openpgp-ring/ring.pub.asc")));
  const std::string plain = Mixed(70000, 4), sealed = ring.Transform(WALRIG_ENCODE, plain).bytes;
  for (const char* name : {"openpgp-ring/key.asc", "openpgp-ring/key2.asc"}) {
    const AbiPlugin one("cipher-openpgp", "openpgp", With(Data(name)));
    const AbiResult opened = one.Transform(WALRIG_DECODE, sealed);
    EXPECT_TRUE(opened.ok()) << opened.status.ToString();
    EXPECT_EQ(opened.bytes, plain);
  }
  const AbiResult opened = ring.Transform(WALRIG_DECODE, sealed);
  EXPECT_EQ(opened.code(), Code::kConfig);
  EXPECT_NE(opened.status.message().find("no secret key"), std::string_view::npos);
}

TEST(OpenpgpKeyTest, TakesAKeyOnOneLineAsWalgDoes) {
  std::string one_line;
  for (const char c : Data("openpgp-ed25519/key.asc")) one_line += c == '\n' ? std::string("\\n") : std::string(1, c);
  const AbiPlugin plugin("cipher-openpgp", "openpgp", With(one_line));
  ASSERT_TRUE(plugin.create_status().ok()) << plugin.create_status().ToString();
  EXPECT_EQ(plugin.Transform(WALRIG_DECODE, plugin.Transform(WALRIG_ENCODE, "x").bytes).bytes, "x");
}

TEST(OpenpgpKeyTest, RefusesWhatIsNoKeyWithoutShowingIt) {
  for (const std::string& text :
       {std::string("hush-hush"), std::string(), Data("openpgp-ed25519/key.asc").substr(0, 200)}) {
    const AbiPlugin plugin("cipher-openpgp", "openpgp", With(text));
    EXPECT_EQ(plugin.create_status().code(), Code::kConfig) << plugin.create_status().ToString();
    if (!text.empty()) {
      EXPECT_EQ(plugin.create_status().ToString().find(text), std::string::npos);
    }
  }
}

// A key of an unknown kind as a ring holds it: a packet of 32 bytes of numbers, and a user id. In version 5 and 6 the
// number of bytes stands before them.
std::string StrangeKey(uint8_t version, uint8_t algorithm) {
  std::string body{static_cast<char>(version), 'e', 'S', 'x', 'O', static_cast<char>(algorithm)};
  if (version >= 5) body += std::string("\0\0\0\x20", 4);
  body += std::string(32, '\x11');
  const std::string user = "Strange <s@example.org>";
  return "\xC6" + std::string(1, static_cast<char>(body.size())) + body + "\xCD" +
         std::string(1, static_cast<char>(user.size())) + user;
}

std::string Dearmored(const Gnupg& gpg, const std::string& armored) {
  gpg.dir().Write("armored", armored);
  EXPECT_EQ(gpg.Run("gpg --dearmor <armored >binary").value(), 0);
  return gpg.dir().Read("binary");
}

TEST(OpenpgpKeyTest, WritesNothingWhenAKeyOfTheRingIsNotUsedAndNamesIt) {
  const Gnupg gpg;
  const std::string good = Dearmored(gpg, Data("openpgp-ed25519/key.asc"));
  const AbiPlugin alone("cipher-openpgp", "openpgp", With(good));
  const std::string sealed = alone.Transform(WALRIG_ENCODE, "hello").bytes;
  ASSERT_NE(sealed, "");
  struct Case {
    uint8_t version, algorithm;
    const char* why;
  };
  for (const Case& c : {Case{6, 27, "version 6"}, Case{5, 22, "version 5"}, Case{4, 25, "number 25"}, Case{4, 27, "number 27"},
                        Case{4, 99, "number 99"}}) {
    const std::string strange = StrangeKey(c.version, c.algorithm);
    for (const std::string& keys : {good + strange, strange + good, strange}) {
      const AbiPlugin plugin("cipher-openpgp", "openpgp", With(keys));
      const Status refused =
          keys == strange ? plugin.create_status() : plugin.Transform(WALRIG_ENCODE, "hello").status;
      EXPECT_EQ(refused.code(), Code::kConfig) << refused.ToString();
      EXPECT_NE(refused.message().find("Strange <s@example.org>"), std::string_view::npos) << refused.ToString();
      EXPECT_NE(refused.message().find(c.why), std::string_view::npos) << refused.ToString();
      if (keys == strange) continue;
      EXPECT_EQ(plugin.Transform(WALRIG_DECODE, sealed).bytes, "hello") << "what is there reads all the same";
    }
  }
}

TEST(OpenpgpKeyTest, AHostWhoseOnlySecretKeyIsNotUsedIsToldSo) {
  const Gnupg gpg;
  gpg.Import(Data("openpgp-ed25519/key.asc"));
  const std::string keys = Dearmored(gpg, gpg.Export("--export")) + StrangeKey(6, 27);
  const AbiPlugin plugin("cipher-openpgp", "openpgp", With(keys));
  const AbiResult opened = plugin.Transform(WALRIG_DECODE, "x");
  EXPECT_EQ(opened.code(), Code::kConfig);
  EXPECT_NE(opened.status.message().find("version 6"), std::string_view::npos) << opened.status.ToString();
}

TEST(OpenpgpKeyTest, ReadsSeveralArmoredBlocksWithTextBetweenThemAndBinaryRings) {
  const Gnupg gpg;
  const std::string one = Data("openpgp-ring/key.asc"), two = Data("openpgp-ring/key2.asc");
  for (const std::string& keys : {one + two, "mine:\n" + one + "\nand the other:\n\n" + two + "\nthat is all\n",
                                  Dearmored(gpg, one) + Dearmored(gpg, two), Dearmored(gpg, one) + Dearmored(gpg, two) + "\n"}) {
    const AbiPlugin both("cipher-openpgp", "openpgp", With(keys));
    ASSERT_TRUE(both.create_status().ok()) << both.create_status().ToString();
    const AbiResult sealed = both.Transform(WALRIG_ENCODE, "hello");
    ASSERT_TRUE(sealed.ok()) << sealed.status.ToString();
    for (const std::string& key : {one, two}) {
      const AbiPlugin reader("cipher-openpgp", "openpgp", With(key));
      EXPECT_EQ(reader.Transform(WALRIG_DECODE, sealed.bytes).bytes, "hello");
    }
  }
}

TEST(OpenpgpKeyTest, WritesNothingWithKeysThatAreCutOrDamagedAndReadsWithTheWholeOnes) {
  const Gnupg gpg;
  const std::string one = Data("openpgp-ring/key.asc"), two = Data("openpgp-ring/key2.asc");
  const std::string one_binary = Dearmored(gpg, one), two_binary = Dearmored(gpg, two);
  const AbiPlugin alone("cipher-openpgp", "openpgp", With(one));
  const std::string sealed = alone.Transform(WALRIG_ENCODE, "hello").bytes;
  std::string bent = two;
  bent[bent.find("\n\n") + 30] ^= 1;
  for (const std::string& keys : {one + two.substr(0, two.size() / 2), one_binary + two_binary.substr(0, 60), one_binary + "junk",
                                  one + two_binary, one + bent}) {
    const AbiPlugin plugin("cipher-openpgp", "openpgp", With(keys));
    ASSERT_TRUE(plugin.create_status().ok()) << plugin.create_status().ToString();
    const AbiResult refused = plugin.Transform(WALRIG_ENCODE, "hello");
    EXPECT_EQ(refused.code(), Code::kConfig) << refused.status.ToString();
    EXPECT_FALSE(refused.status.hint().empty());
    EXPECT_EQ(plugin.Transform(WALRIG_DECODE, sealed).bytes, "hello");
  }
}

TEST(OpenpgpKeyTest, WritesNothingWhenOneOfTheKeysIsRevokedOrForSignaturesOnly) {
  const Gnupg gpg;
  gpg.Import(Data("openpgp-ed25519/key.asc"));
  const std::string good = gpg.Export("--export 617ECB478D9EEFB6");
  const std::string make = "gpg --batch -q --passphrase '' --quick-gen-key ";
  ASSERT_EQ(gpg.Run(make + "signer rsa2048 sign never && " + make +
                    "gone default default never && sed 's/^:-----/-----/' openpgp-revocs.d/$(gpg --list-keys --with-colons "
                    "gone | awk -F: '/^fpr/{print $10;exit}').rev >revoke && gpg --batch -q --import revoke")
                .value(),
            0)
      << gpg.dir().Read("gpg.log");
  for (const auto& [name, why] : {std::pair{"signer", "no valid part"}, std::pair{"gone", "revoked"}}) {
    const AbiPlugin plugin("cipher-openpgp", "openpgp", With(good + gpg.Export(std::string("--export ") + name)));
    const AbiResult refused = plugin.Transform(WALRIG_ENCODE, "x");
    EXPECT_EQ(refused.code(), Code::kConfig) << name;
    EXPECT_NE(refused.status.message().find(why), std::string_view::npos) << refused.status.ToString();
  }
}

TEST(OpenpgpMemoryTest, SaysThatThereIsNoMemory) {
  // What is held back is the plugin's largest piece.
  const AbiPlugin plugin("cipher-openpgp", "openpgp", With(Data("openpgp-ed25519/key.asc"), {{"hold_back", "67108864"}}));
  const std::string sealed = plugin.Transform(WALRIG_ENCODE, Mixed(3'000'000, 3)).bytes;
  CheckSaysThatThereIsNoMemory(plugin, WALRIG_DECODE, sealed);
}

TEST(OpenpgpThreadsTest, ManyMachinesWorkAtOnceAndLeaveNoThread) {
  const AbiPlugin plugin("cipher-openpgp", "openpgp", With(Data("openpgp-ed25519/key.asc")));
  // A sanitizer starts a thread of its own with the first one of ours.
  std::thread([] {}).join();
  const auto threads_now = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
  };
  const auto before = threads_now();
  std::vector<std::thread> workers;
  for (uint32_t seed = 0; seed < 6; ++seed) {
    workers.emplace_back([&plugin, seed] {
      for (int round = 0; round < 5; ++round) {
        const std::string plain = Mixed(100000, seed);
        const AbiResult opened = plugin.Transform(WALRIG_DECODE, plugin.Transform(WALRIG_ENCODE, plain).bytes);
        EXPECT_TRUE(opened.bytes == plain) << opened.status.ToString();
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  // Given up in the middle, too.
  void* stream = nullptr;
  walrig_error error = AbiPlugin::NewError();
  ASSERT_EQ(plugin.transform().open(plugin.self(), WALRIG_ENCODE, &stream, &error), WALRIG_OK);
  std::vector<uint8_t> in(200000, 7), out(1000);
  walrig_io io{};
  io.struct_size = sizeof io;
  io.directive = WALRIG_RUN;
  io.in = in.data();
  io.in_len = in.size();
  io.out = out.data();
  io.out_cap = out.size();
  EXPECT_EQ(plugin.transform().process(stream, &io, &error), WALRIG_NEED_OUTPUT);
  EXPECT_EQ(threads_now(), before + 1);
  plugin.transform().close(stream);
  EXPECT_EQ(threads_now(), before);
}

TEST(OpenpgpGnupgTest, GnupgDecryptsWhatWeWrite) {
  const Gnupg gpg;
  gpg.Import(Data("openpgp-ed25519/key.asc"));
  const AbiPlugin plugin("cipher-openpgp", "openpgp", With(Data("openpgp-ed25519/key.asc")));
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100000}, size_t{2'000'000}}) {
    EXPECT_TRUE(gpg.Decrypt(plugin.Transform(WALRIG_ENCODE, Mixed(size, 1)).bytes) == Mixed(size, 1)) << size;
  }
}

TEST(OpenpgpGnupgTest, DecryptsWhatGnupgWrites) {
  const Gnupg gpg;
  gpg.Import(Data("openpgp-ring/key.asc"));
  gpg.Import(Data("openpgp-ring/ring.pub.asc"));
  const std::string everybody = "$(gpg --list-keys --with-colons | awk -F: '/^fpr/{print \"-r \" $10}')";
  const AbiPlugin plugin("cipher-openpgp", "openpgp", With(Data("openpgp-ring/key2.asc")));
  for (const char* flags : {"", "-z 0", "-z 9", "--compress-algo bzip2", "--compress-algo zip", "--cipher-algo AES",
                            "--cipher-algo TWOFISH", "--s2k-cipher-algo AES256 --set-filename name"}) {
    for (const size_t size : {size_t{0}, size_t{5}, size_t{3'000'000}}) {
      const std::string sealed = gpg.Encrypt(Mixed(size, 2), flags + (" " + everybody));
      const AbiResult opened = plugin.Transform(WALRIG_DECODE, sealed);
      EXPECT_TRUE(opened.ok()) << flags << ": " << opened.status.ToString();
      EXPECT_TRUE(opened.bytes == Mixed(size, 2)) << flags;
    }
  }
}

TEST(OpenpgpGnupgTest, RefusesInWordsWhatHidesItsRecipientOrHasOnlyAPassphrase) {
  const Gnupg gpg;
  gpg.Import(Data("openpgp-ed25519/key.asc"));
  const AbiPlugin plugin("cipher-openpgp", "openpgp", With(Data("openpgp-ed25519/key.asc")));
  gpg.dir().Write("plain", "some text");
  ASSERT_EQ(gpg.Run("gpg --batch -q --passphrase x --pinentry-mode loopback -o sealed -c plain").value(), 0)
      << gpg.dir().Read("gpg.log");
  EXPECT_EQ(plugin.Transform(WALRIG_DECODE, gpg.dir().Read("sealed")).code(), Code::kPermission);
  const std::string hidden = gpg.Encrypt("some text", "--throw-keyids -r 617ECB478D9EEFB6");
  EXPECT_EQ(plugin.Transform(WALRIG_DECODE, hidden).code(), Code::kNotSupported);
}

TEST(OpenpgpGnupgTest, TakesKeysFromGnupgByTheirId) {
  const Gnupg gpg;
  gpg.Import(Data("openpgp-ed25519/key.asc"));
  const char* const home = std::getenv("GNUPGHOME");
  const std::string before = home != nullptr ? home : "";
  ::setenv("GNUPGHOME", gpg.dir().path().c_str(), 1);
  const AbiPlugin plugin("cipher-openpgp", "openpgp", {{"gpg_key_id", "617ECB478D9EEFB6"}, {"hold_back", kHoldBack}});
  EXPECT_TRUE(plugin.create_status().ok()) << plugin.create_status().ToString();
  const AbiResult opened = plugin.Transform(WALRIG_DECODE, plugin.Transform(WALRIG_ENCODE, "hello").bytes);
  EXPECT_EQ(opened.bytes, "hello") << opened.status.ToString();
  for (const char* id : {"FFFFFFFFFFFFFFFF", "'; touch injected; '"}) {
    const AbiPlugin bad("cipher-openpgp", "openpgp", {{"gpg_key_id", id}, {"hold_back", kHoldBack}});
    EXPECT_EQ(bad.create_status().code(), Code::kConfig) << bad.create_status().ToString();
  }
  EXPECT_FALSE(gpg.dir().Exists("injected"));
  before.empty() ? ::unsetenv("GNUPGHOME") : ::setenv("GNUPGHOME", before.c_str(), 1);
}

TEST(OpenpgpKeyTest, AnExpiredKeyStillReadsAndDoesNotWrite) {
  const Gnupg gpg;
  ASSERT_EQ(gpg.Run("gpg --batch -q --faked-system-time 20200101T000000 --passphrase '' --quick-gen-key old rsa2048 "
                    "default 1d && "
                    "gpg --batch -q --faked-system-time 20200101T000001 --quick-add-key $(gpg --list-keys "
                    "--with-colons | awk -F: '/^fpr/{print $10;exit}') rsa2048 encr 1d || "
                    "gpg --batch -q --faked-system-time 20200101T000001 --passphrase '' --quick-add-key $(gpg "
                    "--list-keys --with-colons | awk -F: '/^fpr/{print $10;exit}') rsa2048 encr 1d")
                .value(),
            0)
      << gpg.dir().Read("gpg.log");
  const std::string sealed = gpg.Encrypt("some text", "--faked-system-time 20200101T000100 -r old");
  const AbiPlugin plugin("cipher-openpgp", "openpgp", With(gpg.Export("--export-secret-keys")));
  ASSERT_TRUE(plugin.create_status().ok()) << plugin.create_status().ToString();
  const AbiResult opened = plugin.Transform(WALRIG_DECODE, sealed);
  EXPECT_EQ(opened.bytes, "some text") << opened.status.ToString();
  const AbiResult refused = plugin.Transform(WALRIG_ENCODE, "x");
  EXPECT_EQ(refused.code(), Code::kConfig);
  EXPECT_NE(refused.status.message().find("expired"), std::string_view::npos) << refused.status.ToString();
}

}  // namespace
}  // namespace walrig::testing
