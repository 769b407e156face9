#include "plugins/cipher/gcrypt/key_ring.h"

#include "plugins/cipher/gcrypt/header.h"
#include "tests/unit/plugins/cipher/gcrypt/machines.h"

namespace walrig::gcrypt::test {
namespace {

using ::walrig::test::HasCode;

Result<KeyRing> Parse(std::string_view text) { return KeyRing::Parse(text, "ring"); }

TEST(KeyRingTest, TakesABareKeyInEveryForm) {
  const std::string raw = "0123456789abcdef0123456789abcdeF";
  const auto id = Parse(raw)->Ids();
  EXPECT_EQ(Parse("3031323334353637383961626364656630313233343536373839616263646546\n")->Ids(), id);
  EXPECT_EQ(Parse("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZUY=\n")->Ids(), id);
  for (const char* bad : {"", "short", "0123456789abcdef0123456789abcdeF\n", "walrig-key-ring 2\n"}) {
    EXPECT_THAT(Parse(bad), HasCode(Code::kConfig)) << bad;
  }
}

TEST(KeyRingTest, WritesWhatItRead) {
  std::string ring = RingWith(KeyVerb::kAdd, "symmetric");
  ring = RingWith(KeyVerb::kAdd, "x25519", ring);
  ring = RingWith(KeyVerb::kRotate, "", ring);
  ASSERT_OK(Parse(ring));
  EXPECT_EQ(Parse(ring)->Format()->text(), ring);
  EXPECT_EQ(Parse(ring)->keys().size(), 3u);
}

TEST(KeyRingTest, RefusesAnIdThatIsNotTheKeys) {
  std::string ring = RingWith(KeyVerb::kAdd, "symmetric");
  const size_t at = ring.find("symmetric ") + 10;
  ring[at] = ring[at] == '0' ? '1' : '0';
  EXPECT_THAT(Parse(ring), HasCode(Code::kConfig));
}

TEST(KeyRingTest, RefusesLinesThatContradict) {
  const std::string ring = RingWith(KeyVerb::kAdd, "symmetric");
  const std::string key = ring.substr(ring.find("key "), ring.find("write") - ring.find("key "));
  for (const std::string& bad : {ring + key, ring + ring.substr(ring.find("write")), ring + "write\n", ring + "unknown words\n",
                                 std::string("walrig-key-ring 1\nwrite 0123456789abcdef\n")}) {
    EXPECT_THAT(Parse(bad), HasCode(Code::kConfig)) << bad;
  }
}

TEST(KeyRingTest, PublicHalvesHoldNoSecret) {
  const std::string secret = RingWith(KeyVerb::kAdd, "x25519");
  const std::string halves = RingWith(KeyVerb::kPublic, "", secret);
  const size_t begin = secret.rfind(' ', secret.find("\nwrite")) + 1;
  EXPECT_EQ(halves.find(secret.substr(begin, 44)), std::string::npos);
  EXPECT_EQ(Parse(halves)->Ids(), Parse(secret)->Ids());
  EXPECT_FALSE(EditKeys(KeyVerb::kPublic, "", AsBytes(RingWith(KeyVerb::kAdd, "symmetric")), "-").ok());
}

TEST(KdfTest, RefusesHostileParameters) {
  const KdfParameters argon = NewKdfParameters(KdfKind::kArgon2id), scrypt = NewKdfParameters(KdfKind::kScrypt);
  EXPECT_OK(CheckKdfParameters(argon));
  EXPECT_OK(CheckKdfParameters(scrypt));
  const auto refused = [](KdfParameters p, auto change) {
    change(p);
    return CheckKdfParameters(p).code() == Code::kCorruption;
  };
  EXPECT_TRUE(refused(argon, [](auto& p) { p.memory_kib = UINT32_MAX; }));
  EXPECT_TRUE(refused(argon, [](auto& p) { p.cost = UINT32_MAX; }));
  EXPECT_TRUE(refused(argon, [](auto& p) { p.cost = 0; }));
  EXPECT_TRUE(refused(argon, [](auto& p) { p.lanes = 255; }));
  EXPECT_TRUE(refused(scrypt, [](auto& p) { p.cost = 64; }));
  EXPECT_TRUE(refused(scrypt, [](auto& p) { p.block = 9; }));
  EXPECT_TRUE(refused(scrypt, [](auto& p) { p.cost = 20, p.lanes = 16; }));
}

TEST(KdfTest, AHeaderTakesNoMoreWorkThanOnePassphrase) {
  Header header;
  Slot slot;
  slot.kind = SlotKind::kPassphrase;
  slot.kdf.memory_kib = kMemoryKibMax;
  slot.kdf.cost = 2;
  const auto parse = [&] {
    std::vector<uint8_t> bytes = FormatHeader(header);
    bytes.resize(bytes.size() + kMacBytes);
    return ParseHeader(bytes).status();
  };
  header.slots = {slot, slot};
  EXPECT_OK(parse());
  header.slots = {slot, slot, slot};
  EXPECT_EQ(parse().code(), Code::kCorruption);
}

// RFC 7914, section 12, needs salts of other lengths; RFC 9106, 5.3, a secret. Both functions are libgcrypt's own; that
// they are called as the format says is shown by tests/compat/gcrypt_format_test.py.
TEST(KdfTest, DependsOnEveryParameter) {
  KdfParameters p;
  p.memory_kib = 64;
  p.cost = 1;
  const auto derive = [](const KdfParameters& each) { return std::string(DeriveKey(AsBytes("words"), each)->text()); };
  const std::string first = derive(p);
  EXPECT_EQ(derive(p), first);
  KdfParameters other = p;
  other.cost = 2;
  EXPECT_NE(derive(other), first);
  other = p;
  other.lanes = 2;
  EXPECT_NE(derive(other), first);
  other = p;
  other.salt[15] = 1;
  EXPECT_NE(derive(other), first);
}

}  // namespace
}  // namespace walrig::gcrypt::test
