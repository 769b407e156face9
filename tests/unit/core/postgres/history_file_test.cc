#include "core/postgres/history_file.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;

constexpr char kHistory3[] =
    "1\t0/1D000A0\tno recovery target specified\n\n# a comment\n2\t0/3000000\tbefore 2026-11-23 17:08:55+00\n";

TEST(HistoryFileTest, ReadsAncestorsOldestFirst) {
  ASSERT_OK_AND_ASSIGN(TimelineHistory history, TimelineHistory::Parse(3, kHistory3));
  ASSERT_EQ(history.ancestors().size(), 2u);
  EXPECT_EQ(history.parent(), 2u);
  EXPECT_EQ(history.ancestors()[0].switch_point.value, 0x1D000A0u);
  EXPECT_EQ(history.ancestors()[1].reason, "before 2026-11-23 17:08:55+00");
  EXPECT_TRUE(history.IsAncestor(1));
  EXPECT_FALSE(history.IsAncestor(3));
  EXPECT_FALSE(history.SwitchPoint(7).has_value());
}

TEST(HistoryFileTest, KnowsWhichTimelineHoldsAByte) {
  ASSERT_OK_AND_ASSIGN(TimelineHistory history, TimelineHistory::Parse(3, kHistory3));
  EXPECT_EQ(history.TimelineAt(Lsn{0x1D0009F}), 1u);
  EXPECT_EQ(history.TimelineAt(Lsn{0x1D000A0}), 2u);
  EXPECT_EQ(history.TimelineAt(Lsn{0x3000000}), 3u);
  EXPECT_TRUE(history.Contains(1, Lsn{0x1D000A0}));
  EXPECT_FALSE(history.Contains(1, Lsn{0x1D000A1}));
  EXPECT_TRUE(history.Contains(3, Lsn{UINT64_MAX}));
  EXPECT_FALSE(history.Contains(4, Lsn{1}));
}

TEST(HistoryFileTest, TakesATimelineWithoutAFile) {
  const TimelineHistory history(1);
  EXPECT_EQ(history.parent(), 0u);
  EXPECT_EQ(history.TimelineAt(Lsn{5}), 1u);
}

TEST(HistoryFileTest, TakesBlanksAndAMissingLastLineEnd) {
  ASSERT_OK_AND_ASSIGN(TimelineHistory history, TimelineHistory::Parse(2, "  1 0/5000000 reason\r"));
  EXPECT_EQ(history.parent(), 1u);
}

TEST(HistoryFileTest, RefusesContradictions) {
  for (const char* content :
       {"2\t0/1\tx\n", "3\t0/1\tx\n", "0\t0/1\tx\n", "x\t0/1\n", "1\n", "1\t0-1\tx\n", "1\t0/5\ta\n1\t0/6\tb\n", "-1\t0/1\n",
        "99999999999\t0/1\tx\n"}) {
    EXPECT_THAT(TimelineHistory::Parse(2, content), HasCode(Code::kCorruption)) << content;
  }
  EXPECT_THAT(TimelineHistory::Parse(9, "2\t0/9\tx\n1\t0/10\ty\n"), HasCode(Code::kCorruption));
  EXPECT_THAT(TimelineHistory::Parse(9, "1\t0/9\tx\n2\t0/8\ty\n"), HasCode(Code::kCorruption));
  EXPECT_THAT(TimelineHistory::Parse(2, std::string_view("1\t0/9\t\0x\n", 9)), HasCode(Code::kCorruption));
}

}  // namespace
}  // namespace walrig
