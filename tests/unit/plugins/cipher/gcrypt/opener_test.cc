#include "plugins/cipher/gcrypt/opener.h"

#include "tests/support/test_data.h"
#include "tests/unit/plugins/cipher/gcrypt/machines.h"

namespace walrig::gcrypt::test {
namespace {

using ::walrig::test::HasCode;
using ::walrig::test::IsOkAndHolds;
using ::walrig::test::MessageHas;

constexpr size_t kChunk = 4096;

std::string Numbered(size_t size) {
  std::string text;
  for (uint32_t i = 0; text.size() < size; ++i) text += std::to_string(i * 2654435761u) + ",";
  text.resize(size);
  return text;
}

bool IsDamage(const Status& status) { return status.code() == Code::kCorruption || status.code() == Code::kTruncated; }

class OpenerTest : public ::testing::Test {
 protected:
  const std::string ring_ = RingWith(KeyVerb::kAdd, "symmetric");
  const std::unique_ptr<Keys> keys_ = KeysOf(ring_);
  const size_t header_ = Seal(*keys_, "").size() - kTagBytes;
  std::string Chunk(const std::string& sealed, size_t number) const {
    return sealed.substr(header_ + number * (kChunk + kTagBytes), kChunk + kTagBytes);
  }
};

TEST_F(OpenerTest, GivesBackEverySizeAroundAChunk) {
  for (const size_t size : {size_t{0}, size_t{1}, kChunk - 1, kChunk, kChunk + 1, 3 * kChunk, 3 * kChunk + 77}) {
    const std::string plain = Numbered(size);
    for (const auto algorithm : {Algorithm::kAes256Gcm, Algorithm::kChaCha20Poly1305}) {
      const std::string sealed = Seal(*keys_, plain, {.algorithm = algorithm, .chunk_log = 12});
      EXPECT_EQ(sealed.size(), header_ + size + (size / kChunk + 1) * kTagBytes);
      for (const size_t piece : {size_t{1}, size_t{1000}, SIZE_MAX}) {
        for (const size_t room : {size_t{1}, size_t{4111}, size_t{1} << 17}) {
          EXPECT_THAT(RunMachine(*NewOpener(*keys_), sealed, piece, room), IsOkAndHolds(plain)) << size << " " << piece << " " << room;
        }
      }
    }
  }
}

// What a range opener makes of the stored bytes that it asked for, cut to the range.
Result<std::string> OpenPart(Keys& keys, const std::string& sealed, uint64_t offset, uint64_t length, size_t piece = SIZE_MAX) {
  SealedRange range;
  WALRIG_ASSIGN(const auto opener, NewRangeOpener(keys, AsBytes(sealed.substr(0, kRangeHeadBytes)), offset, length, &range));
  const std::string part = range.offset < sealed.size() ? sealed.substr(range.offset, range.length) : "";
  WALRIG_ASSIGN(const std::string plain, RunMachine(*opener, part, piece));
  return plain.size() > range.skip ? plain.substr(range.skip, length) : std::string();
}

TEST_F(OpenerTest, OpensEveryRangeByItself) {
  for (const size_t size : {size_t{0}, size_t{1}, kChunk - 1, kChunk, 3 * kChunk, 3 * kChunk + 77}) {
    const std::string plain = Numbered(size);
    for (const auto algorithm : {Algorithm::kAes256Gcm, Algorithm::kChaCha20Poly1305}) {
      const std::string sealed = Seal(*keys_, plain, {.algorithm = algorithm, .chunk_log = 12});
      for (const uint64_t offset : {uint64_t{0}, uint64_t{1}, uint64_t{kChunk - 1}, uint64_t{kChunk}, uint64_t{2 * kChunk + 5}}) {
        if (offset > size) continue;
        for (const uint64_t length : {uint64_t{1}, uint64_t{kChunk}, uint64_t{2 * kChunk + 1}, UINT64_MAX - 1, UINT64_MAX}) {
          EXPECT_THAT(OpenPart(*keys_, sealed, offset, length), IsOkAndHolds(plain.substr(offset, length))) << size << " " << offset;
          EXPECT_THAT(OpenPart(*keys_, sealed, offset, length, 1), IsOkAndHolds(plain.substr(offset, length)));
        }
      }
    }
  }
}

TEST_F(OpenerTest, ARangeAsksForNoMoreThanItsChunks) {
  const std::string sealed = Seal(*keys_, Numbered(10 * kChunk));
  SealedRange range;
  ASSERT_OK(NewRangeOpener(*keys_, AsBytes(sealed), 2 * kChunk + 1, kChunk, &range).status());
  EXPECT_EQ(range.offset, header_ + 2 * (kChunk + kTagBytes));
  EXPECT_EQ(range.length, 2 * (kChunk + kTagBytes));
  EXPECT_EQ(range.skip, 1u);
}

TEST_F(OpenerTest, DamageWithinARangeIsSeenAndBehindItIsNot) {
  const std::string plain = Numbered(4 * kChunk);
  const std::string sealed = Seal(*keys_, plain);
  const size_t begin = header_ + kChunk + kTagBytes, end = begin + kChunk + kTagBytes;
  for (const size_t at : {begin, begin + 100, end - 1}) {
    std::string changed = sealed;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_EQ(OpenPart(*keys_, changed, kChunk, kChunk).status().code(), Code::kCorruption) << at;
  }
  std::string swapped = sealed;
  swapped.replace(begin, end - begin, Chunk(sealed, 2));
  EXPECT_EQ(OpenPart(*keys_, swapped, kChunk, kChunk).status().code(), Code::kCorruption);
  for (const size_t cut : {begin, begin + 5, begin + kTagBytes, end - 1}) {
    EXPECT_TRUE(IsDamage(OpenPart(*keys_, sealed.substr(0, cut), kChunk, kChunk).status())) << cut;
  }
  EXPECT_THAT(OpenPart(*keys_, sealed.substr(0, end), kChunk, kChunk), IsOkAndHolds(plain.substr(kChunk, kChunk)));
  EXPECT_EQ(OpenPart(*keys_, sealed.substr(0, end), kChunk, kChunk + 1).status().code(), Code::kTruncated);
}

TEST_F(OpenerTest, ARangeIsRefusedWhoseHeadIsNotWhole) {
  const std::string sealed = Seal(*keys_, Numbered(kChunk));
  SealedRange range;
  for (size_t size = 0; size < header_; ++size) {
    EXPECT_TRUE(IsDamage(NewRangeOpener(*keys_, AsBytes(sealed.substr(0, size)), 0, 1, &range).status())) << size;
  }
  EXPECT_EQ(NewRangeOpener(*keys_, AsBytes(sealed), 0, 0, &range).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(NewRangeOpener(*keys_, AsBytes(sealed), UINT64_MAX, 1, &range).status().code(), Code::kTooLarge);
}

void ExpectEveryFlippedBitIsSeen(Keys& keys, const std::string& plain, Algorithm algorithm) {
  std::string sealed = Seal(keys, plain, {.algorithm = algorithm, .chunk_log = 12});
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    const char mask = static_cast<char>(1 << (bit % 8));
    sealed[bit / 8] = static_cast<char>(sealed[bit / 8] ^ mask);
    const Opened opened = Open(keys, sealed);
    sealed[bit / 8] = static_cast<char>(sealed[bit / 8] ^ mask);
    ASSERT_TRUE(IsDamage(opened.status)) << "bit " << bit << ": " << opened.status.ToString();
    ASSERT_EQ(opened.plain, plain.substr(0, opened.plain.size()));
    ASSERT_EQ(opened.plain.size() % kChunk, 0u);
  }
}

TEST_F(OpenerTest, RefusesEveryFlippedBitOfTwoChunks) {
  ExpectEveryFlippedBitIsSeen(*keys_, Numbered(kChunk + 50), Algorithm::kAes256Gcm);
}

TEST_F(OpenerTest, RefusesEveryFlippedBitOfSmallObjects) {
  ExpectEveryFlippedBitIsSeen(*keys_, Numbered(50), Algorithm::kChaCha20Poly1305);
  ExpectEveryFlippedBitIsSeen(*KeysOf(RingWith(KeyVerb::kAdd, "x25519")), Numbered(50), Algorithm::kAes256Gcm);
}

// A slot of a passphrase is tried before it is authenticated: what it says of the derivation is left out here, since each
// flip would cost one.
TEST_F(OpenerTest, RefusesEveryFlippedBitBesideThePassphrasesParameters) {
  const auto keys = KeysOf("", "correct horse");
  std::string sealed = Seal(*keys, "secret");
  constexpr size_t kParametersAt = kFixedBytes + 12, kParametersEnd = kParametersAt + 32;
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    if (bit / 8 >= kParametersAt && bit / 8 < kParametersEnd) continue;
    const char mask = static_cast<char>(1 << (bit % 8));
    sealed[bit / 8] = static_cast<char>(sealed[bit / 8] ^ mask);
    const Opened opened = Open(*keys, sealed);
    sealed[bit / 8] = static_cast<char>(sealed[bit / 8] ^ mask);
    ASSERT_TRUE(IsDamage(opened.status) || opened.status.code() == Code::kPermission) << "bit " << bit;
    ASSERT_EQ(opened.plain, "");
  }
}

TEST_F(OpenerTest, RefusesEveryTruncation) {
  const std::string plain = Numbered(2 * kChunk + 50);
  const std::string sealed = Seal(*keys_, plain);
  for (size_t size = 0; size < sealed.size(); ++size) {
    const Opened opened = Open(*keys_, sealed.substr(0, size));
    ASSERT_TRUE(IsDamage(opened.status)) << size;
    ASSERT_EQ(opened.plain, plain.substr(0, opened.plain.size()));
  }
}

TEST_F(OpenerTest, CallsACutAtAChunkBorderTruncated) {
  for (const size_t size : {kChunk, 2 * kChunk, 3 * kChunk}) {
    const std::string sealed = Seal(*keys_, Numbered(size));
    for (size_t chunks = 0; chunks <= size / kChunk; ++chunks) {
      EXPECT_THAT(Open(*keys_, sealed.substr(0, header_ + chunks * (kChunk + kTagBytes))).status, HasCode(Code::kTruncated));
    }
  }
}

TEST_F(OpenerTest, RefusesChunksThatWereMoved) {
  const std::string plain = Numbered(4 * kChunk + 9);
  const std::string sealed = Seal(*keys_, plain), other = Seal(*keys_, plain);
  const std::string head = sealed.substr(0, header_), tail = sealed.substr(header_ + 4 * (kChunk + kTagBytes));
  const auto put = [&](std::initializer_list<size_t> order) {
    std::string text = head;
    for (const size_t number : order) text += Chunk(sealed, number);
    return text + tail;
  };
  EXPECT_OK(Open(*keys_, put({0, 1, 2, 3})).status);
  EXPECT_THAT(Open(*keys_, put({1, 0, 2, 3})).status, HasCode(Code::kCorruption)) << "swapped";
  EXPECT_THAT(Open(*keys_, put({0, 2, 3})).status, HasCode(Code::kCorruption)) << "dropped";
  EXPECT_THAT(Open(*keys_, put({0, 1, 1, 2, 3})).status, HasCode(Code::kCorruption)) << "repeated";
  EXPECT_THAT(Open(*keys_, put({0, 1, 2, 3}) + tail).status, HasCode(Code::kCorruption)) << "last one twice";
  EXPECT_THAT(Open(*keys_, sealed + sealed).status, HasCode(Code::kCorruption)) << "object twice";
  EXPECT_THAT(Open(*keys_, head + Chunk(other, 0) + sealed.substr(header_ + kChunk + kTagBytes)).status,
              HasCode(Code::kCorruption)) << "of another object";
  EXPECT_THAT(Open(*keys_, other.substr(0, header_) + sealed.substr(header_)).status, HasCode(Code::kCorruption))
      << "header of another object";
}

TEST_F(OpenerTest, NamesTheKeyThatIsMissing) {
  const std::string other = RingWith(KeyVerb::kAdd, "symmetric");
  const auto others = KeysOf(other);
  const Status status = Open(*others, Seal(*keys_, "x")).status;
  EXPECT_THAT(status, HasCode(Code::kPermission));
  EXPECT_THAT(status, MessageHas(KeyRing::Parse(ring_, "")->Ids()));
  EXPECT_THAT(status, MessageHas(KeyRing::Parse(other, "")->Ids()));
}

TEST_F(OpenerTest, ReadsOldKeysAfterARotation) {
  const std::string sealed = Seal(*keys_, "old");
  const std::string rotated = RingWith(KeyVerb::kRotate, "", ring_);
  const auto keys = KeysOf(rotated);
  EXPECT_EQ(Open(*keys, sealed).plain, "old");
  EXPECT_THAT(Open(*keys_, Seal(*keys, "new")).status, HasCode(Code::kPermission));
}

TEST_F(OpenerTest, APublicHalfWritesAndDoesNotRead) {
  const std::string secret = RingWith(KeyVerb::kAdd, "x25519");
  const auto writer = KeysOf(RingWith(KeyVerb::kPublic, "", secret)), reader = KeysOf(secret);
  const std::string sealed = Seal(*writer, "from the database host");
  EXPECT_THAT(Open(*writer, sealed).status, HasCode(Code::kPermission));
  EXPECT_THAT(Open(*writer, sealed).status, MessageHas("only the public half"));
  EXPECT_EQ(Open(*reader, sealed).plain, "from the database host");
}

TEST_F(OpenerTest, OpensWithTheRightPassphraseOnly) {
  for (const KdfKind kdf : {KdfKind::kArgon2id, KdfKind::kScrypt}) {
    const auto right = KeysOf("", "correct horse"), same = KeysOf("", "correct horse"), wrong = KeysOf("", "battery staple");
    const std::string sealed = Seal(*right, "secret", {.chunk_log = 12, .kdf = kdf});
    EXPECT_EQ(Open(*same, sealed).plain, "secret");
    EXPECT_THAT(Open(*wrong, sealed).status, HasCode(Code::kPermission));
    EXPECT_THAT(Open(*keys_, sealed).status, MessageHas("with a passphrase"));
  }
}

TEST_F(OpenerTest, SaysWhatAnObjectIsThatWasNotSealed) {
  EXPECT_THAT(Open(*keys_, "\x28\xB5\x2F\xFD" + std::string(100, 'x')).status, MessageHas("not encrypted"));
  EXPECT_THAT(Open(*keys_, std::string(100, 'x')).status, MessageHas("not sealed by cipher gcrypt"));
  EXPECT_THAT(Open(*keys_, "").status, HasCode(Code::kTruncated));
}

}  // namespace
}  // namespace walrig::gcrypt::test
