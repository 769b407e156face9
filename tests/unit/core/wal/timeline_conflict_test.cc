#include "core/wal/timeline_conflict.h"

#include <gmock/gmock.h>

#include "core/wal/local_file.h"
#include "tests/unit/core/wal/wal_fixture.h"

namespace walrig::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TimelineConflictTest : public WalTest {
 protected:
  std::string Said(const std::string& archived) {
    Store("wal_005/00000002.history", archived);
    const std::string path = dir_.Write("00000002.history", "1\t0/3000000\tno recovery target specified\n");
    const Result<LocalWalFile> file = OpenLocalWalFile(path, 0);
    if (!file.ok()) return file.status().ToString();
    const Status status = TimelineTaken(ctx_, storage_, codecs_, *file, "");
    EXPECT_EQ(status.code(), Code::kConflict);
    EXPECT_FALSE(status.hint().empty());
    return std::string(status.message());
  }
};

TEST_F(TimelineConflictTest, SaysWhereEachServerLeftWhichTimeline) {
  const std::string said = Said("1\t0/5000000\tbefore 2026-11-23\n");
  EXPECT_THAT(said, HasSubstr("timeline 2 is taken by another server"));
  EXPECT_THAT(said, HasSubstr("leaves timeline 1 at 0/5000000 (before 2026-11-23)"));
  EXPECT_THAT(said, HasSubstr("this server's leaves timeline 1 at 0/3000000 (no recovery target specified)"));
}

TEST_F(TimelineConflictTest, IsStillARefusalWhenTheArchivedHistoryIsNone) {
  EXPECT_THAT(Said("not a history"), HasSubstr("the archived history cannot be read: "));
}

// The archive is written by others: what it says must not make lines in the log or move a terminal's cursor.
TEST_F(TimelineConflictTest, ShowsNoControlCharactersOfAForeignHistory) {
  EXPECT_THAT(Said("1\t0/5000000\tred \x1B[31m text\n"), Not(HasSubstr("\x1B")));
}

}  // namespace
}  // namespace walrig::test
