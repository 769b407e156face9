#include "core/wal/push.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "core/storage/wrapper.h"
#include "core/wal/local_file.h"
#include "core/wal/markers.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/synthetic_backup.h"
#include "tests/unit/core/wal/wal_fixture.h"

namespace walrig::test {
namespace {

class WalPushTest : public WalTest {
 protected:
  // A pg_wal directory with an archive_status.
  std::string WaitingFile(const std::string& name, const std::string& content) {
    dir_.Write("pg_wal/archive_status/" + name + ".ready", "");
    return dir_.Write("pg_wal/" + name, content);
  }
  void Mark(const UploadMarkers& markers, const LocalWalFile& file) {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Sink> marker, markers.Prepare(ctx_, file));
    ASSERT_OK(marker->Commit(ctx_));
  }
};

TEST_F(WalPushTest, StoresTheSegmentByteForByte) {
  const std::string segment = MakeSegment(1, 3, 77);
  ASSERT_OK_AND_ASSIGN(const WalPushReport report, Push(dir_.Write(kName, segment)));
  EXPECT_FALSE(report.already_archived);
  EXPECT_EQ(report.plain_bytes, segment.size());
  EXPECT_EQ(Stored(std::string("wal_005/") + kName), segment);
}

TEST_F(WalPushTest, RefusesANameThatIsNoWalFile) {
  EXPECT_THAT(Push(dir_.Write("README", "x")), HasCode(Code::kInvalidArgument));
  EXPECT_EQ(ObjectCount(), 0u);
}

TEST_F(WalPushTest, RefusesAnotherSegmentsContent) {
  EXPECT_THAT(Push(dir_.Write(kName, MakeSegment(1, 4, 77))), HasCode(Code::kCorruption));
  EXPECT_EQ(ObjectCount(), 0u);
}

TEST_F(WalPushTest, RefusesATruncatedSegment) {
  EXPECT_THAT(Push(dir_.Write(kName, MakeSegment(1, 3, 77).substr(0, 500000))), HasCode(Code::kCorruption));
  EXPECT_EQ(ObjectCount(), 0u);
}

TEST_F(WalPushTest, RefusesAnEmptyFile) {
  EXPECT_THAT(Push(dir_.Write(kName, "")), ::testing::Not(IsOk()));
  EXPECT_EQ(ObjectCount(), 0u);
}

TEST_F(WalPushTest, RefusesASegmentSizeThatWasNotConfigured) {
  WalPushOptions options = PushOptions(dir_.Write(kName, MakeSegment(1, 3, 77)));
  options.segment_bytes = 16u << 20;
  EXPECT_THAT(WalPush(ctx_, options, PushDeps()), HasCode(Code::kCorruption));
}

TEST_F(WalPushTest, AcceptsTheFirstSegmentOfATimelineThatCopiesTheOldOne) {
  EXPECT_THAT(Push(dir_.Write("000000020000000000000003", MakeSegment(1, 3, 77))), IsOk());
}

TEST_F(WalPushTest, RefusesASegmentOfALaterTimelineThanItsName) {
  EXPECT_THAT(Push(dir_.Write(kName, MakeSegment(2, 3, 77))), HasCode(Code::kCorruption));
}

// Refusing it would end archiving, and lose what follows too.
TEST_F(WalPushTest, ArchivesADamagedRecordWithAnErrorThatNamesIt) {
  std::string bad = MakeSegment(1, 3, 77);
  bad[500'000] = static_cast<char>(bad[500'000] ^ 1);
  ASSERT_OK(Push(dir_.Write(kName, bad)).status());
  EXPECT_EQ(Stored(std::string("wal_005/") + kName), bad);
  EXPECT_TRUE(ctx_.log().Has("the WAL in it is damaged at 0/37", LogLevel::kError));
  EXPECT_TRUE(ctx_.log().Has("take a new backup", LogLevel::kError));
}

