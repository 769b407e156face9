#include "core/base/json.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOkAndHolds;
using test::MessageHas;

Json Parsed(std::string_view text) {
  Result<Json> json = ParseJson(text, "doc");
  EXPECT_OK(json);
  return json.ok() ? *json : Json();
}

TEST(ParseJsonTest, KeepsOrderTypesAndNesting) {
  constexpr std::string_view kText = R"({"z":[1,-2,{"deep":null}],"a":"é\n","f":1.5,"t":true,"e":{},"l":[]})";
  EXPECT_EQ(DumpJson(Parsed(kText)), kText);
}

TEST(ParseJsonTest, IntegersKeepSixtyFourBits) {
  Json json = Parsed(R"({"u":18446744073709551615,"i":-9223372036854775808,"s":7219345874529358912})");
  EXPECT_THAT(JsonUint(json, "u", "doc"), IsOkAndHolds(UINT64_MAX));
  EXPECT_THAT(JsonInt(json, "i", "doc"), IsOkAndHolds(INT64_MIN));
  EXPECT_THAT(JsonUint(json, "s", "doc"), IsOkAndHolds(uint64_t{7219345874529358912}));
}

TEST(ParseJsonTest, SaysWhereItWentWrong) {
  Result<Json> json = ParseJson("{\n  \"a\": 1,\n  \"b\": nope\n}", "sentinel.json");
  EXPECT_THAT(json, HasCode(Code::kCorruption));
  EXPECT_THAT(json, MessageHas("sentinel.json: not JSON at line 3, byte 21:"));
}

TEST(ParseJsonTest, RefusesEverythingThatIsNotOneDocument) {
  for (const char* text : {"",      " ",       "{",       "[1,",         "{\"a\":}", "{\"a\" 1}", "[1,]", "{} {}",
                           "{}x",   "nul",     "'a'",     "01",          "+1",       "1.",        "NaN",  "Infinity",
                           "1e999", "// c\n1", "\"\\x\"", "\"\\ud800\"", "\"a\nb\"", "{a:1}",     "]"}) {
    EXPECT_THAT(ParseJson(text, "doc"), HasCode(Code::kCorruption)) << text;
  }
  EXPECT_THAT(ParseJson("\"\xff\"", "doc"), HasCode(Code::kCorruption));
  EXPECT_THAT(ParseJson(std::string_view("{}\0", 3), "doc"), HasCode(Code::kCorruption));
  EXPECT_THAT(ParseJson(std::string_view("{}\0garbage", 10), "doc"), HasCode(Code::kCorruption));
}

TEST(ParseJsonTest, MessageNeverQuotesTheDocument) {
  for (const char* text : {"{\"key\": \"hunter2", "{\"key\": \"hunter2\n\"}", "{\"key\": \"hunter2\" \"hunter2\"}"}) {
    Result<Json> json = ParseJson(text, "settings");
    EXPECT_THAT(json, HasCode(Code::kCorruption));
    EXPECT_EQ(json.status().message().find("hunter"), std::string_view::npos) << json.status().message();
  }
}

TEST(ParseJsonTest, NestingIsBounded) {
  auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_OK(ParseJson(nested(kJsonDepthMax), "doc"));
  EXPECT_THAT(ParseJson(nested(kJsonDepthMax + 1), "doc"), MessageHas("nested deeper than 64"));
  EXPECT_THAT(ParseJson(std::string(10'000'000, '['), "doc"), HasCode(Code::kCorruption));
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(ParseJson(objects, "doc"), MessageHas("nested deeper than 64"));
}

TEST(ParseJsonTest, RefusesAKeyThatOccursTwice) {
  EXPECT_THAT(ParseJson(R"({"a":1,"b":2,"a":3})", "doc"), MessageHas("key \"a\" occurs twice"));
  EXPECT_OK(ParseJson(R"({"a":{"a":1},"b":{"a":1}})", "doc"));
}

