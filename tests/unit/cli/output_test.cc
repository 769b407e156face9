#include "cli/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

TEST(OutputTest, PlainTableIsThatOfWalG) {
  const Table table{{"backup_name", "modified", "wal_file_name", "storage_name"},
                    {{"base_000000010000000000000002", "2024-02-26T10:11:14Z", "000000010000000000000002", "default"}}};
  EXPECT_EQ(PlainTable(table),
            "backup_name                   modified             wal_file_name            storage_name\n"
            "base_000000010000000000000002 2024-02-26T10:11:14Z 000000010000000000000002 default\n");
}

TEST(OutputTest, PrettyTableNumbersRowsFromZero) {
  const Table table{{"Name", "Size"}, {{"a", "1"}, {"b", "22222"}}};
  EXPECT_EQ(PrettyTable(table),
            "+---+------+-------+\n"
            "| # | NAME | SIZE  |\n"
            "+---+------+-------+\n"
            "| 0 | a    | 1     |\n"
            "| 1 | b    | 22222 |\n"
            "+---+------+-------+\n");
}

TEST(OutputTest, ColumnsCountLettersNotBytes) {
  EXPECT_EQ(PlainTable({{"a", "b"}, {{"\xC3\xA4\xC3\xB6", "x"}, {"ab", "x"}}}), "a  b\n\xC3\xA4\xC3\xB6 x\nab x\n");
}

TEST(OutputTest, RowsWithTooFewOrTooManyCellsAreNoHarm) {
  EXPECT_EQ(PlainTable({{"a", "b"}, {{"1"}, {"1", "2", "3"}}}), "a b\n1 \n1 2\n");
}

TEST(OutputTest, FinishTellsOfAFullDisk) {
  std::FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  Output out(full);
  out.Line("x");
  EXPECT_THAT(out.Finish(), test::HasCode(Code::kNoSpace));
  std::fclose(full);
}

// A long document fills the buffer: the write fails before the end, and the flush then has nothing to say.
TEST(OutputTest, KeepsTheNameOfTheFirstError) {
  std::FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  std::setvbuf(full, nullptr, _IONBF, 0);
  Output out(full);
  out.Line(std::string(100'000, 'x'));
  EXPECT_THAT(out.Finish(), test::HasCode(Code::kNoSpace));
  EXPECT_THAT(out.Finish(), test::HasCode(Code::kNoSpace));
  std::fclose(full);
}

}  // namespace
}  // namespace walrig
