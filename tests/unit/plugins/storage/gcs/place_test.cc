#include "plugins/storage/gcs/place.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "walrig/storage.h"

namespace walrig::gcs {
namespace {

using test::HasCode;

TEST(GcsPlaceTest, TakesBucketAndPathApart) {
  ASSERT_OK_AND_ASSIGN(const Place place, ParsePlace("gs://my-bucket/a//b/", true));
  EXPECT_EQ(place.bucket, "my-bucket");
  EXPECT_EQ(place.prefix, "a/b/");
  ASSERT_OK_AND_ASSIGN(const Place root, ParsePlace("gs://my-bucket", true));
  EXPECT_EQ(root.prefix, "");
}

TEST(GcsPlaceTest, KeepsDoubledSlashesOfWalEWhenNotNormalizing) {
  ASSERT_OK_AND_ASSIGN(const Place place, ParsePlace("gs://my-bucket//a//b", false));
  EXPECT_EQ(place.prefix, "/a//b/");
}

TEST(GcsPlaceTest, RefusesPrefixesThatNameNoBucket) {
  for (const char* text : {"", "s3://bucket/a", "gs://", "gs:///a", "gs://ab/x", "gs://Bucket/x", "gs://buck?et/x", "gs://bucket/\xff"}) {
    EXPECT_THAT(ParsePlace(text, true), HasCode(Code::kConfig)) << text;
  }
}

TEST(GcsPlaceTest, ReadsEndpointsWithAndWithoutScheme) {
  ASSERT_OK_AND_ASSIGN(const std::string bare, ParseEndpoint("localhost:4443", "http"));
  EXPECT_EQ(bare, "http://localhost:4443");
  ASSERT_OK_AND_ASSIGN(const std::string full, ParseEndpoint("https://localhost:4443//", "http"));
  EXPECT_EQ(full, "https://localhost:4443");
  EXPECT_THAT(ParseEndpoint("ftp://x", "https"), HasCode(Code::kConfig));
  EXPECT_THAT(ParseEndpoint("https://x?y=1", "https"), HasCode(Code::kConfig));
}

TEST(GcsPlaceTest, RefusesNamesThatABucketOrItsToolsWouldChange) {
  for (const std::string key : {"", "/a", "a/", "a//b", ".", "a/../b", "a/./b", "a\nb", "a\x7f", "\xff", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                "a_chunks/x", "d/a_chunks/chunk0"}) {
    EXPECT_THAT(CheckKey("p/", key), HasCode(Code::kNameInvalid)) << key;
  }
  EXPECT_THAT(CheckKey("p/", std::string(1023, 'k')), HasCode(Code::kNameInvalid));
  EXPECT_OK(CheckKey("p/", std::string(1022, 'k')));
  for (const char* key : {"a", "a b", "\xc3\xa9", "\xf0\x9f\x90\x98", "..a", "a_chunks", "%2F", "#?*"}) EXPECT_OK(CheckKey("", key)) << key;
}

TEST(GcsPlaceTest, FindsTheObjectAndTheTimeInTheNameOfAPiece) {
  const std::string folder = NewUploadFolder("base/part_1.tar", 1'700'000'000'123'456'789, 42);
  const std::string name = folder + "piece-00000001";
  EXPECT_TRUE(IsPiece(name));
  const PieceName piece = SplitPiece(name);
  EXPECT_EQ(piece.key, "base/part_1.tar");
  EXPECT_EQ(UploadStartNs(piece.upload), 1'700'000'000'123'456'789);
  const PieceName walg = SplitPiece("base/part_1.tar_chunks/chunk17");
  EXPECT_EQ(walg.key, "base/part_1.tar");
  EXPECT_EQ(walg.upload, "");
  EXPECT_EQ(UploadStartNs("walrig-zz"), kUnknownTime);
}

}  // namespace
}  // namespace walrig::gcs
