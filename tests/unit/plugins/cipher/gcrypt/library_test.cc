#include "plugins/cipher/gcrypt/library.h"

#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/support/no_memory.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/plugins/cipher/gcrypt/machines.h"

namespace walrig::gcrypt::test {
namespace {

std::string FromHex(std::string_view text) { return std::string(SecretFromHex(text)->text()); }

std::string ToHex(ByteSpan bytes) {
  std::string text;
  char digits[3];
  for (const uint8_t byte : bytes) std::snprintf(digits, sizeof digits, "%02x", byte), text += digits;
  return text;
}

Nonce NonceOf(std::string_view hex) {
  const std::string bytes = FromHex(hex);
  Nonce nonce{};
  std::copy(bytes.begin(), bytes.end(), nonce.begin());
  return nonce;
}

std::string Sealed(Algorithm algorithm, std::string_view key, std::string_view nonce, std::string_view plain) {
  auto aead = Aead::New(algorithm, AsBytes(FromHex(key)));
  const std::string text = FromHex(plain);
  std::vector<uint8_t> out(text.size() + kTagBytes);
  EXPECT_OK(aead->Seal(NonceOf(nonce), AsBytes(text), out));
  return ToHex(out);
}

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 to 15.
TEST(LibraryTest, Aes256GcmGivesThePublishedVectors) {
  const std::string zero(64, '0');
  EXPECT_EQ(Sealed(Algorithm::kAes256Gcm, zero, std::string(24, '0'), ""), "530f8afbc74536b9a963b4f1c4cb738b");
  EXPECT_EQ(Sealed(Algorithm::kAes256Gcm, zero, std::string(24, '0'), std::string(32, '0')),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  EXPECT_EQ(Sealed(Algorithm::kAes256Gcm, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
                   "cafebabefacedbaddecaf888",
                   "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
                   "b16aedf5aa0de657ba637b391aafd255"),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
            "c5f61e6393ba7a0abcc9f662898015adb094dac5d93471bdec1a502270e3cc6c");
}

// RFC 5869, test case 1 has 42 bytes, of which the first 32 do not depend on the length; test case 3 has no salt.
TEST(LibraryTest, HkdfGivesTheVectorsOfRfc5869) {
  auto first = HkdfSha256(AsBytes(FromHex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b")),
                          AsBytes(FromHex("000102030405060708090a0b0c")), {AsBytes(FromHex("f0f1f2f3f4f5f6f7f8f9"))});
  EXPECT_EQ(ToHex(first->bytes()), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
  auto third = HkdfSha256(AsBytes(FromHex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b")), {}, {});
  EXPECT_EQ(ToHex(third->bytes()), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

// RFC 7748, 5.2 and 6.1.
TEST(LibraryTest, X25519GivesTheVectorsOfRfc7748) {
  auto once = X25519(AsBytes(FromHex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")),
                     AsBytes(FromHex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")));
  EXPECT_EQ(ToHex(once->bytes()), "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  auto second = X25519(AsBytes(FromHex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d")),
                       AsBytes(FromHex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")));
  EXPECT_EQ(ToHex(second->bytes()), "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(LibraryTest, RefusesAPointThatHidesTheScalar) {
  const std::array<uint8_t, 32> zero{};
  const std::array<uint8_t, 32> scalar{1, 2, 3};
  EXPECT_FALSE(X25519(scalar, zero).ok());
}

// RFC 8439, 2.8.2 has associated data, which this format has not; A.5 too. The key stream of 2.4.2 is that of block 1 on,
// as the AEAD has it.
TEST(LibraryTest, ChaCha20GivesTheKeyStreamOfRfc8439) {
  const std::string sealed =
      Sealed(Algorithm::kChaCha20Poly1305, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
             "000000000000004a00000000",
             "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64");
  EXPECT_EQ(sealed.substr(0, 104),
            "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b3571639d624");
}

// Project Wycheproof, chacha20_poly1305_test: two cases without associated data.
TEST(LibraryTest, ChaCha20Poly1305GivesPublishedVectorsWithTheirTags) {
  EXPECT_EQ(Sealed(Algorithm::kChaCha20Poly1305, "80ba3192c803ce965ea371d5ff073cf0f43b6a2ab576b208426e11409c09b9b0",
                   "4da5bf8dfd5852c1ea12379d", ""),
            "76acb342cf3166a5b63c0c0ea1383c8d");
  EXPECT_EQ(Sealed(Algorithm::kChaCha20Poly1305, "cc56b680552eb75008f5484b4cb803fa5063ebd6eab91f6ab6aef4916a766273",
                   "99e23ec48985bccdeeab60f1", "2a"),
            "3acac27dec0968801e9f6eded69d807522");
}

TEST(LibraryTest, ZeroesWhatDidNotAuthenticate) {
  const std::vector<uint8_t> key(32, 7);
  auto aead = Aead::New(Algorithm::kAes256Gcm, key);
  std::vector<uint8_t> sealed(100 + kTagBytes), out(100, 0xEE);
  ASSERT_OK(aead->Seal({}, std::vector<uint8_t>(100, 0x55), sealed));
  sealed[3] ^= 1;
  auto authentic = aead->Open({}, sealed, out);
  ASSERT_OK(authentic);
  EXPECT_FALSE(*authentic);
  EXPECT_EQ(out, std::vector<uint8_t>(100, 0));
}

// The kernel's own list says of each mapping what it does with it: "dd" is left out of core dumps.
TEST(LibraryTest, KeepsLockedMemoryAndKeysOutOfCoreDumps) {
  ASSERT_OK(kStarted);
  auto secret = SecretBytes::New(32);
  ASSERT_OK(secret);
  const auto at = reinterpret_cast<uintptr_t>(secret->data());
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  bool inside = false, key_left_out = false;
  int left_out = 0;
  while (std::getline(maps, line)) {
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) inside = begin <= at && at < end;
    if (line.rfind("VmFlags:", 0) != 0 || line.find(" dd") == std::string::npos) continue;
    left_out++;
    key_left_out = key_left_out || inside;
  }
  EXPECT_TRUE(key_left_out);
  EXPECT_GE(left_out, 2) << "the pool of libgcrypt, and the key";
}

// Numbers of libgcrypt are allocated by functions that call abort() where there is no memory.
TEST(LibraryTest, X25519WithoutMemoryLeavesTheProcessAlone) {
  if (!walrig::testing::kLimitsWork) GTEST_SKIP() << "RLIMIT_AS does not go with a sanitizer";
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    walrig::testing::LimitMemory(1u << 20);
    for (size_t size = 1 << 16; size >= 16; size /= 2) {
      for (void* volatile kept = std::malloc(size); kept != nullptr;) kept = std::malloc(size);
    }
    std::array<uint8_t, kKeyBytes> scalar{}, out{};
    scalar[0] = 8;
    const Status status = X25519Public(scalar, out);
    ::_exit(status.ok() || status.code() == Code::kNoMemory ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "ended with " << status;
}

TEST(CipherMemoryTest, SaysThatThereIsNoMemory) {
  const ::walrig::test::TempDir dir;
  const std::string ring = RingWith(KeyVerb::kAdd, "x25519");
  const std::string path = dir.Write("ring", ring);
  ::chmod(path.c_str(), 0600);
  const walrig::testing::AbiPlugin plugin("cipher-gcrypt", "gcrypt", {{"key_file", path}, {"chunk_size", "1048576"}});
  walrig::testing::CheckSaysThatThereIsNoMemory(plugin, WALRIG_ENCODE, std::string(3'000'000, 'x'));
}

}  // namespace
}  // namespace walrig::gcrypt::test
