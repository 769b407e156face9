#include "plugins/storage/gcs/answers.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace walrig::gcs {
namespace {

using test::HasCode;

TEST(GcsAnswersTest, ReadsAnObjectWhoseNumbersAreTexts) {
  ASSERT_OK_AND_ASSIGN(const RemoteObject object,
                       ParseObject(R"({"name":"a/b","size":"12","generation":"170","updated":"2026-01-02T03:04:05.006Z","crc32c":"4waSgw=="})"));
  EXPECT_EQ(object.info.key, "a/b");
  EXPECT_EQ(object.info.size_bytes, 12u);
  EXPECT_EQ(object.info.etag, "170");
  EXPECT_EQ(object.info.mtime_ns, 1'767'323'045'006'000'000);
  EXPECT_EQ(object.crc32c, 0xE3069283u);
}

TEST(GcsAnswersTest, RefusesObjectsThatMakeNoSense) {
  for (const char* body : {"", "[]", "null", "{}", R"({"name":"a"})", R"({"name":"a","size":"-1","generation":"1"})",
                           R"({"name":"a","size":"99999999999999999999","generation":"1"})", R"({"name":"a","size":"1","generation":"x&y"})"}) {
    EXPECT_THAT(ParseObject(body), HasCode(Code::kProtocol)) << body;
  }
}

TEST(GcsAnswersTest, ReadsAnEmptyListAndOneWithPrefixes) {
  ASSERT_OK_AND_ASSIGN(const RemotePage empty, ParseList("{}"));
  EXPECT_TRUE(empty.items.empty() && empty.prefixes.empty() && empty.next_page_token.empty());
  ASSERT_OK_AND_ASSIGN(const RemotePage page,
                       ParseList(R"({"items":[{"name":"a","size":"1","generation":"2"}],"prefixes":["b/"],"nextPageToken":"t"})"));
  EXPECT_EQ(page.items.at(0).info.key, "a");
  EXPECT_EQ(page.prefixes.at(0), "b/");
  EXPECT_EQ(page.next_page_token, "t");
  EXPECT_THAT(ParseList(R"({"items":{}})"), HasCode(Code::kProtocol));
  EXPECT_THAT(ParseList(R"({"prefixes":[1]})"), HasCode(Code::kProtocol));
}

TEST(GcsAnswersTest, ACopyThatIsNotDoneMustSayHowToGoOn) {
  ASSERT_OK_AND_ASSIGN(const RewriteState half, ParseRewrite(R"({"done":false,"rewriteToken":"x"})"));
  EXPECT_EQ(half.token, "x");
  EXPECT_THAT(ParseRewrite(R"({"done":false})"), HasCode(Code::kProtocol));
  EXPECT_THAT(ParseRewrite("{}"), HasCode(Code::kProtocol));
}

TEST(GcsAnswersTest, FindsTheChecksumAmongHashes) {
  EXPECT_EQ(HashHeaderCrc32c({{"X-Goog-Hash", "md5=abc, crc32c=4waSgw=="}}), 0xE3069283u);
  EXPECT_EQ(HashHeaderCrc32c({{"x-goog-hash", "md5=abc"}, {"x-goog-hash", "crc32c=4waSgw=="}}), 0xE3069283u);
  EXPECT_EQ(HashHeaderCrc32c({{"x-goog-hash", "crc32c=4waS"}}), std::nullopt);
  EXPECT_EQ(HashHeaderCrc32c({}), std::nullopt);
}

TEST(GcsAnswersTest, CountsWhatASessionHolds) {
  EXPECT_THAT(ParsePersisted(""), test::IsOkAndHolds(0u));
  EXPECT_THAT(ParsePersisted("bytes=0-262143"), test::IsOkAndHolds(262144u));
  for (const char* range : {"bytes=1-5", "bytes=0-", "bytes=0-18446744073709551615", "0-x", "nonsense"}) {
    EXPECT_THAT(ParsePersisted(range), HasCode(Code::kProtocol)) << range;
  }
}

TEST(GcsAnswersTest, SortsABatchByItsNumbers) {
  const std::string body =
      "--b\r\nContent-Type: application/http\r\nContent-ID: <response-item-1>\r\n\r\nHTTP/1.1 404 Not Found\r\nX: y\r\n\r\n{\"error\":{}}\r\n"
      "--b\r\nContent-Type: application/http\r\nContent-ID: <response-item-0>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n\r\n--b--\r\n";
  ASSERT_OK_AND_ASSIGN(const auto answers, ParseBatch("multipart/mixed; boundary=b", body, 3));
  EXPECT_EQ(answers[0].status, 204);
  EXPECT_EQ(answers[1].status, 404);
  EXPECT_EQ(answers[2].status, 0);
  EXPECT_THAT(ParseBatch("multipart/mixed; boundary=b", body, 1), HasCode(Code::kProtocol));
  EXPECT_THAT(ParseBatch("text/plain", body, 1), HasCode(Code::kProtocol));
}

}  // namespace
}  // namespace walrig::gcs
