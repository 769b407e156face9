#include "core/base/go_json.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

TEST(GoJsonTest, EscapesAsGoDoes) {
  EXPECT_EQ(GoJsonString("<a&b>", true), R"("\u003ca\u0026b\u003e")");
  EXPECT_EQ(GoJsonString("<a&b>", false), R"("<a&b>")");
  EXPECT_EQ(GoJsonString("\"\\\b\f\n\r\t\x01\x7f", true), "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\x7f\"");
  EXPECT_EQ(GoJsonString("ü\xE2\x80\xA8", true), "\"ü\\u2028\"");
  EXPECT_EQ(GoJsonString("\xE2\x80\xA9", false), "\"\xE2\x80\xA9\"");
  EXPECT_EQ(GoJsonString("a\xFF", true), "\"a\\ufffd\"");
  EXPECT_EQ(GoJsonString("a\xFF", false), "\"a\xEF\xBF\xBD\"");
}

TEST(GoJsonTest, WritesNumbersAsGoDoes) {
  for (const char* text : {"0", "18446744073709551615", "-9223372036854775808", "1.5", "1e-7", "1e+21", "100000000000000000000",
                           "-0.000001", "true", "null", "[]", "{}", "[1,{\"n\":3}]"}) {
    ASSERT_OK_AND_ASSIGN(Json json, ParseJson(text, "text"));
    EXPECT_EQ(GoJson(json, true, true), text);
  }
  EXPECT_EQ(GoJson(Json(1.0), true, true), "1");
}

// Go writes -0 for it, too; read as an integer it would be another text the next time.
TEST(GoJsonTest, MinusZeroStaysWhatItIs) {
  for (const char* text : {"-0", "-0.0", "-0e80"}) {
    ASSERT_OK_AND_ASSIGN(Json json, ParseJson(text, "text"));
    EXPECT_EQ(GoJson(json, true, false), "-0") << text;
  }
  ASSERT_OK_AND_ASSIGN(Json zero, ParseJson("0", "text"));
  EXPECT_EQ(GoJson(zero, true, false), "0");
}

TEST(GoJsonTest, SortsKeysOnlyWhenAsked) {
  ASSERT_OK_AND_ASSIGN(Json json, ParseJson(R"({"b":{"z":1,"a":2},"a":0})", "text"));
  EXPECT_EQ(GoJson(json, true, true), R"({"a":0,"b":{"a":2,"z":1}})");
  EXPECT_EQ(GoJson(json, true, false), R"({"b":{"z":1,"a":2},"a":0})");
}

TEST(GoJsonTest, KnowsUtf8) {
  for (const char* good : {"", "a", "ü", "€", "\xF0\x9F\x90\x98", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) EXPECT_TRUE(IsUtf8(good)) << good;
  for (const char* bad : {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
                          "\xE2\x82", "a\xFF"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

}  // namespace
}  // namespace walrig
