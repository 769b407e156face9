#include "core/backup/archive_wait.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/postgres/wal_name.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using ::testing::ElementsAre;
using test::FaultyStorage;
using test::HasCode;
using test::MessageHas;
using test::StorageCall;
using test::TempDir;
using test::TestContext;

constexpr char kSegment[] = "000000010000000000000002";
constexpr uint64_t kSegmentBytes = 16 << 20;

ServerInfo Server(const std::string& archive_mode, bool in_recovery) {
  ServerInfo server;
  server.archive_mode = archive_mode;
  server.in_recovery = in_recovery;
  server.wal_segment_bytes = kSegmentBytes;
  return server;
}

TEST(ArchiveWaitTest, WantsEverySegmentAndTheHistoryFileOfAPrimary) {
  ASSERT_OK_AND_ASSIGN(auto names, WalToBeArchived(Server("on", false), 1, Lsn{0x2000028}, Lsn{0x5000000}));
  EXPECT_THAT(names, ElementsAre("000000010000000000000002", "000000010000000000000003", "000000010000000000000004",
                                 "000000010000000000000002.00000028.backup"));
}

TEST(ArchiveWaitTest, WantsNothingOfAServerThatDoesNotArchive) {
  for (const ServerInfo& server : {Server("off", false), Server("on", true), Server("", false)}) {
    ASSERT_OK_AND_ASSIGN(auto names, WalToBeArchived(server, 1, Lsn{0x2000028}, Lsn{0x2000100}));
    EXPECT_TRUE(names.empty());
  }
}

TEST(ArchiveWaitTest, WantsTheSegmentsOfAStandbyThatAlwaysArchives) {
  ASSERT_OK_AND_ASSIGN(auto names, WalToBeArchived(Server("always", true), 1, Lsn{0x2000028}, Lsn{0x2000100}));
  EXPECT_THAT(names, ElementsAre(kSegment));
}

TEST(ArchiveWaitTest, CountsTheSegmentsOfABackupFromItsStartToItsLastByte) {
  EXPECT_THAT(*WalOfBackup(3, Lsn{0xFF000028}, Lsn{0x100000001}, kSegmentBytes),
              ElementsAre("0000000300000000000000FF", "000000030000000100000000"));
  EXPECT_THAT(*WalOfBackup(1, Lsn{0x2000000}, Lsn{0x2000000}, kSegmentBytes), ElementsAre(kSegment));
  EXPECT_FALSE(WalOfBackup(1, Lsn{0x3000000}, Lsn{0x2000000}, kSegmentBytes).ok());
  EXPECT_FALSE(WalOfBackup(1, Lsn{0}, Lsn{UINT64_MAX}, kSegmentBytes).ok());
}

class WaitTest : public ::testing::Test {
 protected:
  Status Wait(uint64_t timeout_ms = 1000) { return WaitForArchive(test_, data_.path(), {kSegment}, timeout_ms); }
  void Mark(const std::string& suffix) { data_.Write("pg_wal/archive_status/" + std::string(kSegment) + suffix, ""); }
  TestContext test_;
  TempDir data_;
};

TEST_F(WaitTest, IsOverWhenTheSegmentIsDone) {
  data_.Write("pg_wal/" + std::string(kSegment), "wal");
  Mark(".done");
  EXPECT_OK(Wait());
  EXPECT_EQ(test_.clock().sleeps(), 0u);
}

TEST_F(WaitTest, IsOverWhenTheSegmentWasRecycled) { EXPECT_OK(Wait()); }

TEST_F(WaitTest, TimesOutWhileTheSegmentIsReadyOrNotYetMarked) {
  data_.Write("pg_wal/" + std::string(kSegment), "wal");
  EXPECT_THAT(Wait(), HasCode(Code::kTimeout));
  Mark(".ready");
  EXPECT_THAT(Wait(), HasCode(Code::kTimeout));
}

