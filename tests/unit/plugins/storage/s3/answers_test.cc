#include "plugins/storage/s3/answers.h"

#include "tests/support/status_matchers.h"

namespace walrig::s3 {
namespace {

using test::HasCode;

TEST(Answers, ListsObjectsAndPrefixesInOrderOfBytes) {
  const auto list = ParseList(
      "<ListBucketResult xmlns='x'><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;1</NextContinuationToken>"
      "<CommonPrefixes><Prefix>a%2Fb%2F</Prefix></CommonPrefixes>"
      "<Contents><Key>a%2Fc+d%2B</Key><Size>7</Size><ETag>&quot;e&quot;</ETag><LastModified>2026-01-02T03:04:05.678Z</LastModified></Contents>"
      "<Contents><Key>a%2F.x</Key><Size>0</Size></Contents></ListBucketResult>", false);
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->entries.size(), 3u);
  EXPECT_EQ(list->entries[0].key, "a/.x");
  EXPECT_TRUE(list->entries[1].is_prefix);
  EXPECT_EQ(list->entries[2].key, "a/c d+");
  EXPECT_EQ(list->entries[2].etag, "\"e\"");
  EXPECT_EQ(list->next, "t&1");
}

TEST(Answers, RefusesAPageThatNeverEnds) {
  EXPECT_THAT(ParseList("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", false), HasCode(Code::kProtocol));
  EXPECT_THAT(ParseList("<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>", false), HasCode(Code::kProtocol));
  EXPECT_THAT(ParseList("<html/>", false), HasCode(Code::kProtocol));
}

TEST(Answers, TakesTheLastKeyForTheMarkerOfTheOldCall) {
  const auto list = ParseList("<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>k</Key><Size>1</Size></Contents></ListBucketResult>", true);
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->next, "k");
}

TEST(Answers, FindsTheErrorWithinASuccess) {
  const auto late = ParseEtag("<?xml version='1.0'?>\n   <Error><Code>InternalError</Code><Message>m</Message></Error>");
  ASSERT_TRUE(late.ok());
  EXPECT_EQ(late->error.code, "InternalError");
  EXPECT_EQ(ParseEtag("<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")->etag, "e");
  EXPECT_THAT(ParseEtag(""), HasCode(Code::kProtocol));
  EXPECT_THAT(ParseEtag("<CompleteMultipartUploadResult/>"), HasCode(Code::kProtocol));
  EXPECT_TRUE(ParseError("<html>503</html>").code.empty());
}

}  // namespace
}  // namespace walrig::s3
