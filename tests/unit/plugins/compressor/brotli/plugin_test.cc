#include <gtest/gtest.h>

#include "tests/support/transform_checks.h"

namespace walrig::testing {
namespace {

class BrotliPluginTest : public ::testing::Test {
 protected:
  AbiPlugin plugin_{"compressor-brotli", "brotli"};
  std::string Packed(const std::string& plain) { return plugin_.Transform(WALRIG_ENCODE, plain).bytes; }
};

TEST_F(BrotliPluginTest, SaysWhatItIs) {
  EXPECT_STREQ(plugin_.factory().extensions[0], "br");
  EXPECT_FALSE(plugin_.factory().caps & WALRIG_CAP_TF_CONCATENABLE);
}
TEST_F(BrotliPluginTest, RoundTripsThroughBuffersOfAnySize) { CheckRoundTrips(plugin_); }
TEST_F(BrotliPluginTest, SeesEveryTruncation) { CheckEveryTruncation(plugin_, Packed(Mixed(900, 1))); }
TEST_F(BrotliPluginTest, ComesToAnEndWhateverBitIsFlipped) { CheckFlipsEnd(plugin_, Packed(Mixed(500, 1))); }
TEST_F(BrotliPluginTest, RefusesBytesAfterTheEnd) { CheckRefusesRubbishAfterEnd(plugin_, Packed("some text")); }
TEST_F(BrotliPluginTest, BeginsAnewAfterReset) { CheckReset(plugin_, Packed(Mixed(3000, 5)), Mixed(3000, 5)); }
TEST_F(BrotliPluginTest, FlushedBytesCanBeDecoded) { CheckFlushIsDecodable(plugin_); }

}  // namespace
}  // namespace walrig::testing
