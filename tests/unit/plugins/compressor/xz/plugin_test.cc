#include <gtest/gtest.h>

#include "tests/support/no_memory.h"
#include "tests/support/transform_checks.h"

namespace walrig::testing {
namespace {

class XzPluginTest : public ::testing::Test {
 protected:
  AbiPlugin plugin_{"compressor-xz", "xz", {{"level", "0"}}};
  std::string Packed(const std::string& plain) { return plugin_.Transform(WALRIG_ENCODE, plain).bytes; }
};

TEST_F(XzPluginTest, RoundTripsThroughBuffersOfAnySize) { CheckRoundTrips(plugin_); }
TEST_F(XzPluginTest, SeesEveryTruncation) { CheckEveryTruncation(plugin_, Packed(Mixed(400, 1))); }
TEST_F(XzPluginTest, SeesEveryFlippedBit) {
  const std::string plain = Mixed(400, 2);
  CheckEveryBitFlip(plugin_, Packed(plain), plain);
}
TEST_F(XzPluginTest, ReadsStreamsInARow) {
  CheckConcatenates(plugin_, Packed(Mixed(5000, 1)), Mixed(5000, 1), Packed(""), "");
}
TEST_F(XzPluginTest, RefusesRubbishAfterTheEnd) {
  for (const char* rubbish : {"rubbish behind the end", "\xEE\xEE\xEE\xEE\xEE\xEE\xEE\xEE\xEE\xEE\xEE\xEE\xEE"}) {
    EXPECT_EQ(plugin_.Transform(WALRIG_DECODE, Packed("text") + rubbish).code(), Code::kCorruption);
  }
}
TEST_F(XzPluginTest, BeginsAnewAfterReset) { CheckReset(plugin_, Packed(Mixed(3000, 5)), Mixed(3000, 5)); }
TEST_F(XzPluginTest, FlushedBytesCanBeDecoded) { CheckFlushIsDecodable(plugin_); }

class LzmaPluginTest : public ::testing::Test {
 protected:
  AbiPlugin plugin_{"compressor-lzma", "lzma", {{"level", "1"}}};
  std::string Packed(const std::string& plain) { return plugin_.Transform(WALRIG_ENCODE, plain).bytes; }
};

TEST_F(LzmaPluginTest, IsFoundByItsOwnFileName) {
  EXPECT_STREQ(plugin_.module().id, "org.walrig.compressor-xz");
  EXPECT_STREQ(plugin_.factory().extensions[0], "lzma");
}

TEST_F(LzmaPluginTest, WritesTheHeaderThatWalgWrites) {
  // lc 3, lp 0, pb 2: (2 * 5 + 0) * 9 + 3; dictionary 8 MiB; size unknown.
  const std::string expected("\x5D\x00\x00\x80\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 13);
  EXPECT_EQ(Packed("x").substr(0, 13), expected);
}

TEST_F(LzmaPluginTest, RoundTripsThroughBuffersOfAnySize) { CheckRoundTrips(plugin_); }
TEST_F(LzmaPluginTest, SeesEveryTruncation) { CheckEveryTruncation(plugin_, Packed(Mixed(400, 1))); }
TEST_F(LzmaPluginTest, ComesToAnEndWhateverBitIsFlipped) { CheckFlipsEnd(plugin_, Packed(Mixed(300, 1))); }
TEST_F(LzmaPluginTest, RefusesBytesAfterTheEnd) { CheckRefusesRubbishAfterEnd(plugin_, Packed("some text")); }
TEST_F(LzmaPluginTest, BeginsAnewAfterReset) { CheckReset(plugin_, Packed(Mixed(3000, 5)), Mixed(3000, 5)); }
TEST_F(LzmaPluginTest, RefusesADictionaryBeyondItsMemory) {
  const std::string huge("\x5D\x00\x00\x00\x80\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x00\x00\x00\x00", 18);
  EXPECT_EQ(plugin_.Transform(WALRIG_DECODE, huge).code(), Code::kTooLarge);
}

TEST_F(LzmaPluginTest, SaysThatThereIsNoMemory) {
  const std::string plain = Mixed(1'000'000, 3);
  CheckSaysThatThereIsNoMemory(plugin_, WALRIG_ENCODE, plain);
  CheckSaysThatThereIsNoMemory(plugin_, WALRIG_DECODE, plugin_.Transform(WALRIG_ENCODE, plain).bytes);
}

}  // namespace
}  // namespace walrig::testing