TEST_F(WaitTest, WarnsEveryMinuteWhenItHasNoEnd) {
  Mark(".ready");
  EXPECT_THAT(Wait(150'000), HasCode(Code::kTimeout));
  EXPECT_TRUE(test_.log().Has("still waiting for 000000010000000000000002", LogLevel::kWarning));
}

TEST_F(WaitTest, EndsWhenStopped) {
  Mark(".ready");
  test_.stop().RequestStop();
  EXPECT_THAT(Wait(), HasCode(Code::kCancelled));
}

class StoredWalTest : public WaitTest {
 protected:
  void Store(Storage& storage, const std::string& object) { ASSERT_OK(WriteObject(test_, storage, "wal_005/" + object, "wal")); }
  Status WaitStored(const std::vector<std::string>& names, uint64_t timeout_ms = 1000, bool archives = false) {
    return WaitForStoredWal(test_, {{&storage_, &other_}, archives ? data_.path() : "", timeout_ms}, names);
  }
  std::vector<std::string> Segments(uint64_t first, uint64_t last) {
    return *WalOfBackup(1, Lsn{first * kSegmentBytes}, Lsn{last * kSegmentBytes + 1}, kSegmentBytes);
  }
  MemoryStorage storage_, other_;
};

TEST_F(StoredWalTest, IsOverWhenEverySegmentIsThereInWhateverForm) {
  Store(storage_, "000000010000000000000002.zst");
  Store(storage_, "000000010000000000000003");
  Store(other_, "000000010000000000000004.lz4");
  EXPECT_OK(WaitStored(Segments(2, 4)));
  EXPECT_EQ(test_.clock().sleeps(), 0u);
}

// Background uploads store in any order: the last one says nothing about the others.
TEST_F(StoredWalTest, WaitsForASegmentInTheMiddle) {
  for (const uint64_t missing : {0x1Fu, 0x23u, 0x101u}) {
    MemoryStorage storage;
    for (uint64_t n = 0x1F; n <= 0x101; ++n)
      if (n != missing) Store(storage, Segments(n, n)[0] + ".zst");
    const Status status = WaitForStoredWal(test_, {{&storage}, "", 1000}, Segments(0x1F, 0x101));
    EXPECT_THAT(status, HasCode(Code::kTimeout));
    EXPECT_THAT(status, MessageHas(Segments(missing, missing)[0]));
  }
}

TEST_F(StoredWalTest, TakesNoOtherFileForTheSegment) {
  Store(storage_, "000000010000000000000002.partial.zst");
  Store(storage_, "000000010000000000000002.00000028.backup.zst");
  Store(storage_, "000000010000000000000002.json");
  Store(storage_, "000000020000000000000002.zst");
  EXPECT_THAT(WaitStored({kSegment}), HasCode(Code::kTimeout));
}

TEST_F(StoredWalTest, SaysThatTheServerArchivesToAnotherPlaceAndEndsThen) {
  data_.Write("pg_wal/" + std::string(kSegment), "wal");
  Mark(".done");
  const Status status = WaitStored({kSegment}, 0, true);
  EXPECT_THAT(status, HasCode(Code::kTimeout));
  EXPECT_THAT(status, MessageHas("was archived, but is not in the storage"));
  EXPECT_NE(std::string(status.hint()).find("WALRIG_WAL_ARCHIVE=elsewhere"), std::string::npos);
  EXPECT_LT(test_.clock().elapsed_ns(), 200'000'000'000u);
}

TEST_F(StoredWalTest, WaitsWithoutEndWhileTheArchiverIsNotDone) {
  Mark(".ready");
  test_.mutable_ctx().deadline_ns = test_.clock().MonotonicNs() + 3'600'000'000'000;
  EXPECT_THAT(WaitStored({kSegment}, 0, true), MessageHas("deadline"));
  EXPECT_TRUE(test_.log().Has("still waiting for 000000010000000000000002 in the storage", LogLevel::kWarning));
}

TEST_F(StoredWalTest, NeedsTheFirstStorageAndComplainsOnceOfAnother) {
  FaultyStorage faulty(storage_);
  faulty.Set({.only = StorageCall::kList, .fail_from = 1, .fail_times = UINT64_MAX, .failure = Unavailable("gone")});
  EXPECT_THAT(WaitForStoredWal(test_, {{&faulty, &other_}, "", 1000}, {kSegment}), HasCode(Code::kUnavailable));
  EXPECT_THAT(WaitForStoredWal(test_, {{&other_, &faulty}, "", 1000}, {kSegment}), HasCode(Code::kTimeout));
  size_t warnings = 0;
  for (const auto& line : test_.log().lines()) warnings += line.text.find("another storage") != std::string::npos;
  EXPECT_EQ(warnings, 1u);
}

}  // namespace
}  // namespace walrig
