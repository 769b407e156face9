#include "core/st/transfer.h"

#include <gtest/gtest.h>

#include "core/storage/memory.h"
#include "core/storage/objects.h"
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

}  // namespace
}  // namespace walrig