TEST_F(WalPushTest, SaysWhereTheWalEndsThatDoesNotFillItsSegment) {
  const std::string cut = MakeSegment(1, 3, 77).substr(0, 300'000) + std::string((1 << 20) - 300'000, '\0');
  ASSERT_OK(Push(dir_.Write(kName, cut)).status());
  EXPECT_TRUE(ctx_.log().Has("ends at 0/3", LogLevel::kWarning));
  EXPECT_FALSE(ctx_.log().Has("", LogLevel::kError));
  EXPECT_THAT(Push(dir_.Write(std::string(kName) + ".partial", cut)), IsOk());
}

TEST_F(WalPushTest, SaysNothingOfHealthyWal) {
  ASSERT_OK(Push(dir_.Write(kName, MakeSegment(1, 3, 77))).status());
  EXPECT_FALSE(ctx_.log().Has("", LogLevel::kWarning));
}

TEST_F(WalPushTest, TakesPartialHistoryAndBackupFiles) {
  EXPECT_THAT(Push(dir_.Write(std::string(kName) + ".partial", MakeSegment(1, 3, 77))), IsOk());
  EXPECT_THAT(Push(dir_.Write("00000002.history", "1\t0/3000000\tno recovery target specified\n")), IsOk());
  EXPECT_THAT(Push(dir_.Write(std::string(kName) + ".00000028.backup", "START WAL LOCATION: 0/3000028\n")), IsOk());
  EXPECT_EQ(ObjectCount(), 3u);
}

TEST_F(WalPushTest, RefusesAHistoryThatDoesNotParse) {
  EXPECT_THAT(Push(dir_.Write("00000002.history", "what is this")), HasCode(Code::kCorruption));
}

TEST_F(WalPushTest, GuardTakesEqualContentForSuccess) {
  const std::string path = dir_.Write(kName, MakeSegment(1, 3, 77));
  ASSERT_THAT(Push(path, true), IsOk());
  ASSERT_OK_AND_ASSIGN(const WalPushReport again, Push(path, true));
  EXPECT_TRUE(again.already_archived);
}

TEST_F(WalPushTest, GuardRefusesDifferentContentAndKeepsTheOld) {
  const std::string old = MakeSegment(1, 3, 77, 'a');
  ASSERT_THAT(Push(dir_.Write(kName, old), true), IsOk());
  EXPECT_THAT(Push(dir_.Write(kName, MakeSegment(1, 3, 77, 'b')), true), HasCode(Code::kConflict));
  EXPECT_EQ(Stored(std::string("wal_005/") + kName), old);
}

TEST_F(WalPushTest, GuardRefusesAShorterArchivedObject) {
  const std::string segment = MakeSegment(1, 3, 77);
  Store(std::string("wal_005/") + kName, segment.substr(0, 1000));
  EXPECT_THAT(Push(dir_.Write(kName, segment), true), HasCode(Code::kConflict));
}

TEST_F(WalPushTest, HistoriesAreGuardedAlways) {
  ASSERT_THAT(Push(dir_.Write("00000002.history", "1\t0/3000000\tone\n")), IsOk());
  EXPECT_THAT(Push(dir_.Write("00000002.history", "1\t0/4000000\tother\n")), HasCode(Code::kConflict));
}

TEST_F(WalPushTest, ASecondHistoryOfATimelineIsRefusedInWordsAndNothingOfItsTimelineIsStored) {
  ASSERT_THAT(Push(dir_.Write("00000002.history", "1\t0/3000000\tone\n")), IsOk());
  // The other server's; this one's would replace it.
  const std::string theirs = MakeSegment(2, 3, 77, 't');
  Store("wal_005/000000020000000000000003", theirs);
  WaitingFile("000000020000000000000003", MakeSegment(2, 3, 77, 'o'));
  WaitingFile("000000020000000000000004", MakeSegment(2, 4, 77, 'o'));
  const Status refused = Push(WaitingFile("00000002.history", "1\t0/4000000\tother\n")).status();
  EXPECT_THAT(refused, HasCode(Code::kConflict));
  for (const char* text : {"timeline 2 is taken", "leaves timeline 1 at 0/3000000 (one)", "leaves timeline 1 at 0/4000000 (other)",
                           "already archived, contents differ", "two servers were promoted", "pg_rewind"}) {
    EXPECT_NE(refused.ToString().find(text), std::string::npos) << text << " in " << refused.ToString();
  }
  EXPECT_EQ(Stored("wal_005/000000020000000000000003"), theirs);
  EXPECT_EQ(ObjectCount(), 2u);
}

