#include "core/postgres/lsn.h"

#include <gmock/gmock.h>

#include "core/postgres/timeline.h"
#include "core/postgres/version.h"
#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;

TEST(LsnTest, RoundTripsThroughText) {
  for (uint64_t value : {uint64_t{0}, uint64_t{0x2000028}, uint64_t{1} << 32, UINT64_MAX}) {
    ASSERT_OK_AND_ASSIGN(Lsn lsn, ParseLsn(FormatLsn(Lsn{value})));
    EXPECT_EQ(lsn.value, value);
  }
  EXPECT_EQ(FormatLsn(Lsn{0x16B374D848}), "16/B374D848");
}

TEST(LsnTest, TakesLowerCaseAndLeadingZeros) {
  ASSERT_OK_AND_ASSIGN(Lsn lsn, ParseLsn("00000016/b374d848"));
  EXPECT_EQ(lsn.value, 0x16B374D848u);
}

TEST(LsnTest, RefusesWhatIsNoLsn) {
  for (const char* text : {"", "/", "1/", "/1", "1", "1/2/3", "G/0", "0/123456789", "0x1/2", "1/ 2", "-1/2", "1 /2"}) {
    EXPECT_THAT(ParseLsn(text), HasCode(Code::kInvalidArgument)) << text;
  }
}

TEST(LsnTest, OrdersByPosition) {
  EXPECT_LT((Lsn{0xFFFFFFFF}), (Lsn{uint64_t{1} << 32}));
  EXPECT_FALSE(Lsn{}.valid());
}

TEST(TimelineTest, TakesDecimalAndHexadecimal) {
  EXPECT_THAT(ParseTimeline("17"), test::IsOkAndHolds(17u));
  EXPECT_THAT(ParseTimeline("0x11"), test::IsOkAndHolds(17u));
  EXPECT_THAT(ParseTimeline("4294967295"), test::IsOkAndHolds(UINT32_MAX));
}

TEST(TimelineTest, RefusesZeroSignsAndOverflow) {
  for (const char* text : {"", "0", "-1", "+1", "4294967296", "1x", "0x", "0x100000000", " 1", "latest"}) {
    EXPECT_THAT(ParseTimeline(text), HasCode(Code::kInvalidArgument)) << text;
  }
}

TEST(VersionTest, KnowsMajorAndText) {
  EXPECT_EQ(PgVersion{150020}.major(), 15);
  EXPECT_EQ(FormatPgVersion(PgVersion{150020}), "15.20");
  EXPECT_OK(CheckSupported(PgVersion{130000}));
  EXPECT_OK(CheckSupported(PgVersion{180004}));
  EXPECT_THAT(CheckSupported(PgVersion{120022}), HasCode(Code::kNotSupported));
  EXPECT_THAT(CheckSupported(PgVersion{190000}), HasCode(Code::kNotSupported));
}

TEST(VersionTest, ReadsPgVersionFiles) {
  EXPECT_THAT(ParsePgVersionFile("15\n"), test::IsOkAndHolds(15));
  EXPECT_THAT(ParsePgVersionFile("9.6\n"), test::IsOkAndHolds(9));
  for (const char* text : {"", "\n", "x", "15x", "-1", "99999999999", "15.2"}) {
    EXPECT_THAT(ParsePgVersionFile(text), HasCode(Code::kCorruption)) << text;
  }
}

}  // namespace
}  // namespace walrig
