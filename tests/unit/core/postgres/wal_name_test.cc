#include "core/postgres/wal_name.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;

constexpr uint64_t k1M = 1u << 20, k16M = 16u << 20, k1G = 1u << 30;

TEST(WalNameTest, RoundTripsAndIsStrict) {
  ASSERT_OK_AND_ASSIGN(WalName name, ParseWalName("0000000A00000002000000FF"));
  EXPECT_EQ(name, (WalName{10, 2, 255}));
  EXPECT_EQ(FormatWalName(name), "0000000A00000002000000FF");
  for (const char* text : {"", "0000000a00000002000000ff", "0000000A00000002000000F", "0000000A00000002000000FFF",
                           "0000000A00000002000000F ", "0000000G00000002000000FF", "000000000000000200000001"}) {
    EXPECT_THAT(ParseWalName(text), HasCode(Code::kInvalidArgument)) << text;
  }
}

TEST(WalNameTest, RefusesSegmentBeyondTheLogFile) {
  EXPECT_OK(ParseWalName("0000000100000000000000FF", k16M));
  EXPECT_THAT(ParseWalName("000000010000000000000100", k16M), HasCode(Code::kInvalidArgument));
  EXPECT_OK(ParseWalName("000000010000000000000FFF", k1M));
  EXPECT_THAT(ParseWalName("000000010000000000001000", k1M), HasCode(Code::kInvalidArgument));
  EXPECT_OK(ParseWalName("000000010000000000000003", k1G));
  EXPECT_THAT(ParseWalName("000000010000000000000004", k1G), HasCode(Code::kInvalidArgument));
}

TEST(WalNameTest, FindsTheSegmentOfAnLsn) {
  EXPECT_EQ(FormatWalName(SegmentOfLsn(1, Lsn{0x2000028}, k16M)), "000000010000000000000002");
  EXPECT_EQ(FormatWalName(PreviousSegmentOfLsn(1, Lsn{0x2000000}, k16M)), "000000010000000000000001");
  EXPECT_EQ(FormatWalName(SegmentOfLsn(1, Lsn{uint64_t{1} << 32}, k16M)), "000000010000000100000000");
  EXPECT_EQ(FormatWalName(SegmentOfLsn(3, Lsn{UINT64_MAX}, k1M)), "00000003FFFFFFFF00000FFF");
  EXPECT_EQ(PreviousSegmentOfLsn(1, Lsn{0}, k16M), (WalName{1, 0, 0}));
  EXPECT_EQ(SegmentStart(WalName{1, 1, 2}, k16M).value, 0x102000000u);
}

TEST(WalNameTest, NumbersRoundTripForEverySegmentSize) {
  for (uint64_t bytes = k1M; bytes <= k1G; bytes *= 2) {
    ASSERT_TRUE(IsWalSegmentSize(bytes));
    for (uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{4095}, uint64_t{4096}, UINT64_MAX / bytes}) {
      ASSERT_OK_AND_ASSIGN(WalName name, WalNameOfNumber(1, number, bytes));
      EXPECT_EQ(SegmentNumber(name, bytes), number);
    }
    EXPECT_THAT(WalNameOfNumber(1, UINT64_MAX / bytes + 1, bytes), HasCode(Code::kInvalidArgument));
  }
  EXPECT_FALSE(IsWalSegmentSize(0));
  EXPECT_FALSE(IsWalSegmentSize(k16M + 1));
  EXPECT_FALSE(IsWalSegmentSize(k1G * 2));
  EXPECT_FALSE(IsWalSegmentSize(k1M / 2));
}

TEST(WalNameTest, StepsOverTheEndOfALogFile) {
  ASSERT_OK_AND_ASSIGN(WalName next, NextSegment(WalName{1, 0, 255}, k16M));
  EXPECT_EQ(next, (WalName{1, 1, 0}));
  ASSERT_OK_AND_ASSIGN(WalName back, PreviousSegment(next, k16M));
  EXPECT_EQ(back, (WalName{1, 0, 255}));
  EXPECT_THAT(NextSegment(WalName{1, UINT32_MAX, 255}, k16M), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(PreviousSegment(WalName{1, 0, 0}, k16M), HasCode(Code::kInvalidArgument));
}

TEST(WalFileTest, ClassifiesEveryKindOfName) {
  EXPECT_EQ(ClassifyWalFile("000000010000000000000002").kind, WalFileKind::kSegment);
  EXPECT_EQ(ClassifyWalFile("000000010000000000000002.partial").kind, WalFileKind::kPartial);
  const WalFile history = ClassifyWalFile("0000000A.history");
  EXPECT_EQ(history.kind, WalFileKind::kHistory);
  EXPECT_EQ(history.segment.timeline, 10u);
  const WalFile backup = ClassifyWalFile("000000010000000000000002.00000028.backup");
  EXPECT_EQ(backup.kind, WalFileKind::kBackup);
  EXPECT_EQ(backup.offset, 0x28u);
  for (const char* name : {"", "x", "0000000a.history", "00000000.history", "00000002.history.tmp", ".history",
                           "000000010000000000000002.", "000000010000000000000002.part", "000000010000000000000002.28.backup",
                           "000000010000000000000002.0000002g.backup", "000000010000000000000002_delta", "RECOVERYXLOG",
                           "000000010000000000000002.zst"}) {
    EXPECT_EQ(ClassifyWalFile(name).kind, WalFileKind::kOther) << name;
  }
}

TEST(WalFileTest, BuildsTheNamesThatItClassifies) {
  EXPECT_EQ(HistoryName(10), "0000000A.history");
  EXPECT_EQ(PartialName(WalName{1, 0, 2}), "000000010000000000000002.partial");
  EXPECT_EQ(BackupHistoryName(1, Lsn{0x2000028}, k16M), "000000010000000000000002.00000028.backup");
}

TEST(WalFileTest, FindsTheFirstRunOf24Digits) {
  EXPECT_EQ(FindWalName("base_000000010000000000000004_D_000000010000000000000002"), "000000010000000000000004");
  EXPECT_EQ(FindWalName("00000001000000000000000"), "");
  EXPECT_EQ(FindWalName(""), "");
  EXPECT_EQ(FindWalName("wal_005/00000002.history.zst"), "");
}

}  // namespace
}  // namespace walrig
