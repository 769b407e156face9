#include "core/st/copy.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>

#include "core/pipeline/download.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "core/storage/wrapper.h"
#include "tests/support/failing_storage.h"
#include "tests/support/fake_codec.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;

const std::string kPart = "basebackups_005/base_1/tar_partitions/part_001.tar";
const std::string kSentinel = "basebackups_005/base_1_backup_stop_sentinel.json";
const std::string kSegment = "wal_005/000000010000000000000001";

class CopyTest : public ::testing::Test {
 protected:
  const Context& ctx() { return context_.ctx(); }
  void Put(const std::string& key, const std::string& bytes) { ASSERT_OK(WriteObject(ctx(), source_, key, bytes)); }
  void PutSealed(const std::string& key, const std::string& plain) {
    MemoryStorage clear;
    ASSERT_OK(WriteObject(ctx(), clear, key, plain));
    ASSERT_OK(CopyObjects(ctx(), clear, source_, "", {.seal = &cipher_}).status());
  }
  std::string At(Storage& storage, const std::string& key) { return ReadObject(ctx(), storage, key, 1000).value(); }
  bool There(const std::string& key) { return Exists(ctx(), target_, key).value(); }

  test::TestContext context_;
  MemoryStorage source_, target_;
  test::FakeCipher cipher_;
};

TEST_F(CopyTest, BytesArriveAsTheyAreAndTheSourceStays) {
  for (const std::string& key : {kPart, kSentinel, kSegment, std::string("other")}) Put(key, "bytes of " + key);
  ASSERT_OK_AND_ASSIGN(const TransferReport report, CopyObjects(ctx(), source_, target_, "", {}));
  EXPECT_EQ(report.moved, 4u);
  for (const std::string& key : {kPart, kSentinel, kSegment, std::string("other")}) {
    EXPECT_EQ(At(target_, key), "bytes of " + key);
    EXPECT_EQ(At(source_, key), "bytes of " + key);
  }
}

TEST_F(CopyTest, TarsAndWalAreOpenedAndSealedButDocumentsStayReadable) {
  PutSealed(kPart, "tar");
  PutSealed(kSegment, "wal");
  Put(kSentinel, "{}");
  Put("basebackups_005/base_1/metadata.json", "{\"a\": 1}");
  Put("basebackups_005/base_1/backup_manifest", "manifest");
  ASSERT_NE(At(source_, kPart), "tar");

  MemoryStorage opened;
  ASSERT_OK_AND_ASSIGN(const TransferReport report, CopyObjects(ctx(), source_, opened, "", {.open = &cipher_}));
  EXPECT_EQ(report.failed, 0u);
  EXPECT_EQ(At(opened, kPart), "tar");
  EXPECT_EQ(At(opened, kSegment), "wal");

  ASSERT_OK(CopyObjects(ctx(), opened, target_, "", {.seal = &cipher_}).status());
  EXPECT_EQ(ReadDecoded(ctx(), target_, kPart, {.cipher = &cipher_}, 100).value(), "tar");
  for (Storage* storage : {static_cast<Storage*>(&opened), static_cast<Storage*>(&target_)}) {
    EXPECT_EQ(At(*storage, kSentinel), "{}");
    EXPECT_EQ(At(*storage, "basebackups_005/base_1/metadata.json"), "{\"a\": 1}");
    EXPECT_EQ(At(*storage, "basebackups_005/base_1/backup_manifest"), "manifest");
  }
}

// walrig.json holds the hashes of the stored bytes: the copy would be refused when it is restored.
TEST_F(CopyTest, ABackupWithAProofIsNotRecoded) {
  PutSealed(kPart, "tar");
  PutSealed(kSegment, "wal");
  Put("basebackups_005/base_1/walrig.json", "{}");
  Put(kSentinel, "{}");
  const auto refused = CopyObjects(ctx(), source_, target_, "", {.open = &cipher_});
  EXPECT_THAT(refused, HasCode(Code::kNotSupported));
  EXPECT_THAT(refused, MessageHas("base_1/walrig.json"));
  EXPECT_EQ(ListAll(ctx(), target_, "").value().size(), 0u);
  ASSERT_OK(CopyObjects(ctx(), source_, target_, "wal_005/", {.open = &cipher_}).status());
  EXPECT_EQ(At(target_, kSegment), "wal");
  EXPECT_OK(CopyObjects(ctx(), source_, target_, "", {}).status());
}

