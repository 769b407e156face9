#include "plugins/storage/azure/answers.h"

#include <gtest/gtest.h>

namespace walrig::azure {
namespace {

std::string List(const std::string& blobs, const std::string& marker = "") {
  return "<?xml version=\"1.0\"?><EnumerationResults><Blobs>" + blobs + "</Blobs><NextMarker>" + marker +
         "</NextMarker></EnumerationResults>";
}

TEST(AnswersTest, ReadsAList) {
  const auto list = ParseListAnswer(
      List("<Blob><Name>a &amp; b</Name><Properties><Last-Modified>Sun, 06 Nov 1994 08:49:37 GMT</Last-Modified>"
           "<Etag>0x8D</Etag><Content-Length>5</Content-Length></Properties></Blob>"
           "<BlobPrefix><Name Encoded=\"true\">x%EF%BF%BF/</Name></BlobPrefix>"
           "<Blob><Name>folder</Name><Properties><ResourceType>directory</ResourceType></Properties></Blob>",
           "m"));
  ASSERT_TRUE(list.ok()) << list.status().ToString();
  ASSERT_EQ(list->blobs.size(), 1u);
  EXPECT_EQ(list->blobs[0].key, "a & b");
  EXPECT_EQ(list->blobs[0].size_bytes, 5u);
  EXPECT_EQ(list->blobs[0].etag, "\"0x8D\"");
  EXPECT_EQ(list->blobs[0].mtime_ns, 784111777'000'000'000);
  EXPECT_EQ(list->prefixes, std::vector<std::string>{"x\xEF\xBF\xBF/"});
  EXPECT_EQ(list->next_marker, "m");
}

TEST(AnswersTest, RefusesListsThatLackSomething) {
  for (const std::string& text :
       {std::string(), std::string("<html/>"), List("<Blob><Name/></Blob>"), List("<Blob><Name>a</Name></Blob>"),
        List("<Blob><Name>a</Name><Properties><Content-Length>-1</Content-Length></Properties></Blob>"),
        List("<Blob><Name>a</Name><Properties><Content-Length>99999999999999999999</Content-Length></Properties></Blob>"),
        List("<BlobPrefix/>"), List("").substr(0, 60)}) {
    EXPECT_EQ(ParseListAnswer(text).status().code(), Code::kProtocol) << text;
  }
}

TEST(AnswersTest, ReadsTheAnswerToABatch) {
  const std::string body =
      "--b\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\nHTTP/1.1 404 The specified blob does not exist.\r\n"
      "x-ms-error-code: BlobNotFound\r\n\r\n<Error/>\r\n--b\r\nContent-ID: 0\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n--b--\r\n";
  const auto parts = ParseBatchAnswer("multipart/mixed; boundary=b", body);
  ASSERT_TRUE(parts.ok()) << parts.status().ToString();
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[0].content_id, 1u);
  EXPECT_EQ((*parts)[0].status, 404);
  EXPECT_EQ((*parts)[0].error_name, "BlobNotFound");
  EXPECT_EQ((*parts)[1].status, 202);
  for (size_t n = 0; n + 4 < body.size(); ++n) {
    EXPECT_FALSE(ParseBatchAnswer("multipart/mixed; boundary=b", body.substr(0, n)).ok()) << n;
  }
  EXPECT_FALSE(ParseBatchAnswer("text/plain", body).ok());
}

}  // namespace
}  // namespace walrig::azure
