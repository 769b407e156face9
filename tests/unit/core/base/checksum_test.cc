#include "core/base/checksum.h"

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "tests/support/memory.h"

namespace walrig {
namespace {

uint32_t Crc32cOf(std::string_view text) { return Crc32c(0, AsBytes(text)); }

// RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRC algorithms.
TEST(Crc32cTest, GivesThePublishedValues) {
  EXPECT_EQ(Crc32cOf("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32cOf(""), 0u);
  EXPECT_EQ(Crc32cOf(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32cOf(std::string(32, '\xff')), 0x62a8ab43u);
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending += static_cast<char>(i);
  EXPECT_EQ(Crc32cOf(ascending), 0x46dd794eu);
  EXPECT_EQ(Crc32cOf(std::string(ascending.rbegin(), ascending.rend())), 0x113fdb5cu);
}

TEST(Crc32cTest, ContinuesAtAnyByte) {
  std::string text = test::NumberedBytes(1000);
  for (size_t cut : {size_t{0}, size_t{1}, size_t{7}, size_t{64}, size_t{999}, text.size()}) {
    EXPECT_EQ(Crc32c(Crc32cOf(text.substr(0, cut)), AsBytes(text.substr(cut))), Crc32cOf(text)) << cut;
  }
}

// One bit at a time, as the definition has it.
uint32_t SlowCrc32c(std::string_view text) {
  uint32_t crc = 0xffffffffu;
  for (char c : text) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

TEST(Crc32cTest, EqualsTheDefinitionAtEveryLengthAndAlignment) {
  std::string text = test::NumberedBytes(2100);
  std::string_view view = text;
  for (size_t length = 0; length < 2048; length = length < 300 ? length + 1 : length + 97) {
    for (size_t start : {size_t{0}, size_t{1}, size_t{13}}) {
      ASSERT_EQ(Crc32cOf(view.substr(start, length)), SlowCrc32c(view.substr(start, length))) << start << " " << length;
    }
  }
}

TEST(Crc32cCombineTest, EqualsTheCrcOfBothPartsTogether) {
  std::string text = test::NumberedBytes(100'000);
  Random random(7);
  for (int i = 0; i < 50; ++i) {
    size_t cut = random.Below(text.size() + 1);
    std::string a = text.substr(0, cut);
    std::string b = text.substr(cut);
    ASSERT_EQ(Crc32cCombine(Crc32cOf(a), Crc32cOf(b), b.size()), Crc32cOf(text)) << cut;
  }
}

TEST(Crc32cCombineTest, LengthsBeyondFourGigabytesAreExact) {
  // A terabyte and a bit of zeros, doubled up from one byte, against the square-and-multiply of one step.
  uint32_t zeros = Crc32cOf(std::string(1, '\0'));
  for (uint64_t length = 1; length < (uint64_t{1} << 40); length *= 2) zeros = Crc32cCombine(zeros, zeros, length);
  uint32_t whole = Crc32cCombine(zeros, Crc32cOf("tail"), 4);
  uint32_t left = Crc32cCombine(Crc32cOf("head"), whole, (uint64_t{1} << 40) + 4);
  uint32_t right = Crc32cCombine(Crc32cCombine(Crc32cOf("head"), zeros, uint64_t{1} << 40), Crc32cOf("tail"), 4);
  EXPECT_EQ(left, right);
  EXPECT_NE(left, Crc32cCombine(Crc32cOf("head"), whole, 4));
}

// As xxh128sum prints them.
TEST(Xxh128Test, GivesTheValuesOfXxhsum) {
  EXPECT_EQ(Xxh128().Hex(), "99aa06d3014798d86001c324468d497f");
  Xxh128 abc;
  abc.Update(AsBytes("abc"));
  EXPECT_EQ(abc.Hex(), "06b05ab6733a618578af5f94892f3950");
}

TEST(Xxh128Test, PiecesGiveTheDigestOfTheWhole) {
  std::string text = test::NumberedBytes(10'000);
  for (size_t piece : {size_t{1}, size_t{63}, size_t{256}, size_t{4096}}) {
    Xxh128 hash;
    for (size_t at = 0; at < text.size(); at += piece) hash.Update(AsBytes(std::string_view(text).substr(at, piece)));
    EXPECT_EQ(hash.Hex(), Xxh128Hex(AsBytes(text))) << piece;
  }
}

TEST(Xxh128Test, CopyContinuesOnItsOwnAndMoveKeepsTheState) {
  Xxh128 hash;
  hash.Update(AsBytes("ab"));
  Xxh128 copy = hash;
  copy.Update(AsBytes("X"));
  hash.Update(AsBytes("c"));
  EXPECT_EQ(hash.Hex(), Xxh128Hex(AsBytes("abc")));
  EXPECT_EQ(copy.Hex(), Xxh128Hex(AsBytes("abX")));
  copy = hash;
  Xxh128 moved = std::move(copy);
  EXPECT_EQ(moved.Hex(), Xxh128Hex(AsBytes("abc")));
}

}  // namespace
}  // namespace walrig
