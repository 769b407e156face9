#include "plugins/common/http/digest.h"

#include "tests/support/status_matchers.h"

namespace walrig::http {
namespace {

using test::HasCode;

TEST(Digest, AgreesWithPublishedVectors) {
  ASSERT_TRUE(DigestGlobalInit().ok());
  EXPECT_EQ(HexOf(Sha256Of(AsBytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Base64Of(Md5Of(AsBytes(""))), "1B2M2Y8AsgTpgAmY7PhCfg==");
  // RFC 4231, cases 2 and 6.
  EXPECT_EQ(HexOf(HmacSha256(AsBytes("Jefe"), AsBytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HexOf(HmacSha256(AsBytes(std::string(131, '\xaa')), AsBytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(Crc32c(0, AsBytes("123456789")), 0xE3069283u);
  EXPECT_EQ(Crc32cBase64(0xE3069283u), "4waSgw==");
}

TEST(Digest, OfPiecesIsThatOfTheWhole) {
  Digester digester(DigestKind::kSha256);
  for (int round = 0; round < 2; ++round) {
    digester.Update(AsBytes("a"));
    digester.Update(AsBytes("bc"));
    EXPECT_EQ(HexOf(AsBytes(digester.Final())), HexOf(Sha256Of(AsBytes("abc"))));
    digester.Reset();
  }
  const uint32_t a = Crc32c(0, AsBytes("12345")), b = Crc32c(0, AsBytes("6789"));
  EXPECT_EQ(Crc32cCombine(a, b, 4), 0xE3069283u);
  EXPECT_EQ(Crc32cCombine(0, b, 4), b);
}

TEST(Base64, TakesWhatItGives) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    bytes += static_cast<char>(i * 37);
    EXPECT_EQ(*Base64Decode(Base64Of(AsBytes(bytes))), bytes);
    EXPECT_EQ(*Base64Decode(Base64UrlOf(AsBytes(bytes))), bytes);
  }
  EXPECT_THAT(Base64Decode("a"), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(Base64Decode("ab c"), HasCode(Code::kInvalidArgument));
}

}  // namespace
}  // namespace walrig::http
