#include "core/layout/backup_name.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

TEST(BackupNameTest, RoundTripsFullDeltaAndWale) {
  for (const char* text : {"base_000000010000000000000002", "base_000000010000000000000004_D_000000010000000000000002",
                           "base_000000010000000000000002_00000028"}) {
    ASSERT_OK_AND_ASSIGN(BackupName name, ParseBackupName(text));
    EXPECT_EQ(FormatBackupName(name), text);
  }
  ASSERT_OK_AND_ASSIGN(BackupName delta, ParseBackupName("base_000000010000000000000004_D_000000010000000000000002"));
  EXPECT_EQ(delta.segment.seg, 4u);
  EXPECT_EQ(delta.parent->seg, 2u);
  EXPECT_EQ(DeltaBackupName(delta.segment, *delta.parent), FormatBackupName(delta));
  EXPECT_EQ(FullBackupName(WalName{1, 0, 2}), "base_000000010000000000000002");
}

TEST(BackupNameTest, RefusesWhatIsNoBackup) {
  for (const char* text : {"", "base_", "LATEST", "base_00000001000000000000000", "base_00000001000000000000000g",
                           "base_000000010000000000000002_", "base_000000010000000000000002_D_", "base_000000010000000000000002/..",
                           "xbase_000000010000000000000002", "base_000000010000000000000002_D_00000001000000000000000",
                           "base_000000010000000000000002_0000002g", "base_000000000000000000000002"}) {
    EXPECT_THAT(ParseBackupName(text), test::HasCode(Code::kInvalidArgument)) << text;
  }
}

TEST(BackupNameTest, ShowsTheWalFileName) {
  EXPECT_EQ(WalFileNameOfBackup("base_000000010000000000000004_D_000000010000000000000002"), "000000010000000000000004");
  EXPECT_EQ(WalFileNameOfBackup("odd"), "ZZZZZZZZZZZZZZZZZZZZZZZZ");
}

}  // namespace
}  // namespace walrig
