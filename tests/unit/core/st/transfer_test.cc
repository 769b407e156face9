#include "core/st/transfer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>

#include "core/io/throttle.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "core/storage/stack.h"
#include "core/storage/wrapper.h"
#include "tests/support/failing_storage.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

constexpr const char* kMovedSentinel = "basebackups_005/base_1_backup_stop_sentinel.json";

class TransferTest : public ::testing::Test {
 protected:
  const Context& ctx() { return context_.ctx(); }
  void Put(Storage& storage, const std::string& key, const std::string& bytes) {
    ASSERT_OK(WriteObject(ctx(), storage, key, bytes));
  }
  size_t Count(Storage& storage) { return ListAll(ctx(), storage, "").value().size(); }
  void PutBackup() {
    Put(source_, "basebackups_005/base_1/tar_partitions/part_001.tar", std::string(300'000, 'x'));
    Put(source_, "basebackups_005/base_1/metadata.json", "{}");
    Put(source_, kMovedSentinel, "{}");
  }
  test::TestContext context_;
  MemoryStorage source_, target_;
};

TEST_F(TransferTest, MovesObjectsAndDeletesThemAtTheSource) {
  for (int i = 0; i < 50; ++i) Put(source_, "wal_005/" + std::to_string(i), std::string(static_cast<size_t>(i), 'w'));
  Put(source_, "other", "stays");
  ASSERT_OK_AND_ASSIGN(const TransferReport report, TransferObjects(ctx(), source_, target_, "wal_005/", {}));
  EXPECT_EQ(report.moved, 50u);
  EXPECT_EQ(report.bytes, 1225u);
  EXPECT_EQ(Count(target_), 50u);
  EXPECT_EQ(Count(source_), 1u);
  EXPECT_EQ(ReadObject(ctx(), target_, "wal_005/7", 100).value(), "wwwwwww");
}

TEST_F(TransferTest, TheArchivesMarkerStaysAndTheTargetGetsOne) {
  Put(source_, "wal_005/walrig.archive", "of another release");
  Put(source_, "wal_005/1", "w");
  for (int run = 0; run < 2; ++run) {
    ASSERT_OK_AND_ASSIGN(const TransferReport report, TransferObjects(ctx(), source_, target_, "wal_005/", {}));
    EXPECT_EQ(report.failed, 0u);
    EXPECT_EQ(ReadObject(ctx(), source_, "wal_005/walrig.archive", 100).value(), "of another release");
    EXPECT_TRUE(Exists(ctx(), target_, "wal_005/walrig.archive").value());
  }
  EXPECT_EQ(Count(source_), 1u);
}

TEST_F(TransferTest, AnotherObjectOfTheNameIsKeptAtBothPlaces) {
  Put(source_, "a", "new");
  Put(target_, "a", "older");
  ASSERT_OK_AND_ASSIGN(const TransferReport report, TransferObjects(ctx(), source_, target_, "", {}));
  EXPECT_EQ(report.failed, 1u);
  EXPECT_EQ(ReadObject(ctx(), target_, "a", 100).value(), "older");
  EXPECT_TRUE(Exists(ctx(), source_, "a").value());
  ASSERT_OK_AND_ASSIGN(const TransferReport again, TransferObjects(ctx(), source_, target_, "", {.overwrite = true}));
  EXPECT_EQ(again.moved, 1u);
  EXPECT_EQ(ReadObject(ctx(), target_, "a", 100).value(), "new");
}

TEST_F(TransferTest, OtherBytesOfTheSameNumberAreNotTakenForTheObject) {
  Put(source_, "a", "new");
  Put(target_, "a", "old");
  ASSERT_OK_AND_ASSIGN(const TransferReport report, TransferObjects(ctx(), source_, target_, "", {}));
  EXPECT_EQ(report.failed, 1u);
  EXPECT_TRUE(Exists(ctx(), source_, "a").value());
}

TEST_F(TransferTest, ABackupIsNotFinishedOnAPartOfOtherBytes) {
  for (const bool preserve : {false, true}) {
    PutBackup();
    Put(target_, "basebackups_005/base_1/tar_partitions/part_001.tar", std::string(299'999, 'x') + "y");
    ASSERT_OK_AND_ASSIGN(const TransferReport report, TransferBackups(ctx(), source_, target_, "", {.preserve = preserve}));
    EXPECT_EQ(report.failed, 1u);
    EXPECT_FALSE(Exists(ctx(), target_, kMovedSentinel).value());
    EXPECT_EQ(Count(source_), 3u);
  }
}

TEST_F(TransferTest, MemoryIsSharedByWhatMovesAtOnce) {
  EXPECT_EQ(MemoryOfOne({.concurrency = 1, .memory_bytes = 96u << 20}), 32u << 20);
  EXPECT_EQ(MemoryOfOne({.concurrency = 16, .memory_bytes = 96u << 20}), 6u << 20);
  EXPECT_EQ(MemoryOfOne({.concurrency = 1000, .memory_bytes = 96u << 20}), 1u << 20);
  EXPECT_EQ(MemoryOfOne({.concurrency = 0, .memory_bytes = 2u << 20}), 2u << 20);
}

TEST_F(TransferTest, WhatTheTargetHasIsNotWrittenAgain) {
  PutBackup();
  ASSERT_OK_AND_ASSIGN(const std::vector<ObjectInfo> parts, ListAll(ctx(), source_, "basebackups_005/base_1/"));
  for (const ObjectInfo& part : parts) {
    ASSERT_OK(CopyObject(ctx(), source_, target_, part, 1u << 20));
  }
  ASSERT_OK_AND_ASSIGN(const TransferReport report, TransferBackups(ctx(), source_, target_, "", {}));
  EXPECT_EQ(report.skipped, 2u);
  EXPECT_EQ(report.moved, 1u);
  EXPECT_EQ(Count(source_), 0u);
  EXPECT_EQ(Count(target_), 3u);
}

TEST_F(TransferTest, WithPreserveTheSourceStays) {
  Put(source_, "a", "1");
  ASSERT_OK(TransferObjects(ctx(), source_, target_, "", {.preserve = true}).status());
  EXPECT_EQ(Count(source_), 1u);
  EXPECT_EQ(Count(target_), 1u);
}

TEST_F(TransferTest, NothingIsDeletedThatTheTargetDoesNotShow) {
  Put(source_, "a", "123");
  test::FaultyStorage faulty(target_);
  faulty.Set({.size_lie_bytes = -1});
  ASSERT_OK_AND_ASSIGN(const TransferReport report,
                       TransferObjects(ctx(), source_, faulty, "", {.appearance_checks = 3}));
  EXPECT_EQ(report.failed, 1u);
  EXPECT_TRUE(Exists(ctx(), source_, "a").value());
}

// Whichever call fails: the backup is whole at one place, and going on finishes it.
TEST_F(TransferTest, AFailureAtAnyCallLeavesTheBackupWholeSomewhere) {
  for (uint64_t call = 1; call < 60; ++call) {
    MemoryStorage source, target;
    for (const char* key : {"basebackups_005/base_1/a", "basebackups_005/base_1/b", kMovedSentinel}) Put(source, key, "bytes");
    test::FaultyStorage faulty_source(source), faulty_target(target);
    (call % 2 == 0 ? faulty_source : faulty_target).Set({.fail_from = (call + 1) / 2, .failure = IoError("injected")});
    const auto first = TransferBackups(ctx(), faulty_source, faulty_target, "", {.concurrency = 1});
    const bool here = Exists(ctx(), source, kMovedSentinel).value();
    const bool there = Exists(ctx(), target, kMovedSentinel).value();
    ASSERT_TRUE(here || there) << call;
    MemoryStorage& whole = there ? target : source;
    ASSERT_TRUE(Exists(ctx(), whole, "basebackups_005/base_1/a").value()) << call;
    ASSERT_TRUE(Exists(ctx(), whole, "basebackups_005/base_1/b").value()) << call;
    ASSERT_OK(TransferBackups(ctx(), source, target, "", {.overwrite = true}).status()) << call;
    ASSERT_TRUE(Exists(ctx(), target, kMovedSentinel).value()) << call;
  }
}

TEST_F(TransferTest, ABackupMovesWholeAndANameThatIsNotThereIsNotFound) {
  PutBackup();
  EXPECT_EQ(TransferBackups(ctx(), source_, target_, "base_9", {}).status().code(), Code::kNotFound);
  ASSERT_OK_AND_ASSIGN(const TransferReport report, TransferBackups(ctx(), source_, target_, "base_1", {}));
  EXPECT_EQ(report.moved, 3u);
  EXPECT_EQ(Count(source_), 0u);
  EXPECT_EQ(Count(target_), 3u);
}

// Moving by names must not leave a sentinel without its parts either.
TEST_F(TransferTest, ABackupAmongObjectsMovesWholeAtWhicheverCallItFails) {
  for (uint64_t call = 1; call < 60; ++call) {
    MemoryStorage source, target;
    for (const char* key : {"basebackups_005/base_1/a", "basebackups_005/base_1/b", kMovedSentinel, "wal_005/x"}) Put(source, key, "bytes");
    test::FaultyStorage faulty_source(source), faulty_target(target);
    (call % 2 == 0 ? faulty_source : faulty_target).Set({.fail_from = (call + 1) / 2, .failure = IoError("injected")});
    static_cast<void>(TransferObjects(ctx(), faulty_source, faulty_target, "", {.concurrency = 1}));
    const bool there = Exists(ctx(), target, kMovedSentinel).value();
    ASSERT_TRUE(there || Exists(ctx(), source, kMovedSentinel).value()) << call;
    MemoryStorage& whole = there ? target : source;
    ASSERT_TRUE(Exists(ctx(), whole, "basebackups_005/base_1/a").value()) << call;
    ASSERT_TRUE(Exists(ctx(), whole, "basebackups_005/base_1/b").value()) << call;
  }
}

TEST_F(TransferTest, ABackupOverTheNumberOfObjectsStaysWhole) {
  PutBackup();
  Put(source_, "a", "1");
  Put(source_, "wal_005/x", "1");
  ASSERT_OK_AND_ASSIGN(const TransferReport four, TransferObjects(ctx(), source_, target_, "", {.objects_max = 4}));
  EXPECT_EQ(four.moved, 2u);
  EXPECT_EQ(Count(source_), 3u);
  ASSERT_OK_AND_ASSIGN(const TransferReport three, TransferObjects(ctx(), source_, target_, "", {.objects_max = 3}));
  EXPECT_EQ(three.moved, 3u);
  EXPECT_EQ(Count(source_), 0u);
}

TEST_F(TransferTest, NothingIsDeletedWhenBothNamesAreOnePlace) {
  PutBackup();
  const size_t before = Count(source_);
  EXPECT_EQ(TransferObjects(ctx(), source_, source_, "", {.overwrite = true}).status().code(), Code::kConfig);
  EXPECT_EQ(TransferBackups(ctx(), source_, source_, "", {.overwrite = true}).status().code(), Code::kConfig);
  static_cast<void>(TransferObjects(ctx(), source_, source_, "", {}));
  static_cast<void>(TransferBackups(ctx(), source_, source_, "", {}));
  EXPECT_EQ(Count(source_), before);
}

TEST_F(TransferTest, FailFastEndsWithTheFailure) {
  Put(source_, "a", "1");
  Put(target_, "a", "other");
  EXPECT_EQ(TransferObjects(ctx(), source_, target_, "", {.fail_fast = true}).status().code(), Code::kConflict);
}

// Of both storages, without what CheckTwoPlaces writes and a kill leaves.
std::map<std::string, std::string> Content(const Context& ctx, Storage& storage) {
  std::map<std::string, std::string> content;
  const std::vector<ObjectInfo> objects = ListAll(ctx, storage, "").value();
  for (const ObjectInfo& info : objects) {
    if (!info.key.starts_with("walrig_storage_check_")) content[info.key] = ReadObject(ctx, storage, info.key, 1 << 20).value();
  }
  return content;
}

using Transfer = std::function<Result<TransferReport>(Storage&, Storage&)>;

class KilledTransferTest : public TransferTest {
 protected:
  // Kills `transfer` at each of its calls in turn, from the same beginning; runs it again, and wants `wanted` at the target
  // and nothing at the source.
  void AtEachCall(const std::map<std::string, std::string>& before, const std::map<std::string, std::string>& target_before,
                  const Transfer& transfer, const std::function<void(Storage& source, Storage& target)>& between) {
    bool finished = false;
    for (int64_t call = 0; !finished; ++call) {
      ASSERT_LT(call, 1000);
      MemoryStorage source, target;
      for (const auto& [key, bytes] : before) Put(source, key, bytes);
      for (const auto& [key, bytes] : target_before) Put(target, key, bytes);
      {
        auto left = std::make_shared<std::atomic<int64_t>>(call);
        test::FailingStorage dying_source(source, left), dying_target(target, left);
        static_cast<void>(transfer(dying_source, dying_target));
        finished = !dying_source.failed() && !dying_target.failed();
      }
      between(source, target);
      const auto again = transfer(source, target);
      ASSERT_OK(again.status()) << call;
      EXPECT_EQ(again->failed, 0u) << call << ": " << (again->failures.empty() ? "" : again->failures.front());
      EXPECT_EQ(Content(ctx(), source), (std::map<std::string, std::string>())) << call;
      EXPECT_EQ(Content(ctx(), target), before) << call;
    }
  }
  // The backup is whole wherever it has a sentinel, and it has one at least.
  void ExpectWhole(Storage& source, Storage& target, const std::map<std::string, std::string>& backup) {
    bool somewhere = false;
    for (Storage* const place : {&source, &target}) {
      const auto content = Content(ctx(), *place);
      if (!content.contains(kMovedSentinel)) continue;
      if (place == &target && content.at(kMovedSentinel) != backup.at(kMovedSentinel)) continue;  // the one that was there before
      somewhere = true;
      for (const auto& [key, bytes] : backup) {
        ASSERT_TRUE(content.contains(key)) << key;
        EXPECT_EQ(content.at(key), bytes) << key;
      }
    }
    EXPECT_TRUE(somewhere);
  }

  const std::map<std::string, std::string> backup_ = {
      {"basebackups_005/base_1/metadata.json", "{}"}, {"basebackups_005/base_1/part_1", "\x89WRGC\r\n\x1A: sealed"}, {"basebackups_005/base_1/part_2", "two"}, {kMovedSentinel, "{\"a\": 1}"}};
};

TEST_F(KilledTransferTest, ABackupGoesOnWhereverItWasInterrupted) {
  const Transfer all = [&](Storage& from, Storage& to) { return TransferBackups(ctx(), from, to, "", {.concurrency = 1}); };
  const Transfer named = [&](Storage& from, Storage& to) { return TransferBackups(ctx(), from, to, "base_1", {.concurrency = 1}); };
  for (const Transfer& transfer : {all, named}) {
    AtEachCall(backup_, {}, transfer, [&](Storage& source, Storage& target) { ExpectWhole(source, target, backup_); });
  }
}

TEST_F(KilledTransferTest, ObjectsAndTheBackupsAmongThemGoOnWhereverTheyWereInterrupted) {
  auto before = backup_;
  for (int i = 0; i < 3; ++i) before["wal_005/" + std::to_string(i)] = "segment";
  AtEachCall(before, {}, [&](Storage& from, Storage& to) { return TransferObjects(ctx(), from, to, "", {.concurrency = 1}); },
             [&](Storage& source, Storage& target) { ExpectWhole(source, target, backup_); });
}

// The target's own backup of this name is whole as long as it has its sentinel.
TEST_F(KilledTransferTest, OverwritingNeverReplacesPartsBelowALivingSentinel) {
  const std::map<std::string, std::string> older = {
      {"basebackups_005/base_1/part_1", "old"}, {"basebackups_005/base_1/part_2", "two"}, {"basebackups_005/base_1/part_3", "more"}, {kMovedSentinel, "{\"a\": 0}"}};
  AtEachCall(backup_, older, [&](Storage& from, Storage& to) {
    return TransferBackups(ctx(), from, to, "", {.overwrite = true, .concurrency = 1});
  }, [&](Storage& source, Storage& target) {
    ExpectWhole(source, target, backup_);
    const auto there = Content(ctx(), target);
    const bool lives = there.contains(kMovedSentinel) && there.at(kMovedSentinel) == older.at(kMovedSentinel);
    if (lives) {
      EXPECT_EQ(there, older);
    }
  });
}

TEST_F(TransferTest, AnotherBackupOfTheNameIsAFailureUnlessOverwritten) {
  PutBackup();
  Put(target_, kMovedSentinel, "{\"other\": 1}");
  for (const bool preserve : {false, true}) {
    ASSERT_OK_AND_ASSIGN(const TransferReport report, TransferBackups(ctx(), source_, target_, "", {.preserve = preserve}));
    EXPECT_EQ(report.failed, 1u);
    EXPECT_NE(report.failures.at(0).find("--overwrite"), std::string::npos);
    EXPECT_EQ(Count(source_), 3u);
    EXPECT_EQ(Count(target_), 1u);
  }
}

// A backup-push that runs, or was killed, in the target under this name.
TEST_F(TransferTest, NothingIsPutIntoAFolderThatABackupPushHasClaimed) {
  PutBackup();
  Put(target_, "basebackups_005/base_1/walrig.claim", "walrig 1 token");
  Put(target_, "basebackups_005/base_1/tar_partitions/part_001.tar", "theirs");
  ASSERT_OK_AND_ASSIGN(const TransferReport report, TransferBackups(ctx(), source_, target_, "", {.overwrite = true}));
  EXPECT_EQ(report.failed, 1u);
  EXPECT_EQ(ReadObject(ctx(), target_, "basebackups_005/base_1/tar_partitions/part_001.tar", 100).value(), "theirs");
  EXPECT_EQ(Count(source_), 3u);
}

TEST_F(TransferTest, PartsThatABackupPushIsWritingStay) {
  Put(source_, "basebackups_005/base_2/walrig.claim", "token");
  Put(source_, "basebackups_005/base_2/tar_partitions/part_001.tar", "bytes");
  ASSERT_OK(TransferBackups(ctx(), source_, target_, "", {}).status());
  EXPECT_EQ(Count(source_), 2u);
  EXPECT_EQ(Count(target_), 0u);
}

TEST_F(TransferTest, APartOfABackupIsNotMovedWithoutTheRest) {
  PutBackup();
  for (const char* prefix : {"basebackups_005/base_1/", "basebackups_005/base_1/tar_partitions/", kMovedSentinel}) {
    const auto refused = TransferObjects(ctx(), source_, target_, prefix, {.overwrite = true});
    EXPECT_EQ(refused.status().code(), Code::kInvalidArgument) << prefix;
    EXPECT_NE(refused.status().hint().find("st transfer backups base_1"), std::string::npos);
    EXPECT_EQ(Count(source_), 3u);
    EXPECT_EQ(Content(ctx(), target_).size(), 0u);
  }
}

TEST_F(TransferTest, PiecesNeverReplaceWhatLiesBelowTheTargetsSentinel) {
  Put(source_, "basebackups_005/base_1/part_1", "other");
  Put(source_, "basebackups_005/base_1/part_9", "more");
  Put(target_, "basebackups_005/base_1/part_1", "whole");
  Put(target_, kMovedSentinel, "{}");
  ASSERT_OK_AND_ASSIGN(const TransferReport report, TransferObjects(ctx(), source_, target_, "", {.overwrite = true}));
  EXPECT_EQ(report.failed, 2u);
  EXPECT_EQ(ReadObject(ctx(), target_, "basebackups_005/base_1/part_1", 100).value(), "whole");
  EXPECT_FALSE(Exists(ctx(), target_, "basebackups_005/base_1/part_9").value());
  EXPECT_EQ(Count(source_), 2u);
}

// Each way has a bucket of its own: what comes from one storage and goes to the other is not paid for twice.
TEST_F(TransferTest, MovesAtTheRateThatIsSet) {
  constexpr uint64_t kRate = 1'000'000;
  TokenBucket download({.rate_bytes_per_s = kRate}), upload({.rate_bytes_per_s = kRate});
  const StackOptions limits{.download = &download, .upload = &upload};
  const auto from = BuildStack(std::make_unique<StorageWrapper>(source_), limits);
  const auto to = BuildStack(std::make_unique<StorageWrapper>(target_), limits);
  Put(source_, "a", std::string(5 * kRate, 'x'));
  const uint64_t begin_ns = context_.clock().elapsed_ns();
  ASSERT_OK(TransferObjects(ctx(), *from, *to, "", {}).status());
  const double seconds = static_cast<double>(context_.clock().elapsed_ns() - begin_ns) / 1e9;
  EXPECT_GT(seconds, 4.8);
  EXPECT_LT(seconds, 5.5);
}

}  // namespace
}  // namespace walrig
