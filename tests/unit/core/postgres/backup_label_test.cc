#include "core/postgres/backup_label.h"

#include <gmock/gmock.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;

constexpr char kLabel[] =
    "START WAL LOCATION: 0/1700028 (file 000000010000000000000017)\n"
    "CHECKPOINT LOCATION: 0/1700060\n"
    "BACKUP METHOD: streamed\n"
    "BACKUP FROM: primary\n"
    "START TIME: 2026-11-23 17:01:35 UTC\n"
    "LABEL: a: label\n"
    "START TIMELINE: 1\n";

TEST(BackupLabelTest, ReadsWhatTheServerWrites) {
  ASSERT_OK_AND_ASSIGN(BackupLabel label, ParseBackupLabel(kLabel));
  EXPECT_EQ(label.start.value, 0x1700028u);
  EXPECT_EQ(FormatWalName(label.start_segment), "000000010000000000000017");
  EXPECT_EQ(label.checkpoint.value, 0x1700060u);
  EXPECT_EQ(label.method, "streamed");
  EXPECT_EQ(label.label, "a: label");
  EXPECT_EQ(label.timeline, 1u);
  EXPECT_FALSE(label.from_standby());
  EXPECT_FALSE(label.incremental);
}

TEST(BackupLabelTest, SeesAnIncrementalBackup) {
  ASSERT_OK_AND_ASSIGN(BackupLabel label,
                       ParseBackupLabel(std::string(kLabel) + "INCREMENTAL FROM LSN: 0/1000028\nINCREMENTAL FROM TLI: 1\n"));
  EXPECT_TRUE(label.incremental);
}

TEST(BackupLabelTest, RefusesMissingMalformedAndContradictingLines) {
  const std::string good = kLabel;
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& text :
       {std::string(), with("START WAL LOCATION", "X"), with("CHECKPOINT LOCATION", "X"), with("0/1700028 (", "0/1700028("),
        with("000000010000000000000017)", "000000010000000000000017"), with("0/1700060", "0-1700060"),
        with("0/1700060", "0/1700027"), with("TIMELINE: 1", "TIMELINE: 2"), with("TIMELINE: 1", "TIMELINE: x"),
        with("(file 0000", "(file 000"), std::string("START WAL LOCATION: ")}) {
    EXPECT_THAT(ParseBackupLabel(text), HasCode(Code::kCorruption)) << text;
  }
}

TEST(TablespaceMapTest, RoundTripsOddPaths) {
  const std::vector<TablespaceMapEntry> entries = {{"16385", "/var/ts one"}, {"16386", "/a\nb\\c\rd"}};
  const std::string text = FormatTablespaceMap(entries);
  EXPECT_EQ(text, "16385 /var/ts one\n16386 /a\\\nb\\\\c\\\rd\n");
  ASSERT_OK_AND_ASSIGN(std::vector<TablespaceMapEntry> parsed, ParseTablespaceMap(text));
  ASSERT_EQ(parsed.size(), 2u);
  EXPECT_EQ(parsed[1].path, "/a\nb\\c\rd");
}

TEST(TablespaceMapTest, TakesAnEmptyMapAndRefusesBrokenOnes) {
  ASSERT_OK_AND_ASSIGN(std::vector<TablespaceMapEntry> none, ParseTablespaceMap(""));
  EXPECT_TRUE(none.empty());
  for (const std::string& text : {std::string("16385 /x"), std::string("16385\n"), std::string(" /x\n"), std::string("x /y\n"),
                                  std::string("16385 x\n"), std::string("16385 \n"), std::string("1 /x\\"), std::string("1 /x\0\n", 6)}) {
    EXPECT_THAT(ParseTablespaceMap(text), HasCode(Code::kCorruption)) << text;
  }
}

}  // namespace
}  // namespace walrig
