#include <gtest/gtest.h>

#include "tests/support/no_memory.h"
#include "tests/support/transform_checks.h"

namespace walrig::testing {
namespace {

class ZstdPluginTest : public ::testing::Test {
 protected:
  AbiPlugin plugin_{"compressor-zstd", "zstd", {{"level", "1"}}};
  std::string Packed(const std::string& plain) { return plugin_.Transform(WALRIG_ENCODE, plain).bytes; }
};

TEST_F(ZstdPluginTest, SaysWhatItIs) {
  EXPECT_STREQ(plugin_.module().id, "org.walrig.compressor-zstd");
  EXPECT_STREQ(plugin_.factory().extensions[0], "zst");
  EXPECT_TRUE(plugin_.factory().caps & WALRIG_CAP_TF_CONCATENABLE);
  EXPECT_GT(plugin_.transform().memory_bound(plugin_.self(), WALRIG_DECODE), uint64_t{1} << 27);
  EXPECT_EQ(plugin_.factory().iface(plugin_.self(), "walrig.storage/1"), nullptr);
}

TEST_F(ZstdPluginTest, RoundTripsThroughBuffersOfAnySize) { CheckRoundTrips(plugin_); }
TEST_F(ZstdPluginTest, SeesEveryTruncation) { CheckEveryTruncation(plugin_, Packed(Mixed(900, 1))); }
TEST_F(ZstdPluginTest, SeesEveryFlippedBit) {
  const std::string plain = Mixed(700, 2);
  CheckEveryBitFlip(plugin_, Packed(plain), plain);
}
TEST_F(ZstdPluginTest, ReadsFramesInARow) {
  CheckConcatenates(plugin_, Packed(Mixed(5000, 1)), Mixed(5000, 1), Packed("b"), "b");
  CheckConcatenates(plugin_, Packed(""), "", Packed(Mixed(200000, 4)), Mixed(200000, 4));
}
TEST_F(ZstdPluginTest, ReadsSkippableFramesBetween) {
  const std::string skippable("\x53\x2A\x4D\x18\x05\x00\x00\x00hello", 13);
  CheckConcatenates(plugin_, skippable + Packed("a"), "a", skippable + Packed("b") + skippable, "b");
}
TEST_F(ZstdPluginTest, RefusesRubbishAfterTheEnd) { CheckRefusesRubbishAfterEnd(plugin_, Packed("some text")); }
TEST_F(ZstdPluginTest, BeginsAnewAfterReset) { CheckReset(plugin_, Packed(Mixed(3000, 5)), Mixed(3000, 5)); }
TEST_F(ZstdPluginTest, FlushedBytesCanBeDecoded) { CheckFlushIsDecodable(plugin_); }

TEST_F(ZstdPluginTest, RefusesAFrameThatHoldsLessThanItClaims) {
  // One segment, 52 bytes claimed; its last block is empty. libzstd minds only when it gets all of it at once.
  const std::string frame("\x28\xB5\x2F\xFD\x20\x34\x01\x00\x00", 9);
  for (const size_t in_bytes : {size_t{1}, size_t{4}, frame.size()}) {
    EXPECT_EQ(plugin_.Transform(WALRIG_DECODE, frame, {.in_bytes = in_bytes}).code(), Code::kCorruption) << in_bytes;
  }
}

TEST_F(ZstdPluginTest, RefusesFramesOfZstdBefore08) {
  for (char magic = 0x22; magic <= 0x27; ++magic) {
    const std::string frame = magic + std::string("\xB5\x2F\xFD\x44\x00\x00\x00\x00", 8);
    EXPECT_EQ(plugin_.Transform(WALRIG_DECODE, frame).code(), Code::kCorruption) << int{magic};
    EXPECT_EQ(plugin_.Transform(WALRIG_DECODE, Packed("a") + frame).code(), Code::kCorruption) << int{magic};
  }
}

TEST_F(ZstdPluginTest, RefusesAWindowBeyondItsMemory) {
  // A frame header that asks for a window of 2^31 bytes, then an empty last block.
  const std::string huge("\x28\xB5\x2F\xFD\x00\xA8\x01\x00\x00", 9);
  EXPECT_EQ(plugin_.Transform(WALRIG_DECODE, huge).code(), Code::kTooLarge);
}

TEST_F(ZstdPluginTest, WritesAContentChecksum) {
  // Bit 2 of the frame header descriptor (RFC 8878).
  EXPECT_TRUE(Packed("x")[4] & 0x04);
}

TEST(ZstdLevelTest, TakesWalgsWordsAndNumbers) {
  for (const char* level : {"fastest", "Default", "BETTER", "best", "1", "19"}) {
    const AbiPlugin plugin("compressor-zstd", "zstd", {{"level", level}});
    EXPECT_TRUE(plugin.create_status().ok()) << level;
  }
}

TEST(ZstdLevelTest, RefusesAnythingElseAndNamesTheSetting) {
  for (const char* level : {"", "0", "23", "-1", "fast", "3x", "99999999999999"}) {
    const AbiPlugin plugin("compressor-zstd", "zstd", {{"level", level}});
    EXPECT_EQ(plugin.create_status().code(), Code::kConfig) << level;
    EXPECT_NE(plugin.create_status().message().find("WALG_ZSTD_LEVEL"), std::string_view::npos);
    EXPECT_FALSE(plugin.create_status().hint().empty());
  }
}

TEST(ZstdLevelTest, AHigherLevelPacksBetter) {
  const std::string text = Mixed(400000, 6);
  const AbiPlugin fast("compressor-zstd", "zstd", {{"level", "1"}});
  const AbiPlugin slow("compressor-zstd", "zstd", {{"level", "12"}});
  EXPECT_LT(slow.Transform(WALRIG_ENCODE, text).bytes.size(), fast.Transform(WALRIG_ENCODE, text).bytes.size());
}

TEST_F(ZstdPluginTest, SaysThatThereIsNoMemory) {
  const std::string plain = Mixed(1'500'000, 3);
  const AbiPlugin best("compressor-zstd", "zstd", {{"level", "19"}});
  CheckSaysThatThereIsNoMemory(best, WALRIG_ENCODE, plain);
  CheckSaysThatThereIsNoMemory(best, WALRIG_DECODE, best.Transform(WALRIG_ENCODE, plain).bytes);
}

}  // namespace
}  // namespace walrig::testing
