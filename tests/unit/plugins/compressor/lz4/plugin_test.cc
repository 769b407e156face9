#include <gtest/gtest.h>

#include "tests/support/no_memory.h"
#include "tests/support/transform_checks.h"

namespace walrig::testing {
namespace {

class Lz4PluginTest : public ::testing::Test {
 protected:
  AbiPlugin plugin_{"compressor-lz4", "lz4"};
  std::string Packed(const std::string& plain) { return plugin_.Transform(WALRIG_ENCODE, plain).bytes; }
};

TEST_F(Lz4PluginTest, DoesNotClaimFramesInARowBecauseWalgStopsAfterTheFirst) {
  EXPECT_FALSE(plugin_.factory().caps & WALRIG_CAP_TF_CONCATENABLE);
  EXPECT_STREQ(plugin_.factory().extensions[0], "lz4");
}

TEST_F(Lz4PluginTest, RoundTripsThroughBuffersOfAnySize) { CheckRoundTrips(plugin_); }
TEST_F(Lz4PluginTest, RoundTripsManyBlocks) {
  const std::string text = Mixed(3 << 20, 9);
  const AbiResult packed = plugin_.Transform(WALRIG_ENCODE, text, {.in_bytes = 1 << 20, .out_bytes = 1000});
  ASSERT_TRUE(packed.ok()) << packed.status.ToString();
  EXPECT_TRUE(plugin_.Transform(WALRIG_DECODE, packed.bytes, {.out_bytes = 777}).bytes == text);
}
TEST_F(Lz4PluginTest, SeesEveryTruncation) { CheckEveryTruncation(plugin_, Packed(Mixed(900, 1))); }
TEST_F(Lz4PluginTest, SeesEveryFlippedBit) {
  const std::string plain = Mixed(700, 2);
  CheckEveryBitFlip(plugin_, Packed(plain), plain);
}
TEST_F(Lz4PluginTest, ReadsFramesInARow) {
  CheckConcatenates(plugin_, Packed(Mixed(5000, 1)), Mixed(5000, 1), Packed(""), "");
}
TEST_F(Lz4PluginTest, RefusesRubbishAfterTheEnd) { CheckRefusesRubbishAfterEnd(plugin_, Packed("some text")); }
TEST_F(Lz4PluginTest, BeginsAnewAfterReset) { CheckReset(plugin_, Packed(Mixed(3000, 5)), Mixed(3000, 5)); }
TEST_F(Lz4PluginTest, FlushedBytesCanBeDecoded) { CheckFlushIsDecodable(plugin_); }

TEST_F(Lz4PluginTest, WritesIndependentBlocksWithAContentChecksum) {
  const std::string packed = Packed("x");
  EXPECT_EQ(packed[4] & 0x20, 0x20);  // block independence
  EXPECT_EQ(packed[4] & 0x04, 0x04);  // content checksum
  EXPECT_EQ(packed[5] & 0x70, 0x50);  // blocks of 256 KiB at most
}

TEST(Lz4LevelTest, HighCompressionPacksBetter) {
  const std::string text = Mixed(400000, 6);
  const AbiPlugin fast("compressor-lz4", "lz4", {{"level", "0"}});
  const AbiPlugin slow("compressor-lz4", "lz4", {{"level", "9"}});
  const std::string packed = slow.Transform(WALRIG_ENCODE, text).bytes;
  EXPECT_LT(packed.size(), fast.Transform(WALRIG_ENCODE, text).bytes.size());
  EXPECT_TRUE(fast.Transform(WALRIG_DECODE, packed).bytes == text);
}

TEST_F(Lz4PluginTest, SaysThatThereIsNoMemory) {
  const std::string plain = Mixed(1'500'000, 3);
  CheckSaysThatThereIsNoMemory(plugin_, WALRIG_ENCODE, plain);
  CheckSaysThatThereIsNoMemory(plugin_, WALRIG_DECODE, plugin_.Transform(WALRIG_ENCODE, plain).bytes);
}

}  // namespace
}  // namespace walrig::testing
