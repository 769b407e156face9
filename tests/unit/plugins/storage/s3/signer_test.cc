#include "plugins/storage/s3/signer.h"

#include "plugins/common/http/digest.h"
#include "tests/support/status_matchers.h"

namespace walrig::s3 {
namespace {

// The examples of AWS's documentation of SigV4 for S3.
std::string SignatureOf(std::string_view query) {
  Credentials credentials;
  credentials.access_key = "AKIAIOSFODNN7EXAMPLE";
  credentials.secret_key = *SecretBytes::CopyOf(AsBytes("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
  const std::string hash = http::HexOf(http::Sha256Of({}));
  HttpHeaders headers;
  Sign({.method = "GET", .authority = "examplebucket.s3.amazonaws.com", .encoded_path = "/", .query = query, .payload_hash = hash,
        .region = "us-east-1", .wall_ns = 1'369'353'600'000'000'000}, credentials, &headers);
  EXPECT_EQ(FindHeader(headers, "x-amz-date"), "20130524T000000Z");
  return std::string(FindHeader(headers, "Authorization"));
}

TEST(Signer, AgreesWithTheExamplesOfAws) {
  EXPECT_EQ(SignatureOf(CanonicalQuery({{"lifecycle", ""}})),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
            "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_THAT(SignatureOf(CanonicalQuery({{"prefix", "J"}, {"max-keys", "2"}})),
              ::testing::EndsWith("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(Signer, SortsAndEncodesTheQuery) {
  EXPECT_EQ(CanonicalQuery({{"b", "x y"}, {"a", "/+"}, {"a-", ""}}), "a=%2F%2B&a-=&b=x%20y");
}

}  // namespace
}  // namespace walrig::s3
