#include "core/postgres/archive_status.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

using test::HasCode;
using testing::ElementsAre;

TEST(ArchiveStatusTest, ListsHistoriesFirstThenTheOldest) {
  test::TempDir dir;
  for (const char* name : {"000000010000000000000003.ready", "000000010000000000000002.ready", "00000002.history.ready",
                           "000000010000000000000001.done", "000000010000000000000002.00000028.backup.ready", "junk.ready",
                           "000000010000000000000004.partial.ready", ".ready"}) {
    dir.Write(name, "");
  }
  ASSERT_OK_AND_ASSIGN(std::vector<std::string> all, ScanReady(dir.path()));
  EXPECT_THAT(all, ElementsAre("00000002.history", "000000010000000000000002", "000000010000000000000002.00000028.backup",
                               "000000010000000000000003", "000000010000000000000004.partial"));
  ASSERT_OK_AND_ASSIGN(std::vector<std::string> two, ScanReady(dir.path(), 2));
  EXPECT_THAT(two, ElementsAre("00000002.history", "000000010000000000000002"));
  EXPECT_THAT(ScanReady(dir.File("none")), HasCode(Code::kNotFound));
}

TEST(ArchiveStatusTest, MarksDoneOnceAndIsNotAngryWhenTheServerWasFaster) {
  test::TempDir dir;
  dir.Write("000000010000000000000003.ready", "");
  EXPECT_THAT(IsReady(dir.path(), "000000010000000000000003"), test::IsOkAndHolds(true));
  EXPECT_OK(MarkDone(dir.path(), "000000010000000000000003"));
  EXPECT_THAT(dir.Names(), ElementsAre("000000010000000000000003.done"));
  EXPECT_THAT(IsReady(dir.path(), "000000010000000000000003"), test::IsOkAndHolds(false));
  EXPECT_OK(MarkDone(dir.path(), "000000010000000000000003"));
}

}  // namespace
}  // namespace walrig
