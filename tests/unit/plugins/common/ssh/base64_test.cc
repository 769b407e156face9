#include "plugins/common/ssh/base64.h"

#include <gtest/gtest.h>

namespace walrig::ssh {
namespace {

TEST(Base64, RoundTripsEveryLength) {
  std::string bytes;
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(DecodeBase64(EncodeBase64(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Base64, KnowsTheVectorsOfRfc4648) {
  EXPECT_EQ(EncodeBase64("f"), "Zg==");
  EXPECT_EQ(EncodeBase64("fo"), "Zm8=");
  EXPECT_EQ(EncodeBase64("foobar"), "Zm9vYmFy");
}

TEST(Base64, RefusesWrongCharactersAndLengths) {
  for (const char* text : {"Zg=", "Zg", "Z===", "Zm9v!mFy", "=m9v", "Zg==Zg=="}) EXPECT_FALSE(DecodeBase64(text)) << text;
}

}  // namespace
}  // namespace walrig::ssh
