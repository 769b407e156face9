#include <gtest/gtest.h>

#include "core/base/string_util.h"
#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOkAndHolds;

constexpr int64_t kSecond = 1'000'000'000;

TEST(ParseGoDurationTest, ReadsWhatGoReads) {
  EXPECT_THAT(ParseGoDuration("0"), IsOkAndHolds(int64_t{0}));
  EXPECT_THAT(ParseGoDuration("1m30s"), IsOkAndHolds(90 * kSecond));
  EXPECT_THAT(ParseGoDuration("1.5h"), IsOkAndHolds(5400 * kSecond));
  EXPECT_THAT(ParseGoDuration("-2ms"), IsOkAndHolds(int64_t{-2'000'000}));
  EXPECT_THAT(ParseGoDuration("+300us"), IsOkAndHolds(int64_t{300'000}));
  EXPECT_THAT(ParseGoDuration("1\xc2\xb5s"), IsOkAndHolds(int64_t{1000}));
  EXPECT_THAT(ParseGoDuration("1\xce\xbcs"), IsOkAndHolds(int64_t{1000}));
  EXPECT_THAT(ParseGoDuration("7ns"), IsOkAndHolds(int64_t{7}));
  EXPECT_THAT(ParseGoDuration(".5s"), IsOkAndHolds(kSecond / 2));
  EXPECT_THAT(ParseGoDuration("5.s"), IsOkAndHolds(5 * kSecond));
  EXPECT_THAT(ParseGoDuration("0.3s"), IsOkAndHolds(int64_t{300'000'000}));
  EXPECT_THAT(ParseGoDuration("1h1m1s1ms"), IsOkAndHolds(3661 * kSecond + 1'000'000));
}

TEST(ParseGoDurationTest, RefusesWhatGoRefuses) {
  for (const char* text : {"", "3", "-", "s", ".s", "1", "1d", "1 s", "1s ", "m1", "1m30", "--1s", "1.2.3s", "1S",
                           "9223372036854775808ns", "999999999h", "99999999999999999999s"}) {
    EXPECT_THAT(ParseGoDuration(text), HasCode(Code::kInvalidArgument)) << text;
  }
}

TEST(FormatDurationTest, WritesAsGoDoes) {
  EXPECT_EQ(FormatDuration(0), "0s");
  EXPECT_EQ(FormatDuration(1), "1ns");
  EXPECT_EQ(FormatDuration(1100), "1.1\xc2\xb5s");
  EXPECT_EQ(FormatDuration(250'000'000), "250ms");
  EXPECT_EQ(FormatDuration(1'500'000'000), "1.5s");
  EXPECT_EQ(FormatDuration(90 * kSecond), "1m30s");
  EXPECT_EQ(FormatDuration(3600 * kSecond), "1h0m0s");
  EXPECT_EQ(FormatDuration(-90 * kSecond), "-1m30s");
  EXPECT_EQ(FormatDuration(INT64_MIN), "-2562047h47m16.854775808s");
}

TEST(FormatDurationTest, ReadsBackWhatItWrote) {
  for (int64_t ns : {int64_t{1}, int64_t{999}, int64_t{1001}, int64_t{123'456'789}, 3 * kSecond + 1, INT64_MAX}) {
    EXPECT_THAT(ParseGoDuration(FormatDuration(ns)), IsOkAndHolds(ns)) << FormatDuration(ns);
  }
}

}  // namespace
}  // namespace walrig