// It was archived there while this one was away.
TEST_F(WalPushTest, TheGuardComparesInOtherStoragesToo) {
  MemoryStorage other;
  ASSERT_OK(WriteObject(ctx_, other, "wal_005/00000002.history", "1\t0/3000000\tone\n"));
  FaultyStorage away(other);
  away.Set({.fail_from = 1, .fail_times = 1000, .failure = Unavailable("away")});
  WalPushOptions options;
  options.path = dir_.Write("00000002.history", "1\t0/4000000\tother\n");
  WalPushDeps deps = PushDeps();
  deps.others = {&other};
  EXPECT_THAT(WalPush(ctx_, options, deps), HasCode(Code::kConflict));
  EXPECT_EQ(ListAll(ctx_, storage_, "")->size(), 0u);
  deps.others = {&away};  // archiving goes on
  EXPECT_THAT(WalPush(ctx_, options, deps), IsOk());
  deps.others = {&other};
  options.path = dir_.Write("00000002.history", "1\t0/3000000\tone\n");
  ASSERT_OK(DeleteAll(ctx_, storage_, {"wal_005/00000002.history"}));
  EXPECT_THAT(WalPush(ctx_, options, deps), IsOk());
}

TEST_F(WalPushTest, WithoutTheGuardTheNewerContentReplaces) {
  ASSERT_THAT(Push(dir_.Write(kName, MakeSegment(1, 3, 77, 'a'))), IsOk());
  ASSERT_THAT(Push(dir_.Write(kName, MakeSegment(1, 3, 77, 'b'))), IsOk());
  EXPECT_EQ(Stored(std::string("wal_005/") + kName), MakeSegment(1, 3, 77, 'b'));
}

TEST_F(WalPushTest, ArchivesOthersThatWaitAndMarksThem) {
  const std::string asked_for = WaitingFile(kName, MakeSegment(1, 3, 77));
  WaitingFile("000000010000000000000004", MakeSegment(1, 4, 77));
  WaitingFile("000000010000000000000005", MakeSegment(1, 5, 77));
  ASSERT_OK_AND_ASSIGN(const WalPushReport report, Push(asked_for));
  // How many were reached depends on how long the asked-for file took; each that was is stored and marked.
  EXPECT_EQ(ObjectCount(), 1 + report.background_files);
}

TEST_F(WalPushTest, BelievesItsOwnMarkerOnlyForTheSameContentThatIsArchived) {
  const std::string path = WaitingFile(kName, MakeSegment(1, 3, 77));
  ASSERT_OK_AND_ASSIGN(const LocalWalFile file, OpenLocalWalFile(path, 0));
  const UploadMarkers markers(dir_.File("pg_wal"));
  // Marked, but not in the archive: it is stored.
  Mark(markers, file);
  ASSERT_OK_AND_ASSIGN(const WalPushReport stored, Push(path));
  EXPECT_FALSE(stored.already_archived);
  EXPECT_FALSE(markers.Exists(kName));
  // Marked and archived: nothing to do.
  Mark(markers, file);
  ASSERT_OK_AND_ASSIGN(const WalPushReport skipped, Push(path));
  EXPECT_TRUE(skipped.already_archived);
  // Marked, archived, and the file is another by now: it is stored.
  Mark(markers, file);
  dir_.Write(std::string("pg_wal/") + kName, MakeSegment(1, 3, 77, 'z'));
  ASSERT_OK_AND_ASSIGN(const WalPushReport renewed, Push(path));
  EXPECT_FALSE(renewed.already_archived);
  EXPECT_EQ(Stored(std::string("wal_005/") + kName), MakeSegment(1, 3, 77, 'z'));
}

