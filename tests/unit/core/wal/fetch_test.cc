#include "core/wal/fetch.h"

#include <filesystem>

#include "tests/support/faulty_storage.h"
#include "tests/unit/core/wal/wal_fixture.h"

namespace walrig::test {
namespace {

class WalFetchTest : public WalTest {
 protected:
  // Fetches what must fail: nothing is left at the destination or beside it.
  Status FetchBad(const std::string& name) {
    const Status status = Fetch(name).status();
    EXPECT_TRUE(dir_.Names().empty()) << "something was left";
    return status;
  }
};

TEST_F(WalFetchTest, GivesTheSegmentBack) {
  Store("wal_005/000000010000000000000003", MakeSegment(1, 3, 77));
  ASSERT_OK_AND_ASSIGN(const WalFetchReport report, Fetch(kName));
  EXPECT_EQ(report.key, "wal_005/000000010000000000000003");
  EXPECT_EQ(dir_.Read("out"), MakeSegment(1, 3, 77));
}

TEST_F(WalFetchTest, FindsTheTrailingDotThatOldReleasesWrote) {
  Store("wal_005/000000010000000000000003.", MakeSegment(1, 3, 77));
  EXPECT_THAT(Fetch(kName), IsOk());
}

TEST_F(WalFetchTest, AbsentIsNotFoundAndLeavesNothing) {
  Store("wal_005/000000010000000000000002", "what an archive of WAL-G holds");
  EXPECT_THAT(FetchBad(kName), HasCode(Code::kNotFound));
}

// A mount point without its mount: PostgreSQL would take the answer for the end of WAL.
TEST_F(WalFetchTest, AnEmptyPlaceIsNoArchiveThatLacksTheFile) {
  for (const std::string name : {kName, "00000002.history"}) {
    const Status status = FetchBad(name);
    EXPECT_THAT(status, HasCode(Code::kUnavailable));
    EXPECT_THAT(status, MessageHas("is its file system mounted"));
  }
  Store("walrig_storage_check_1", "left by a check");
  EXPECT_THAT(FetchBad(kName), HasCode(Code::kUnavailable));
  Store("wal_005/walrig.archive", "");
  EXPECT_THAT(FetchBad(kName), HasCode(Code::kNotFound));
}

TEST_F(WalFetchTest, WhoCannotAskForTheMarkerDoesNotKnow) {
  Store("basebackups_005/base_1/walrig.json", "{}");
  FaultyStorage faulty(storage_);
  for (const StorageCall call : {StorageCall::kStat, StorageCall::kList}) {
    faulty.Set({.only = call, .fail_from = 1, .fail_times = 100, .failure = PermissionDenied("HTTP 403")});
    const auto report = WalFetch(ctx_, {.name = kName, .destination = dir_.File("out"), .preferred_extension = "", .segment_bytes = 0},
                                 {.storage = faulty, .codecs = codecs_});
    EXPECT_THAT(report.status(), HasCode(Code::kPermission));
  }
}

// A token endpoint or a proxy may answer 404 for the storage as a whole: that is no word about the file.
TEST_F(WalFetchTest, AnArchiveThatCannotBeListedIsNotAnAbsentFile) {
  FaultyStorage faulty(storage_);
  faulty.Set({.only = StorageCall::kList, .fail_from = 1, .fail_times = 100, .failure = NotFound("HTTP 404")});
  const auto report = WalFetch(ctx_, {.name = kName, .destination = dir_.File("out"), .preferred_extension = "", .segment_bytes = 0},
                               {.storage = faulty, .codecs = codecs_});
  EXPECT_THAT(report.status(), HasCode(Code::kUnavailable));
}

TEST_F(WalFetchTest, AFileThatGoesWhileItIsReadIsNotAbsent) {
  Store("wal_005/000000010000000000000003", MakeSegment(1, 3, 77));
  FaultyStorage faulty(storage_);
  faulty.Set({.failure = NotFound("HTTP 404"), .break_after_bytes = 100'000});
  const auto report = WalFetch(ctx_, {.name = kName, .destination = dir_.File("out"), .preferred_extension = "", .segment_bytes = 0},
                               {.storage = faulty, .codecs = codecs_});
  EXPECT_THAT(report.status(), HasCode(Code::kUnavailable));
  EXPECT_TRUE(dir_.Names().empty());
}

TEST_F(WalFetchTest, RefusesANameThatIsNoWalFile) {
  EXPECT_THAT(FetchBad("../etc/passwd"), HasCode(Code::kInvalidArgument));
}

TEST_F(WalFetchTest, RefusesAnEmptyObject) {
  Store("wal_005/000000010000000000000003", "");
  EXPECT_THAT(FetchBad(kName), HasCode(Code::kCorruption));
}

TEST_F(WalFetchTest, RefusesHalfASegment) {
  Store("wal_005/000000010000000000000003", MakeSegment(1, 3, 77).substr(0, 1 << 19));
  EXPECT_THAT(FetchBad(kName), HasCode(Code::kCorruption));
}

TEST_F(WalFetchTest, RefusesTwoSegments) {
  Store("wal_005/000000010000000000000003", MakeSegment(1, 3, 77) + MakeSegment(1, 4, 77));
  EXPECT_THAT(FetchBad(kName), HasCode(Code::kCorruption));
}

TEST_F(WalFetchTest, RefusesAnotherSegment) {
  Store("wal_005/000000010000000000000003", MakeSegment(1, 4, 77));
  EXPECT_THAT(FetchBad(kName), HasCode(Code::kCorruption));
}

TEST_F(WalFetchTest, RefusesAnotherSegmentSizeThanConfigured) {
  Store("wal_005/000000010000000000000003", MakeSegment(1, 3, 77));
  const WalFetchOptions options{
      .name = kName, .destination = dir_.File("out"), .preferred_extension = "", .segment_bytes = 16u << 20};
  EXPECT_THAT(WalFetch(ctx_, options, FetchDeps()), HasCode(Code::kCorruption));
}

// brotli, and zstd, lz4 and lzop when told so, keep no checksum: nobody else would notice.
TEST_F(WalFetchTest, RefusesASegmentWithARecordThatChanged) {
  for (const size_t at : {5'000u, 700'000u}) {
    std::string bad = MakeSegment(1, 3, 77);
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    Store(std::string("wal_005/") + kName, bad);
    const Status status = FetchBad(kName);
    EXPECT_THAT(status, HasCode(Code::kCorruption));
    EXPECT_THAT(status, MessageHas("the WAL in it is damaged at 0/3"));
  }
}

TEST_F(WalFetchTest, RefusesASegmentWhoseRestWasLostOnlyWhenWalFollows) {
  const std::string cut = MakeSegment(1, 3, 77).substr(0, 300'000) + std::string((1 << 20) - 300'000, '\0');
  Store(std::string("wal_005/") + kName, cut);
  // The last of a server that crashed, archived by hand, looks the same.
  ASSERT_OK(Fetch(kName).status());
  EXPECT_EQ(dir_.Read("out"), cut);
  EXPECT_TRUE(ctx_.log().Has("the WAL in 000000010000000000000003 ends at 0/3", LogLevel::kWarning));
  std::filesystem::remove(dir_.File("out"));
  Store("wal_005/000000010000000000000004", MakeSegment(1, 4, 77));
  const Status status = FetchBad(kName);
  EXPECT_THAT(status, HasCode(Code::kCorruption));
  EXPECT_THAT(status, MessageHas("the archive holds the next segment"));
}

TEST_F(WalFetchTest, LooksInEveryStorageForTheWalThatFollows) {
  Store(std::string("wal_005/") + kName, MakeSegment(1, 3, 77).substr(0, 300'000) + std::string((1 << 20) - 300'000, '\0'));
  MemoryStorage other;
  ASSERT_OK(WriteObject(ctx_, other, "wal_005/000000010000000000000004", MakeSegment(1, 4, 77)));
  WalFetchDeps deps = FetchDeps();
  deps.others = {&other};
  EXPECT_THAT(WalFetch(ctx_, {.name = kName, .destination = dir_.File("out"), .preferred_extension = "", .segment_bytes = 0}, deps),
              HasCode(Code::kCorruption));
}

TEST_F(WalFetchTest, ReadsAPartialSegmentUpToItsEnd) {
  const std::string name = std::string(kName) + ".partial";
  std::string bytes = MakeSegment(1, 3, 77).substr(0, 300'000) + std::string((1 << 20) - 300'000, '\0');
  Store("wal_005/" + name, bytes);
  Store("wal_005/000000010000000000000004", MakeSegment(1, 4, 77));
  EXPECT_THAT(Fetch(name), IsOk());
  std::filesystem::remove(dir_.File("out"));
  bytes[100'000] = static_cast<char>(bytes[100'000] ^ 1);
  Store("wal_005/" + name, bytes);
  EXPECT_THAT(FetchBad(name), HasCode(Code::kCorruption));
}

TEST_F(WalFetchTest, LeavesTheRecordsOfAnUnknownReleaseAlone) {
  std::string later = MakeSegment(1, 3, 77);
  for (size_t page = 0; page < later.size(); page += 8192) later[page] = 0x7F;
  later[5'000] = static_cast<char>(later[5'000] ^ 1);
  Store(std::string("wal_005/") + kName, later);
  EXPECT_THAT(Fetch(kName), IsOk());
}

TEST_F(WalFetchTest, RefusesAHistoryThatDoesNotParse) {
  Store("wal_005/00000002.history", "nonsense");
  EXPECT_THAT(FetchBad("00000002.history"), HasCode(Code::kCorruption));
}

TEST_F(WalFetchTest, GivesHistoriesAndBackupFilesBack) {
  Store("wal_005/00000002.history", "1\t0/3000000\twhy\n");
  Store("wal_005/000000010000000000000003.00000028.backup", "START WAL LOCATION\n");
  EXPECT_THAT(Fetch("00000002.history", "h"), IsOk());
  EXPECT_THAT(Fetch("000000010000000000000003.00000028.backup", "b"), IsOk());
  EXPECT_EQ(dir_.Read("h"), "1\t0/3000000\twhy\n");
}

TEST_F(WalFetchTest, NeverWritesOverAFile) {
  Store("wal_005/000000010000000000000003", MakeSegment(1, 3, 77));
  dir_.Write("out", "mine");
  EXPECT_THAT(Fetch(kName), HasCode(Code::kAlreadyExists));
  EXPECT_EQ(dir_.Read("out"), "mine");
}

TEST_F(WalFetchTest, SaysThatTheDirectoryIsMissing) {
  Store("wal_005/000000010000000000000003", MakeSegment(1, 3, 77));
  EXPECT_THAT(Fetch(kName, "no/such/out"), HasCode(Code::kInvalidArgument));
}

TEST_F(WalFetchTest, AnObjectThatNoPluginReadsIsNotAbsent) {
  Store("wal_005/000000010000000000000003.zst", "compressed");
  EXPECT_THAT(FetchBad(kName), HasCode(Code::kNotSupported));
}

TEST_F(WalFetchTest, AFormThatWalGDoesNotKnowIsNotAbsentEither) {
  Store("wal_005/000000010000000000000003.acme", "compressed by somebody");
  EXPECT_THAT(FetchBad(kName), HasCode(Code::kNotSupported));
}

TEST_F(WalFetchTest, AnAbsentFileCostsOneGetOneListAndALookAtTheMarker) {
  Store(std::string(kArchiveMarkerKey), "marker");
  FaultyStorage counting(storage_);
  counting.Set({});
  const WalFetchOptions options{
      .name = kName, .destination = dir_.File("out"), .preferred_extension = "zst", .segment_bytes = 0};
  EXPECT_THAT(WalFetch(ctx_, options, {.storage = counting, .codecs = codecs_}), HasCode(Code::kNotFound));
  EXPECT_EQ(counting.counted(), 3u);
}

TEST_F(WalFetchTest, OfSeveralFormsThatOfWalGsOrderIsTaken) {
  Store("wal_005/000000010000000000000003.acme", "compressed by somebody");
  Store("wal_005/000000010000000000000003", MakeSegment(1, 3, 77, 'b'));
  Store("wal_005/000000010000000000000003.", MakeSegment(1, 3, 77, 'a'));
  const WalFetchOptions options{
      .name = kName, .destination = dir_.File("out"), .preferred_extension = "br", .segment_bytes = 0};
  ASSERT_OK(WalFetch(ctx_, options, FetchDeps()).status());
  EXPECT_EQ(dir_.Read("out"), MakeSegment(1, 3, 77, 'a'));
}

// A list that is behind must not make a file absent that can be asked for by its name.
TEST_F(WalFetchTest, WhereAListMayBeBehindEachFormIsAskedFor) {
  Store("wal_005/000000010000000000000003.", MakeSegment(1, 3, 77));
  FaultyStorage behind(storage_);
  StorageCapabilities capabilities = storage_.capabilities();
  capabilities.list_your_writes = false;
  behind.SetCapabilities(capabilities);
  behind.Set({.only = StorageCall::kList, .fail_from = 1, .fail_times = 100});
  const WalFetchOptions options{
      .name = kName, .destination = dir_.File("out"), .preferred_extension = "br", .segment_bytes = 0};
  EXPECT_THAT(WalFetch(ctx_, options, {.storage = behind, .codecs = codecs_}), IsOk());
}

TEST_F(WalFetchTest, AFileThatIsListedAndGoneWhenItIsOpenedIsNotAbsent) {
  Store("wal_005/000000010000000000000003.", MakeSegment(1, 3, 77));
  FaultyStorage faulty(storage_);
  faulty.Set({.only = StorageCall::kGet, .fail_from = 1, .fail_times = 100, .failure = NotFound("HTTP 404")});
  const WalFetchOptions options{
      .name = kName, .destination = dir_.File("out"), .preferred_extension = "br", .segment_bytes = 0};
  EXPECT_THAT(WalFetch(ctx_, options, {.storage = faulty, .codecs = codecs_}), HasCode(Code::kUnavailable));
}

TEST_F(WalFetchTest, AnotherSegmentOrItsMetadataDoNotPassForTheFile) {
  Store("wal_005/000000010000000000000003.json", "{}");
  Store("wal_005/000000010000000000000003.partial", MakeSegment(1, 3, 77));
  Store("wal_005/000000010000000000000003.00000028.backup", "START WAL LOCATION");
  EXPECT_THAT(FetchBad(kName), HasCode(Code::kNotFound));
}

TEST_F(WalFetchTest, WhoseStorageFailsAnywhereLeavesNoFileAndNeverSaysAbsent) {
  constexpr uint64_t kCallsMax = 200;  // more storage calls than a fetch needs
  const std::string segment = MakeSegment(1, 3, 77);
  Store(std::string("wal_005/") + kName, segment);
  FaultyStorage faulty(storage_);
  for (uint64_t n = 1; n < kCallsMax; ++n) {
    faulty.Set({.fail_from = n});
    const WalFetchOptions options{
        .name = kName, .destination = dir_.File("out"), .preferred_extension = "", .segment_bytes = 0};
    const auto fetched = WalFetch(ctx_, options, {.storage = faulty, .codecs = codecs_});
    if (fetched.ok()) {
      EXPECT_EQ(dir_.Read("out"), segment);
      if (faulty.failed() == 0) {
        EXPECT_GE(n, 3u);
        return;
      }
      std::filesystem::remove(options.destination);
      continue;
    }
    EXPECT_NE(fetched.status().code(), Code::kNotFound) << "PostgreSQL would be told that WAL ends, call " << n;
    EXPECT_FALSE(std::filesystem::exists(options.destination)) << "call " << n;
  }
  FAIL() << "a fetch needs more than " << kCallsMax << " calls";
}

}  // namespace
}  // namespace walrig::test
