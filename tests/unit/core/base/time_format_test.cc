#include "core/base/time_format.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOkAndHolds;

constexpr int64_t kSecond = 1'000'000'000;

TEST(TimeFormatTest, WritesNanosecondsAsGoDoes) {
  EXPECT_EQ(FormatRfc3339Nano(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatRfc3339Nano(1'700'000'000 * kSecond + 120'000'000), "2023-11-14T22:13:20.12Z");
  EXPECT_EQ(FormatRfc3339Nano(1'700'000'000 * kSecond + 1), "2023-11-14T22:13:20.000000001Z");
  EXPECT_EQ(FormatRfc3339Nano(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(FormatRfc3339Seconds(1'700'000'000 * kSecond + 999'999'999), "2023-11-14T22:13:20Z");
}

TEST(TimeFormatTest, ReadsUtcOffsetsAndFractions) {
  EXPECT_THAT(ParseRfc3339("2023-11-14T22:13:20Z"), IsOkAndHolds(1'700'000'000 * kSecond));
  EXPECT_THAT(ParseRfc3339("2023-11-15T00:13:20.5+02:00"), IsOkAndHolds(1'700'000'000 * kSecond + kSecond / 2));
  EXPECT_THAT(ParseRfc3339("2023-11-14T16:43:20-05:30"), IsOkAndHolds(1'700'000'000 * kSecond));
  EXPECT_THAT(ParseRfc3339("2023-11-14 22:13:20z"), IsOkAndHolds(1'700'000'000 * kSecond));
  EXPECT_THAT(ParseRfc3339("2023-11-14T22:13:20.1234567899Z"), IsOkAndHolds(1'700'000'000 * kSecond + 123'456'789));
  EXPECT_THAT(ParseRfc3339("1969-12-31T23:59:59.999999999Z"), IsOkAndHolds(int64_t{-1}));
  EXPECT_THAT(ParseRfc3339("2024-02-29T00:00:00Z"), IsOkAndHolds(1'709'164'800 * kSecond));
}

TEST(TimeFormatTest, ReadsWhatItWroteUpToBothEndsOfTime) {
  for (int64_t ns : {INT64_MIN, INT64_MIN + 1, int64_t{-kSecond}, int64_t{-1}, int64_t{0}, INT64_MAX - 1, INT64_MAX}) {
    EXPECT_THAT(ParseRfc3339(FormatRfc3339Nano(ns)), IsOkAndHolds(ns)) << FormatRfc3339Nano(ns);
  }
}

TEST(TimeFormatTest, RefusesWhatIsNoMoment) {
  for (const char* text :
       {"", "now", "2023-11-14", "2023-11-14T22:13:20", "2023-13-01T00:00:00Z", "2023-02-29T00:00:00Z",
        "2023-00-10T00:00:00Z", "2023-01-00T00:00:00Z", "2023-11-14T24:00:00Z", "2023-11-14T23:60:00Z",
        "2023-11-14T23:59:60Z", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20Z ", "2023-11-14T22:13:20+2:00",
        "2023-11-14T22:13:20+24:00", "-023-11-14T22:13:20Z", "2023-11-14T22:13:20ZZ"}) {
    EXPECT_THAT(ParseRfc3339(text), HasCode(Code::kInvalidArgument)) << text;
  }
}

TEST(TimeFormatTest, RefusesMomentsBeyondSixtyFourBits) {
  EXPECT_THAT(ParseRfc3339("0001-01-01T00:00:00Z"), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(ParseRfc3339("2262-04-11T23:47:16.854775808Z"), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(ParseRfc3339("1677-09-21T00:12:43.145224191Z"), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(ParseRfc3339("9999-12-31T23:59:59Z"), HasCode(Code::kInvalidArgument));
}

TEST(TimeFormatTest, LongTextIsCutInTheMessage) {
  EXPECT_LT(ParseRfc3339(std::string(100'000, '1')).status().message().size(), 200u);
}

TEST(TimeFormatTest, LogTimeIsLocalWithMicroseconds) {
  const char* old = ::getenv("TZ");
  std::string saved = old != nullptr ? old : "";
  ::setenv("TZ", "XYZ-3", 1);
  ::tzset();
  EXPECT_EQ(FormatLogTime(1'700'000'000 * kSecond + 1'999), "2023/11/15 01:13:20.000001");
  old != nullptr ? ::setenv("TZ", saved.c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace walrig