// Looking each key up among those before it would need tens of minutes here.
TEST(ParseJsonTest, ManyKeysDoNotTakeQuadraticTime) {
  std::string text = "{";
  for (int i = 0; i < 300'000; ++i) text += "\"key" + std::to_string(i) + "\":0,";
  text.back() = '}';
  auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Parsed(text).size(), 300'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(ParseJsonTest, HostileTextIsQuotedShortAndWithoutControlBytes) {
  Result<Json> json = ParseJson("\"" + std::string(100'000, 'x') + "\x1b[2J", "doc");
  ASSERT_FALSE(json.ok());
  EXPECT_LT(json.status().message().size(), 400u);
  EXPECT_EQ(json.status().message().find('\x1b'), std::string_view::npos);
}

TEST(DumpJsonTest, BytesThatAreNotUtf8BecomeTheReplacementCharacter) {
  Json json = Json::object();
  json["a"] = "\xff";
  EXPECT_EQ(DumpJson(json), "{\"a\":\"\xef\xbf\xbd\"}");
  EXPECT_EQ(DumpJson(Parsed("[1]"), 2), "[\n  1\n]");
}

TEST(JsonGettersTest, AnswerValuesOfTheirType) {
  Json json = Parsed(R"({"s":"x","n":5,"m":-5,"b":false,"d":2.5})");
  EXPECT_THAT(JsonString(json, "s", "doc"), IsOkAndHolds(std::string("x")));
  EXPECT_THAT(JsonUint(json, "n", "doc"), IsOkAndHolds(uint64_t{5}));
  EXPECT_THAT(JsonInt(json, "n", "doc"), IsOkAndHolds(int64_t{5}));
  EXPECT_THAT(JsonInt(json, "m", "doc"), IsOkAndHolds(int64_t{-5}));
  EXPECT_THAT(JsonBool(json, "b", "doc"), IsOkAndHolds(false));
  EXPECT_THAT(JsonDouble(json, "d", "doc"), IsOkAndHolds(2.5));
  EXPECT_THAT(JsonDouble(json, "m", "doc"), IsOkAndHolds(-5.0));
}

TEST(JsonGettersTest, RefuseMissingNullAndOtherTypesByName) {
  Json json = Parsed(R"({"s":"x","n":-1,"f":1.0,"z":null,"big":9223372036854775808})");
  EXPECT_EQ(JsonString(json, "gone", "doc").status().message(), "doc: \"gone\" is missing, a string expected");
  EXPECT_EQ(JsonUint(json, "s", "doc").status().message(),
            "doc: \"s\" is string, an integer from 0 to 2^64-1 expected");
  EXPECT_THAT(JsonUint(json, "n", "doc"), HasCode(Code::kCorruption));
  EXPECT_THAT(JsonUint(json, "f", "doc"), HasCode(Code::kCorruption));
  EXPECT_THAT(JsonInt(json, "big", "doc"), HasCode(Code::kCorruption));
  EXPECT_THAT(JsonString(json, "z", "doc"), HasCode(Code::kCorruption));
  EXPECT_THAT(JsonBool(json, "n", "doc"), HasCode(Code::kCorruption));
  EXPECT_THAT(JsonString(Parsed("[]"), "s", "doc"), HasCode(Code::kCorruption));
}

TEST(JsonGettersTest, OptionalTakesAbsentAndNullButNoOtherType) {
  Json json = Parsed(R"({"s":"x","z":null})");
  EXPECT_THAT(JsonOptionalString(json, "s", "doc"), IsOkAndHolds(std::optional<std::string>("x")));
  EXPECT_THAT(JsonOptionalString(json, "z", "doc"), IsOkAndHolds(std::optional<std::string>()));
  EXPECT_THAT(JsonOptionalUint(json, "gone", "doc"), IsOkAndHolds(std::optional<uint64_t>()));
  EXPECT_THAT(JsonOptionalInt(json, "s", "doc"), HasCode(Code::kCorruption));
  EXPECT_THAT(JsonOptionalBool(json, "s", "doc"), HasCode(Code::kCorruption));
  EXPECT_THAT(JsonOptionalDouble(json, "s", "doc"), HasCode(Code::kCorruption));
}

TEST(JsonGettersTest, UintTakesNumbersThatCodePutIn) {
  Json json = Json::object();
  json["n"] = 5;
  json["m"] = -5;
  EXPECT_THAT(JsonUint(json, "n", "doc"), IsOkAndHolds(uint64_t{5}));
  EXPECT_THAT(JsonUint(json, "m", "doc"), HasCode(Code::kCorruption));
}

}  // namespace
}  // namespace walrig
