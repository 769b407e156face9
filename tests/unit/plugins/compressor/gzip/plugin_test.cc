#include <gtest/gtest.h>

#include "tests/support/transform_checks.h"

namespace walrig::testing {
namespace {

// Made by gzip 1.12: a packed text, and 64 bytes of noise, which it stores.
const std::string kTextGz(
    "\x1F\x8B\x08\x08\xFD\x94\x04\x6B\x02\x03\x74\x65\x78\x74\x00\xCB\xC9\xCC\x4B\x55\x30\x50\xC8\x4F\x53\x48"
    "\x54\x28\x49\xAD\x28\x51\x28\xC9\x48\x2C\x51\x28\x48\x4C\xCE\x2E\x56\x28\x4F\xCD\xC9\xE1\xCA\x01\x29\x30"
    "\x24\xA4\xC0\x88\x90\x02\x63\x42\x0A\x4C\x08\x29\x30\x25\xA4\xC0\x8C\x90\x82\x51\x6F\x0E\x0D\x6F\x02\x00"
    "\xAB\x0E\x5C\x4E\x94\x02\x00\x00",
    86);
const std::string kNoiseGz(
    "\x1F\x8B\x08\x08\xFD\x94\x04\x6B\x02\x03\x6E\x6F\x69\x73\x65\x00\x01\x40\x00\xBF\xFF\x82\xB7\x0E\xEE\x7F"
    "\x1A\x50\x39\xBE\xF0\x7E\xC2\x34\x7F\x06\x6E\xD0\x8F\x5D\xC7\x51\x24\x47\xE3\x40\x43\x00\x02\x6B\x6E\x54"
    "\x55\x94\xA0\x65\x68\x5D\x64\xC4\x98\x0B\xB8\xD4\x54\x4A\x87\x21\xA9\x9A\x01\xAD\x21\x9E\xB5\x9C\xF6\xA1"
    "\x5E\xF6\xF1\x5A\x1D\x83\x0B\x66\x31\xB3\xE6\x40\x00\x00\x00",
    93);

std::string Text() {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "line " + std::to_string(i % 7) + " of a text that packs well\n";
  return text;
}

class GzipPluginTest : public ::testing::Test {
 protected:
  AbiPlugin plugin_{"compressor-gzip", "gzip"};
};

TEST_F(GzipPluginTest, OnlyReads) {
  EXPECT_EQ(plugin_.factory().caps, WALRIG_CAP_TF_DECODE | WALRIG_CAP_TF_CONCATENABLE);
  EXPECT_EQ(plugin_.Transform(WALRIG_ENCODE, "x").code(), Code::kNotSupported);
  EXPECT_STREQ(plugin_.factory().aliases[0], "gz");
  EXPECT_STREQ(plugin_.factory().extensions[0], "gz");
}
TEST_F(GzipPluginTest, ReadsWhatGzipWrote) {
  EXPECT_EQ(plugin_.Transform(WALRIG_DECODE, kTextGz).bytes, Text());
  EXPECT_EQ(plugin_.Transform(WALRIG_DECODE, kTextGz, {.in_bytes = 1, .out_bytes = 1}).bytes, Text());
}
TEST_F(GzipPluginTest, SeesEveryTruncation) { CheckEveryTruncation(plugin_, kTextGz); }
TEST_F(GzipPluginTest, SeesEveryFlippedBitThatMatters) { CheckEveryBitFlip(plugin_, kTextGz, Text()); }
TEST_F(GzipPluginTest, ReadsMembersInARow) {
  const std::string noise = plugin_.Transform(WALRIG_DECODE, kNoiseGz).bytes;
  ASSERT_EQ(noise.size(), 64u);
  CheckConcatenates(plugin_, kTextGz, Text(), kNoiseGz, noise);
}
TEST_F(GzipPluginTest, RefusesRubbishAfterTheEnd) { CheckRefusesRubbishAfterEnd(plugin_, kTextGz); }
TEST_F(GzipPluginTest, BeginsAnewAfterReset) { CheckReset(plugin_, kTextGz, Text()); }

}  // namespace
}  // namespace walrig::testing