TEST_F(CopyTest, ASentinelIsNotCopiedWhenAPartFailed) {
  for (const char* name : {"base_1", "base_2"}) {
    Put(std::string("basebackups_005/") + name + "/tar_partitions/part_001.tar", "tar");
    Put(std::string("basebackups_005/") + name + "_backup_stop_sentinel.json", "{}");
  }
  test::FaultyStorage faulty(source_);
  faulty.Set({.only = test::StorageCall::kGet, .fail_from = 1, .fail_times = 1, .failure = IoError("injected")});
  CopyOptions options;
  options.transfer.concurrency = 1;
  ASSERT_OK_AND_ASSIGN(const TransferReport report, CopyObjects(ctx(), faulty, target_, "", options));
  EXPECT_EQ(report.failed, 2u);
  EXPECT_EQ(report.moved, 2u);
  EXPECT_FALSE(There(kSentinel));
  EXPECT_TRUE(There("basebackups_005/base_2_backup_stop_sentinel.json"));
}

// Whichever call fails: what has a sentinel at the target is whole there.
TEST_F(CopyTest, AFailureAtAnyCallNeverShowsAHalfBackup) {
  Put(kPart, "tar");
  Put("basebackups_005/base_1/metadata.json", "{}");
  Put(kSentinel, "{}");
  for (uint64_t call = 1; call < 60; ++call) {
    MemoryStorage target;
    test::FaultyStorage faulty_source(source_), faulty_target(target);
    (call % 2 == 0 ? faulty_source : faulty_target).Set({.fail_from = (call + 1) / 2, .failure = IoError("injected")});
    const auto report = CopyObjects(ctx(), faulty_source, faulty_target, "", {});
    if (!Exists(ctx(), target, kSentinel).value()) {
      EXPECT_TRUE(!report.ok() || report->failed > 0) << call;
      continue;
    }
    EXPECT_EQ(At(target, kPart), "tar") << call;
    EXPECT_EQ(At(target, "basebackups_005/base_1/metadata.json"), "{}") << call;
  }
}

class Recorder final : public StorageWrapper {
 public:
  using StorageWrapper::StorageWrapper;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    keys.emplace_back(key);
    return inner().Put(ctx, key, options);
  }
  std::vector<std::string> keys;
};