TEST_F(WalPushTest, DoesNotBelieveAnEmptyMarkerOfWalG) {
  const std::string path = WaitingFile(kName, MakeSegment(1, 3, 77));
  dir_.Write(std::string("pg_wal/walg_data/walg_archive_status/") + kName, "");
  ASSERT_OK_AND_ASSIGN(const WalPushReport report, Push(path));
  EXPECT_FALSE(report.already_archived);
  EXPECT_EQ(Stored(std::string("wal_005/") + kName), MakeSegment(1, 3, 77));
}

TEST_F(WalPushTest, ADamagedNeighbourDoesNotFailTheAskedForFile) {
  const std::string asked_for = WaitingFile(kName, MakeSegment(1, 3, 77));
  WaitingFile("000000010000000000000004", "not a segment");
  EXPECT_THAT(Push(asked_for), IsOk());
  EXPECT_THAT(Stored("wal_005/000000010000000000000004"), ::testing::StartsWith("("));
}

TEST_F(WalPushTest, RefusesAnotherClustersSegmentAlsoWherePgWalIsALink) {
  dir_.Write("pgdata/global/pg_control", MakeControlFile(78));
  const std::string content = MakeSegment(1, 3, 77);
  dir_.Write(std::string("disk/wal/") + kName, content);
  std::filesystem::create_symlink(dir_.File("disk/wal"), dir_.File("pgdata/pg_wal"));
  EXPECT_THAT(Push(dir_.File(std::string("pgdata/pg_wal/") + kName)), HasCode(Code::kConflict));
  Store(std::string("wal_005/") + kName, content);
  EXPECT_THAT(Fetch(kName, "pgdata/pg_wal/RECOVERYXLOG"), HasCode(Code::kConflict));
}

// Does something when an object is opened, which is before the file is read.
class MeddlingStorage final : public StorageWrapper {
 public:
  MeddlingStorage(Storage& inner, std::function<void()> meddle) : StorageWrapper(inner), meddle_(std::move(meddle)) {}
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    meddle_();
    return StorageWrapper::Put(ctx, key, options);
  }

 private:
  std::function<void()> meddle_;
};

// Another wal-push archived the segment while this one was at it, and PostgreSQL made a later one of it.
TEST_F(WalPushTest, KeepsTheArchivedSegmentWhenPostgresRecyclesTheFileItReads) {
  const std::string path = WaitingFile(kName, MakeSegment(1, 3, 77));
  ASSERT_THAT(Push(path), IsOk());
  MeddlingStorage storage(storage_, [&] {
    std::filesystem::rename(path, dir_.File("pg_wal/000000010000000000000009"));
    dir_.Write("pg_wal/000000010000000000000009", MakeSegment(1, 9, 77, 'z'));
  });
  EXPECT_THAT(WalPush(ctx_, PushOptions(path), {.storage = storage, .codec = {}, .codecs = codecs_}),
              HasCode(Code::kNotFound));
  EXPECT_EQ(Stored(std::string("wal_005/") + kName), MakeSegment(1, 3, 77));
}

TEST_F(WalPushTest, StoresNothingOfAFileThatIsWrittenToMeanwhile) {
  const std::string path = dir_.Write(kName, MakeSegment(1, 3, 77));
  MeddlingStorage storage(storage_, [&] {
    dir_.Write(kName, MakeSegment(1, 3, 77, 'z'));
    const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  });
  EXPECT_THAT(WalPush(ctx_, PushOptions(path), {.storage = storage, .codec = {}, .codecs = codecs_}),
              HasCode(Code::kConflict));
  EXPECT_EQ(ObjectCount(), 0u);
}

