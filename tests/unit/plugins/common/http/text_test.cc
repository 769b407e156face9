#include "plugins/common/http/text.h"

#include "plugins/common/http/document.h"
#include "plugins/common/http/response.h"
#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;

TEST(Text, PercentEncodesAllButUnreserved) {
  EXPECT_EQ(http::PercentEncode("a-._~/b c+\xc3\xa4", true), "a-._~/b%20c%2B%C3%A4");
  EXPECT_EQ(http::PercentEncode("/"), "%2F");
  EXPECT_EQ(http::PercentDecode("a%2Fb%zz%4"), "a/b%zz%4");
  EXPECT_EQ(http::PercentDecode("a+b", true), "a b");
}

TEST(Text, TellsLoopbackFromNamesThatLookLikeIt) {
  EXPECT_TRUE(http::IsLoopback("127.8.9.1"));
  EXPECT_TRUE(http::IsLoopback("localhost"));
  EXPECT_TRUE(http::IsLoopback("[::1]"));
  EXPECT_FALSE(http::IsLoopback("127.0.0.1.example.com"));
  EXPECT_FALSE(http::IsLoopback("localhost.example.com"));
  EXPECT_FALSE(http::IsLoopback("10.0.0.1"));
}

TEST(Text, TakesUrlsApart) {
  const auto url = http::ParseUrl("HTTPS://Host.Example:8443/a/b?c=d#e");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->ToString(), "https://host.example:8443/a/b?c=d");
  EXPECT_EQ(http::ParseUrl("https://h:443")->Authority(), "h");
  EXPECT_EQ(http::ParseUrl("http://[::1]:9")->port, 9);
  for (const char* bad : {"ftp://h", "http://", "http://u:p@h", "http://h:0", "http://h:99999", "h/p", "http://h /"}) {
    EXPECT_THAT(http::ParseUrl(bad), HasCode(Code::kInvalidArgument)) << bad;
  }
}

TEST(Text, ReadsTheTimesThatItWrites) {
  const int64_t ns = 784'111'777'000'000'000;
  EXPECT_EQ(http::HttpDate(ns), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(*http::ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), ns);
  EXPECT_EQ(http::BasicIsoTime(ns), "19941106T084937Z");
  EXPECT_EQ(*http::ParseRfc3339Time(http::Rfc3339(ns)), ns);
  EXPECT_EQ(*http::ParseRfc3339Time("1994-11-06T09:49:37.25+01:00"), ns + 250'000'000);
  for (const char* bad : {"", "1994-11-06", "1994-13-06T09:49:37Z", "1994-11-06T09:49:37", "1994-11-06T09:49:37.Z"}) {
    EXPECT_FALSE(http::ParseRfc3339Time(bad).ok()) << bad;
  }
}

TEST(Response, SaysWhatANumberMeans) {
  EXPECT_THAT(HttpStatusError(404, {}, {}), HasCode(Code::kNotFound));
  const Status slow = HttpStatusError(503, {{"Retry-After", "7"}}, {.name = "SlowDown"});
  EXPECT_THAT(slow, HasCode(Code::kThrottled));
  EXPECT_TRUE(slow.retryable());
  EXPECT_EQ(slow.detail().retry_after_ms, 7000u);
  EXPECT_EQ(slow.detail().native_name, "SlowDown");
  for (const int status : {500, 502, 503, 504}) EXPECT_TRUE(HttpStatusError(status, {}, {.changes = true}).outcome_unknown()) << status;
  EXPECT_FALSE(HttpStatusError(503, {}, {}).outcome_unknown()) << "nothing was to be changed";
  EXPECT_FALSE(HttpStatusError(501, {}, {.changes = true}).outcome_unknown());
  EXPECT_FALSE(HttpStatusError(403, {}, {}).retryable());
}

TEST(Response, MeasuresADateAgainstTheServersOwnClock) {
  EXPECT_EQ(RetryAfterMs({{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"Retry-After", "Sun, 06 Nov 1994 08:49:47 GMT"}}), 10'000u);
  EXPECT_EQ(RetryAfterMs({{"Retry-After", "99999999999"}}), 3'600'000u);
  EXPECT_EQ(RetryAfterMs({{"Retry-After", "soon"}}), 0u);
}

TEST(Response, KeepsForeignTextOnOneLine) {
  EXPECT_EQ(PrintableLine("a\nb\x1b[0m"), "a?b?[0m");
  EXPECT_EQ(PrintableLine(std::string(300, 'x'), 3), "xxx...");
}

TEST(Document, ReadsXmlWithoutRegardToNamespaces) {
  pugi::xml_document document;
  const auto root = http::ParseXml("<a:R xmlns:a='x'><K>1 &amp; <![CDATA[2]]></K></a:R>", "it", &document);
  ASSERT_TRUE(root.ok());
  EXPECT_TRUE(http::XmlIs(*root, "R"));
  EXPECT_EQ(http::XmlText(*root, "K"), "1 & 2");
  EXPECT_EQ(http::XmlText(*root, "none"), "");
}

TEST(Document, RefusesWhatIsDamagedOrTooDeep) {
  std::string deep, json;
  for (int i = 0; i < 100'000; ++i) deep += "<a>", json += '[';
  for (int i = 0; i < 100'000; ++i) deep += "</a>", json += ']';
  for (const std::string& bad : {std::string(), std::string("<a>"), std::string("no"), deep}) {
    pugi::xml_document document;
    EXPECT_THAT(http::ParseXml(bad, "it", &document), HasCode(Code::kProtocol));
  }
  EXPECT_THAT(http::ParseHttpJson(json, "it"), HasCode(Code::kProtocol));
  EXPECT_THAT(http::ParseHttpJson("{", "it"), HasCode(Code::kProtocol));
  EXPECT_EQ(http::JsonMember(*http::ParseHttpJson("{\"a\":\"b\",\"n\":3}", "it"), "n"), "3");
}

}  // namespace
}  // namespace walrig