// WAL-G takes the order of backups from the times of their sentinels.
TEST_F(CopyTest, SentinelsArriveInTheOrderOfTheirTimes) {
  const auto key = [](const std::string& name) { return "basebackups_005/" + name + "_backup_stop_sentinel.json"; };
  for (const char* name : {"base_9", "base_1", "base_5"}) {
    Put(key(name), "{}");
    context_.clock().Advance(1'000'000'000);
  }
  Recorder recorder(target_);
  ASSERT_OK(CopyObjects(ctx(), source_, recorder, "basebackups_005/", {}).status());
  recorder.keys.erase(recorder.keys.begin());  // of the check for two places
  EXPECT_EQ(recorder.keys, (std::vector<std::string>{key("base_9"), key("base_1"), key("base_5")}));
}

TEST_F(CopyTest, OnePlaceIsNoCopy) {
  Put(kSegment, "wal");
  EXPECT_THAT(CopyObjects(ctx(), source_, source_, "", {}), HasCode(Code::kConfig));
  EXPECT_EQ(ListAll(ctx(), source_, "").value().size(), 1u);
}

TEST_F(CopyTest, WhatTheTargetHasIsNotCopiedAgain) {
  PutSealed(kPart, "tar");
  PutSealed(kSegment, "wal");
  Put(kSentinel, "{}");
  for (const CopyOptions& options : {CopyOptions{}, CopyOptions{.open = &cipher_, .seal = &cipher_}, CopyOptions{.open = &cipher_}}) {
    MemoryStorage target;
    ASSERT_OK(CopyObjects(ctx(), source_, target, "", options).status());
    Recorder recorder(target);
    ASSERT_OK_AND_ASSIGN(const TransferReport again, CopyObjects(ctx(), source_, recorder, "", options));
    EXPECT_EQ(again.skipped, 3u);
    EXPECT_EQ(again.moved, 0u);
    EXPECT_EQ(recorder.keys.size(), 1u);  // of the check for two places
  }
}

// What the target cannot open is not what would be put there.
TEST_F(CopyTest, AnObjectThatIsSealedOtherwiseIsReplaced) {
  PutSealed(kSegment, "wal");
  ASSERT_OK(WriteObject(ctx(), target_, kSegment, "sealed by somebody else"));
  ASSERT_OK_AND_ASSIGN(const TransferReport report, CopyObjects(ctx(), source_, target_, "", {.open = &cipher_, .seal = &cipher_}));
  EXPECT_EQ(report.moved, 1u);
  EXPECT_EQ(ReadDecoded(ctx(), target_, kSegment, {.cipher = &cipher_}, 100).value(), "wal");
}

// Killed at each call in turn: what has a sentinel at the target is whole, the old backup or the new one, and the second run
// ends with the new one alone.
TEST_F(CopyTest, GoesOnWhereverItWasInterruptedAndNeverReplacesPartsBelowALivingSentinel) {
  const std::string part2 = "basebackups_005/base_1/tar_partitions/part_002.tar", part3 = "basebackups_005/base_1/tar_partitions/part_003.tar";
  Put(kPart, "tar");
  Put(part2, "tar 2");
  Put(kSentinel, "{\"new\": 1}");
  CopyOptions options;
  options.transfer.concurrency = 1;
  bool finished = false;
  for (int64_t call = 0; !finished; ++call) {
    ASSERT_LT(call, 1000);
    MemoryStorage target;
    for (const auto& [key, bytes] : {std::pair(kPart, "old"), std::pair(part2, "tar 2"), std::pair(part3, "old 3"), std::pair(kSentinel, "{\"old\": 1}")}) {
      ASSERT_OK(WriteObject(ctx(), target, key, bytes));
    }
    {
      auto left = std::make_shared<std::atomic<int64_t>>(call);
      test::FailingStorage dying_source(source_, left), dying_target(target, left);
      static_cast<void>(CopyObjects(ctx(), dying_source, dying_target, "", options));
      finished = !dying_source.failed() && !dying_target.failed();
    }
    if (Exists(ctx(), target, kSentinel).value()) {
      const bool old = At(target, kSentinel) == "{\"old\": 1}";
      EXPECT_EQ(At(target, kPart), old ? "old" : "tar") << call;
      EXPECT_EQ(Exists(ctx(), target, part3).value(), old) << call;
    }
    ASSERT_OK_AND_ASSIGN(const TransferReport again, CopyObjects(ctx(), source_, target, "", options));
    EXPECT_EQ(again.failed, 0u) << call;
    EXPECT_EQ(At(target, kPart), "tar") << call;
    EXPECT_EQ(At(target, part2), "tar 2") << call;
    EXPECT_EQ(At(target, kSentinel), "{\"new\": 1}") << call;
    EXPECT_FALSE(Exists(ctx(), target, part3).value()) << call;
  }
}

TEST_F(CopyTest, APrefixThatTakesAPartOfABackupReplacesNothingBelowASentinel) {
  Put(kPart, "tar");
  Put(kSentinel, "{}");
  ASSERT_OK(WriteObject(ctx(), target_, kPart, "old"));
  ASSERT_OK(WriteObject(ctx(), target_, kSentinel, "{\"old\": 1}"));
  ASSERT_OK_AND_ASSIGN(const TransferReport report, CopyObjects(ctx(), source_, target_, "basebackups_005/base_1/", {}));
  EXPECT_EQ(report.failed, 1u);
  EXPECT_EQ(At(target_, kPart), "old");
  EXPECT_TRUE(There(kSentinel));
}

TEST_F(CopyTest, ASentinelAloneIsNotCopiedOverMissingParts) {
  Put(kPart, "tar");
  Put(kSentinel, "{}");
  ASSERT_OK_AND_ASSIGN(const TransferReport report, CopyObjects(ctx(), source_, target_, kSentinel, {}));
  EXPECT_EQ(report.failed, 1u);
  EXPECT_FALSE(There(kSentinel));
}

}  // namespace
}  // namespace walrig