TEST_F(WalPushTest, MarksTheArchiveOnceAndNotesIt) {
  FaultyStorage counting(storage_);
  WalPushOptions options = PushOptions(dir_.Write(kName, MakeSegment(1, 3, 77)));
  options.archive_id = "default#1";
  const auto stats = [&] {
    counting.Set({.only = StorageCall::kStat});
    EXPECT_THAT(WalPush(ctx_, options, {.storage = counting, .codec = {}, .codecs = codecs_}), IsOk());
    return counting.counted();
  };
  EXPECT_FALSE(ArchiveIsNoted(options));
  EXPECT_EQ(stats(), 1u);
  EXPECT_TRUE(ArchiveIsNoted(options));
  ASSERT_OK_AND_ASSIGN(const bool marked, Exists(ctx_, storage_, kArchiveMarkerKey));
  EXPECT_TRUE(marked);
  EXPECT_EQ(stats(), 0u);
  options.archive_id = "default#2";  // another bucket
  EXPECT_EQ(stats(), 1u);
  options.path = dir_.Write("00000002.history", "1\t0/3000000\tone\n");
  EXPECT_EQ(stats(), 1u) << "a history looks always";
}

TEST_F(WalPushTest, MarksEveryStorageOfAFailover) {
  MemoryStorage other, away;
  FaultyStorage faulty(away);
  faulty.Set({.fail_from = 1, .fail_times = 1000, .failure = Unavailable("away")});
  WalPushDeps deps = PushDeps();
  deps.others = {&faulty, &other};
  EXPECT_THAT(WalPush(ctx_, PushOptions(dir_.Write(kName, MakeSegment(1, 3, 77))), deps), IsOk());
  ASSERT_OK_AND_ASSIGN(const bool marked, Exists(ctx_, other, kArchiveMarkerKey));
  EXPECT_TRUE(marked);
  EXPECT_TRUE(ctx_.log().Has("walrig.archive could not be stored", LogLevel::kWarning));
}

TEST_F(WalPushTest, AsksForNoMarkerWhereNoNoteCanBeKept) {
  dir_.Write("walg_data", "a file where the directory must be");
  FaultyStorage counting(storage_);
  counting.Set({.only = StorageCall::kStat});
  EXPECT_THAT(WalPush(ctx_, PushOptions(dir_.Write(kName, MakeSegment(1, 3, 77))), {.storage = counting, .codec = {}, .codecs = codecs_}),
              IsOk());
  EXPECT_EQ(counting.counted(), 0u);
}

TEST_F(WalPushTest, StopsWhenAsked) {
  ctx_.stop().RequestStop();
  EXPECT_THAT(Push(dir_.Write(kName, MakeSegment(1, 3, 77))), HasCode(Code::kCancelled));
  EXPECT_EQ(ObjectCount(), 0u);
}

TEST_F(WalPushTest, WritesIndividualMetadataWhenAsked) {
  WalPushOptions options = PushOptions(dir_.Write(kName, MakeSegment(1, 3, 77)));
  options.individual_metadata = true;
  ASSERT_THAT(WalPush(ctx_, options, PushDeps()), IsOk());
  EXPECT_THAT(Stored(std::string("wal_005/") + kName + ".json"),
              ::testing::StartsWith(std::string("{\"") + kName + "\":{\"created_time\":\""));
}

constexpr uint64_t kCallsMax = 200;  // more storage calls than any push or fetch here needs

// PostgreSQL never asks for a file whose .ready was renamed, so nobody else would take its marker away.
TEST_F(WalPushTest, LeavesNoMarkerOfAFileThatItMarkedAsDoneItself) {
  const std::string asked_for = WaitingFile(kName, MakeSegment(1, 3, 77));
  WaitingFile("000000010000000000000004", MakeSegment(1, 4, 77));
  dir_.Write("pg_wal/walg_data/walg_archive_status/000000010000000000000001", "of an earlier run");
  WalPushOptions options = PushOptions(asked_for);
  options.background_workers = 1, options.background_files_max = 1;
  options.rename_ready = true;
  const auto done = [this] { return dir_.Exists("pg_wal/archive_status/000000010000000000000004.done"); };
  // The second file is pushed when there is time for it.
  for (int i = 0; i < 1000 && !done(); ++i) ASSERT_THAT(WalPush(ctx_, options, PushDeps()), IsOk());
  ASSERT_TRUE(done());
  EXPECT_TRUE(std::filesystem::is_empty(dir_.File("pg_wal/walg_data/walg_archive_status")));
}


