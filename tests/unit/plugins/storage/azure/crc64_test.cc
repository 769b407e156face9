#include "plugins/storage/azure/crc64.h"

#include <gtest/gtest.h>

#include <string>

namespace walrig::azure {
namespace {

TEST(Crc64Test, HasThePublishedCheckValue) {
  EXPECT_EQ(Crc64(0, AsBytes("123456789")), 0xAE8B14860A799888u);
  EXPECT_EQ(Crc64(0, {}), 0u);
}

TEST(Crc64Test, IsTheSameByMultiplicationAndByTableAtEveryLength) {
  std::string text;
  uint32_t state = 1;
  for (int i = 0; i < 1500; ++i) text += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  for (size_t n = 0; n < text.size(); ++n) {
    const ByteSpan bytes = AsBytes(text).first(n);
    ASSERT_EQ(Crc64(0, bytes), Crc64ByTable(0, bytes)) << n;
  }
}

TEST(Crc64Test, GoesOnWhereItEnded) {
  const std::string text(1000, 'x');
  const ByteSpan bytes = AsBytes(text);
  EXPECT_EQ(Crc64(Crc64(0, bytes.first(333)), bytes.subspan(333)), Crc64(0, bytes));
}

TEST(Crc64Test, IsWrittenLeastSignificantByteFirst) { EXPECT_EQ(Crc64Header(1), "AQAAAAAAAAA="); }

}  // namespace
}  // namespace walrig::azure
