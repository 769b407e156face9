// What backup-push does so that the WAL of a backup is not missing.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>

#include "core/backup/push.h"
#include "core/storage/wrapper.h"
#include "tests/support/push_fixture.h"

namespace walrig::test {
namespace {

class PushWalTest : public PushFixture {};

TEST_F(PushWalTest, StoresNoSentinelBeforeEverySegmentIsInTheStorage) {
  // Of 0x2000028 to 0x2300100, in segments of 1 MiB; the server counts all of them as archived.
  server_.stop_lsn = Lsn{0x2300100};
  options_.stop_backup_timeout_ms = 100;
  for (const char* missing : {"000000010000000000000022", "000000010000000000000023"}) {
    for (const char* name : {"000000010000000000000021", "000000010000000000000022", "000000010000000000000023"}) {
      data_.Write("pg_wal/archive_status/" + std::string(name) + ".done", "");
      if (std::string(name) < missing) Archive(name);
    }
    EXPECT_THAT(Push(), MessageHas(std::string("the WAL file ") + missing + " was archived, but is not in the storage"));
    ExpectNothingLeft();
  }
  Archive("000000010000000000000023");
  EXPECT_OK(Push());
}

TEST_F(PushWalTest, RecordsThatTheWalIsElsewhereAndWaitsForTheArchiverOnly) {
  server_.stop_lsn = Lsn{0x2300100};
  options_.wal_archive = WalArchive::kElsewhere;
  options_.stop_backup_timeout_ms = 100;
  data_.Write("pg_wal/archive_status/000000010000000000000022.ready", "");
  server_.archiver = [this] { return ArchiverStats{.archived_count = static_cast<uint64_t>(server_.starts)}; };
  EXPECT_THAT(Push(), MessageHas("000000010000000000000022 was not archived"));
  ExpectNothingLeft();
  data_.Write("pg_wal/archive_status/000000010000000000000022.done", "");
  ASSERT_OK(Push());
  EXPECT_EQ(Document("walrig.json").at("wal"), "elsewhere");
  EXPECT_TRUE(test_.log().Has("WALRIG_WAL_ARCHIVE is elsewhere", LogLevel::kWarning));
}

TEST_F(PushWalTest, EndsBeforeItCopiesWhenTheArchiverFails) {
  data_.Write("pg_wal/archive_status/00000001000000000000001F.ready", "");
  server_.archiver = [this] { return ArchiverStats{.failed_count = 5u + 3u * static_cast<uint64_t>(server_.starts), .failed_last = true}; };
  bool copied = false;
  MeddlingStorage storage(storage_, "part_001", [&] { copied = true; });
  EXPECT_THAT(Push(storage), MessageHas("the server's archiver fails"));
  EXPECT_FALSE(copied);
  ExpectNothingLeft();
}

TEST_F(PushWalTest, EndsBeforeItCopiesWhenWhatIsArchivedDoesNotComeIntoTheStorage) {
  data_.Write("pg_wal/archive_status/00000001000000000000001F.done", "");
  server_.archiver = [this] {
    return ArchiverStats{.archived_count = static_cast<uint64_t>(server_.starts), .last_archived_wal = "00000001000000000000001F"};
  };
  bool copied = false;
  MeddlingStorage storage(storage_, "part_001", [&] { copied = true; });
  EXPECT_THAT(Push(storage), MessageHas("00000001000000000000001F was archived, but is not in the storage"));
  EXPECT_FALSE(copied);
  ExpectNothingLeft();
}

// Info said that it is a standby, and Start that it is not: its own archiver is the only one there is.
TEST_F(PushWalTest, WaitsForTheWalOfAStandbyThatWasPromotedBetweenTwoQueries) {
  options_.wal_archive = WalArchive::kElsewhere;
  options_.stop_backup_timeout_ms = 100;
  server_.info.in_recovery = true;
  server_.begins_in_recovery = false;
  data_.Write("pg_wal/archive_status/000000010000000000000020.ready", "");
  server_.archiver = [] {
    static uint64_t count = 0;
    return ArchiverStats{.archived_count = ++count};
  };
  EXPECT_THAT(Push(), MessageHas("000000010000000000000020 was not archived"));
  ExpectNothingLeft();
}

}  // namespace
}  // namespace walrig::test