class WalPushCrashTest : public WalTest {
 protected:
  // Pushes with the n-th storage call failing, for n = 1, 2, ... until none failed. After a failure the segment is
  // absent or whole, and the same push with a healthy storage succeeds and leaves the segment and its metadata. Answers
  // how many pushes failed.
  size_t FailEachCallOfAPush(bool prevent_overwrite, bool effect_first) {
    const std::string segment = MakeSegment(1, 3, 77);
    const std::string path = dir_.Write(kName, segment);
    const std::string key = std::string("wal_005/") + kName;
    size_t failures = 0;
    for (uint64_t n = 1; n < kCallsMax; ++n) {
      MemoryStorage memory;
      FaultyStorage faulty(memory);
      faulty.Set({.fail_from = n, .effect_first = effect_first});
      WalPushOptions options = PushOptions(path);
      options.prevent_overwrite = prevent_overwrite;
      options.individual_metadata = true;
      const auto pushed = WalPush(ctx_, options, {.storage = faulty, .codec = {}, .codecs = codecs_});
      if (faulty.failed() == 0) {
        EXPECT_THAT(pushed, IsOk());
        return failures;
      }
      const auto stored = ReadObject(ctx_, memory, key, 64 << 20);
      if (stored.ok()) {
        EXPECT_EQ(*stored, segment) << "after call " << n;
      }
      if (pushed.ok()) {
        EXPECT_TRUE(stored.ok()) << "success without the segment, call " << n;
      } else {
        ++failures;
      }
      EXPECT_THAT(WalPush(ctx_, options, {.storage = memory, .codec = {}, .codecs = codecs_}), IsOk()) << "call " << n;
      EXPECT_EQ(ReadObject(ctx_, memory, key, 64 << 20).value(), segment);
      EXPECT_THAT(ReadObject(ctx_, memory, key + ".json", 1 << 20), IsOk()) << "call " << n;
    }
    ADD_FAILURE() << "a push needs more than " << kCallsMax << " calls";
    return failures;
  }
};

TEST_F(WalPushTest, LeavesTheMetadataOfAnArchivedSegmentAsTheyAre) {
  const std::string path = dir_.Write(kName, MakeSegment(1, 3, 77));
  ASSERT_THAT(Push(path), IsOk());
  Store(std::string("wal_005/") + kName + ".json", "of the first host");
  WalPushOptions options = PushOptions(path);
  options.prevent_overwrite = options.individual_metadata = true;
  ASSERT_THAT(WalPush(ctx_, options, PushDeps()), IsOk());
  EXPECT_EQ(Stored(std::string("wal_005/") + kName + ".json"), "of the first host");
}

TEST_F(WalPushCrashTest, APushWhoseStorageFailsAnywhereLeavesTheSegmentWholeOrAbsent) {
  EXPECT_GE(FailEachCallOfAPush(false, false), 2u);
}

TEST_F(WalPushCrashTest, APushWhoseStorageFailsAfterTheDeedLeavesTheSegmentWholeOrAbsent) {
  EXPECT_GE(FailEachCallOfAPush(false, true), 2u);
}

TEST_F(WalPushCrashTest, AGuardedPushWhoseStorageFailsAnywhereLeavesTheSegmentWholeOrAbsent) {
  EXPECT_GE(FailEachCallOfAPush(true, false), 2u);
  EXPECT_GE(FailEachCallOfAPush(true, true), 2u);
}

}  // namespace
}  // namespace walrig::test
