#include "core/verify/backup_verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/layout/paths.h"
#include "core/postgres/wal_name.h"
#include "core/storage/memory.h"
#include "core/verify/record.h"
#include "tests/support/failing_storage.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_backup.h"
#include "tests/support/test_context.h"
#include "tests/support/wal_builder.h"

namespace walrig {
namespace {

using test::FaultyStorage;
using test::HasCode;
using test::MessageHas;
using test::SyntheticBackup;
using test::WalBuilder;

class BackupVerifyTest : public ::testing::Test {
 protected:
  void Store() {
    backup_.Store(ctx_, storage_);
    StoreWal(0x20, Wal(1).Segment());
  }
  // The WAL from the start of the backup on, in so many segments, each but the last left by a record that goes on in the next.
  static WalBuilder Wal(size_t segments) {
    WalBuilder wal({.first_segment = 0x20, .system_identifier = SyntheticBackup::kSystem});
    wal.Record(200);
    for (size_t i = 1; i < segments; ++i) {
      const Lsn border{(0x20 + i) << 20};
      while (wal.position().value + 20'000 < border.value) wal.Record(10'000);
      wal.Record(40'000);
    }
    wal.Record(200);
    wal.FillSegment();
    return wal;
  }
  static std::string WalObject(uint32_t number) { return std::string(kWalFolder) + FormatWalName({1, 0, number}); }
  void StoreWal(uint32_t number, const std::string& bytes) { ASSERT_OK(WriteObject(ctx_, storage_, WalObject(number), bytes)); }
  Result<BackupVerifyReport> VerifyIn(Storage& storage, size_t workers = 2) {
    BackupVerifyOptions options;
    options.selector.name = backup_.name;
    options.workers = workers;
    BackupVerifyDeps deps{storage, codecs_, nullptr};
    BackupVerifyReport report;
    WALRIG_TRY(BackupVerify(ctx_, options, deps, &report));
    return report;
  }
  BackupVerifyResult Verify(size_t workers = 10) {
    auto report = VerifyIn(storage_, workers);
    EXPECT_TRUE(report.ok()) << report.status().ToString();
    return report.ok() ? report->backups.at(0) : BackupVerifyResult{};
  }
  static bool LeavesOut(const BackupVerifyResult& result, std::string_view what) {
    return std::any_of(result.left_out.begin(), result.left_out.end(), [&](const auto& one) { return one.what == what; });
  }
  static bool Finds(const BackupVerifyResult& result, const std::string& text) {
    for (const VerifyFinding& finding : result.findings) {
      if ((finding.where + ": " + finding.what).find(text) != std::string::npos) return true;
    }
    return false;
  }
  void Rewrite(const std::string& tar) {
    ASSERT_OK(WriteObject(ctx_, storage_, backup_.TarKeyOf(tar), test::MakeTar(backup_.parts[tar])));
  }

  test::TestContext ctx_;
  MemoryStorage storage_;
  test::NoCodecs codecs_;
  SyntheticBackup backup_;
};

TEST_F(BackupVerifyTest, ProvesAWholeBackup) {
  Store();
  const BackupVerifyResult result = Verify();
  EXPECT_TRUE(result.ok) << (result.findings.empty() ? "" : result.findings[0].where + result.findings[0].what);
  EXPECT_TRUE(result.hashes_checked && result.manifest_checked && result.files_checked);
  EXPECT_TRUE(result.pages_checked && result.wal_checked);
  EXPECT_EQ(result.pages, 3u);
  EXPECT_EQ(result.files, backup_.Files().size());
  EXPECT_EQ(result.objects, 4u);
}

TEST_F(BackupVerifyTest, LeavesOutAloudATarThatWalrigJsonDoesNotList) {
  Store();
  ASSERT_OK(WriteObject(ctx_, storage_, backup_.TarKeyOf("part_777.tar"),
                        test::MakeTar({test::Member{.name = "/PG_VERSION", .body = "99\n", .link = ""}})));
  EXPECT_TRUE(Verify().ok);
  EXPECT_TRUE(ctx_.log().Has("part_777.tar is not listed in walrig.json", LogLevel::kWarning));
}

TEST_F(BackupVerifyTest, FindsALinkInThePlaceOfData) {
  backup_.parts["part_002.tar"].push_back({.name = "/base/6", .body = "", .type = TarEntry::Type::kSymlink, .link = "/disk2/6"});
  Store();
  EXPECT_TRUE(Finds(Verify(), "base/6: a symbolic link"));
}

TEST_F(BackupVerifyTest, VerifiesABackupWithoutProof) {
  backup_.with_proof = false;
  Store();
  const BackupVerifyResult result = Verify();
  EXPECT_TRUE(result.ok);
  EXPECT_FALSE(result.hashes_checked || result.manifest_checked);
}

TEST_F(BackupVerifyTest, FindsACorruptPageThatNoHashKnowsOf) {
  backup_.with_proof = false;
  backup_.parts["part_002.tar"][0].body[5000] ^= 1;
  Store();
  const BackupVerifyResult result = Verify();
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.corrupt_pages, 1u);
  EXPECT_TRUE(Finds(result, "base/5/2600: 1 pages"));
}

TEST_F(BackupVerifyTest, FindsAChangedObjectByItsHashAndFileByItsChecksum) {
  Store();
  backup_.parts["part_002.tar"][1].body[7] ^= 1;
  Rewrite("part_002.tar");
  const BackupVerifyResult result = Verify();
  EXPECT_TRUE(Finds(result, "part_002.tar"));
  EXPECT_TRUE(Finds(result, "global/pg_filenode.map"));
}

TEST_F(BackupVerifyTest, NamesThePlaceOfAFindingOnce) {
  VerifyRecord record("base_1", 10);
  record.Add("tars/part_1", "tars/part_1: broken");
  record.Add("tars/part_1", "tars/part_10 is missing");
  const BackupVerifyResult result = record.Take();
  EXPECT_EQ(result.findings[0].what, "broken");
  EXPECT_EQ(result.findings[1].what, "tars/part_10 is missing");
}

TEST_F(BackupVerifyTest, FindsFilesThatAreInNoTar) {
  backup_.with_proof = false;
  Store();
  backup_.parts["part_002.tar"].pop_back();
  Rewrite("part_002.tar");
  EXPECT_TRUE(Finds(Verify(), "global/pg_filenode.map: in no tar"));
}

TEST_F(BackupVerifyTest, FindsWhatIsMissing) {
  Store();
  ASSERT_OK(DeleteAll(ctx_, storage_, {backup_.TarKeyOf("backup_label.tar"), FilesMetadataKey(backup_.name),
                                       MetadataKey(backup_.name), "wal_005/000000010000000000000020"}));
  const BackupVerifyResult result = Verify();
  EXPECT_TRUE(Finds(result, "backup_label.tar"));
  EXPECT_TRUE(Finds(result, FilesMetadataKey(backup_.name)));
  EXPECT_TRUE(Finds(result, MetadataKey(backup_.name)));
  EXPECT_TRUE(Finds(result, "wal_005/000000010000000000000020"));
}

TEST_F(BackupVerifyTest, DoesNotCallABackupDamagedWhoseWalIsElsewhere) {
  backup_.wal_elsewhere = true;
  Store();
  ASSERT_OK(DeleteAll(ctx_, storage_, {"wal_005/000000010000000000000020.zst"}));
  const BackupVerifyResult result = Verify();
  EXPECT_TRUE(result.ok);
  EXPECT_TRUE(result.wal_elsewhere);
  EXPECT_FALSE(result.wal_checked);
}

TEST_F(BackupVerifyTest, FindsAFileThatLeadsThroughALinkInWhateverOrder) {
  const test::Member link{.name = "/link", .body = "", .type = TarEntry::Type::kSymlink, .link = ".."};
  const test::Member file{.name = "/link/escaped", .body = "x", .link = ""};
  for (const auto& members : {std::vector{link, file}, std::vector{file, link}}) {
    backup_.parts["part_009.tar"] = members;
    Store();
    EXPECT_TRUE(Finds(Verify(), "through a symbolic link"));
  }
}

TEST_F(BackupVerifyTest, GoesThroughAllBackupsWhateverOneLacks) {
  Store();
  SyntheticBackup other("base_000000010000000000000021");
  other.Store(ctx_, storage_);
  ASSERT_OK(WriteObject(ctx_, storage_, SentinelKey(other.name), "garbage"));
  BackupVerifyOptions options;
  options.all = true;
  BackupVerifyDeps deps{storage_, codecs_, nullptr};
  BackupVerifyReport report;
  ASSERT_OK(BackupVerify(ctx_, options, deps, &report));
  ASSERT_EQ(report.backups.size(), 2u);
  EXPECT_FALSE(report.ok());
}

TEST_F(BackupVerifyTest, ReadsTheWalThatTheBackupNeeds) {
  const std::string whole = Wal(1).Segment();
  std::string flipped = whole, random = whole, foreign = whole;
  flipped[100'000] = static_cast<char>(flipped[100'000] ^ 1);
  for (size_t i = 40; i < random.size(); ++i) random[i] = static_cast<char>(i * 2654435761u >> 13);
  foreign[24] = static_cast<char>(foreign[24] ^ 1);
  Store();
  for (const auto& [bytes, what] : {std::pair<std::string, std::string>{"", "it is empty"},
                                    {whole.substr(0, 500'000), "it has 500000 of"},
                                    {random, "the backup needs it up to 0/2000100"},
                                    {Wal(2).Segment(1), "the first page is that of 0/2100000"},
                                    {foreign, "belongs to the cluster"},
                                    {flipped, "the WAL in it is damaged at 0/2018"}}) {
    StoreWal(0x20, bytes);
    EXPECT_TRUE(Finds(Verify(), WalObject(0x20) + ": " )) << what;
    EXPECT_TRUE(Finds(Verify(), what)) << what;
  }
  // Behind the finish of the backup the WAL may end.
  StoreWal(0x20, whole.substr(0, 0x8000) + std::string(whole.size() - 0x8000, '\0'));
  EXPECT_TRUE(Verify().ok);
}

TEST_F(BackupVerifyTest, ProvesRecordsThatCrossSegmentsHoweverManyReadAtOnce) {
  constexpr uint32_t kSegments = 5;
  backup_.sentinel.finish_lsn = Lsn{0x2000000 + (kSegments << 20) - 0x1000};
  backup_.with_proof = false;
  const WalBuilder wal = Wal(kSegments);
  Store();
  for (size_t workers = 1; workers <= kSegments + 1; ++workers) {
    SCOPED_TRACE(workers);
    for (uint32_t i = 0; i < kSegments; ++i) StoreWal(0x20 + i, wal.Segment(i));
    EXPECT_TRUE(Verify(workers).ok);
    for (uint32_t i = 1; i < kSegments; ++i) {
      std::string bad = wal.Segment(i);
      bad[5'000] = static_cast<char>(bad[5'000] ^ 1);  // what began in the segment before
      StoreWal(0x20 + i, bad);
      const BackupVerifyResult result = Verify(workers);
      EXPECT_TRUE(Finds(result, WalObject(0x20 + i) + ": ")) << i;
      EXPECT_EQ(result.findings_count, 1u) << i;
      StoreWal(0x20 + i, wal.Segment(i));
    }
  }
}

TEST_F(BackupVerifyTest, SaysWhatItLeftOut) {
  backup_.control[0].body[8] = 0x6C;  // pg_control of version 1900
  backup_.control[0].body[9] = 0x07;
  Store();
  const BackupVerifyResult result = Verify();
  EXPECT_TRUE(result.ok);
  EXPECT_FALSE(result.pages_checked || result.wal_checked);
  EXPECT_TRUE(LeavesOut(result, "pages") && LeavesOut(result, "WAL"));
}

TEST_F(BackupVerifyTest, SaysThatItDoesNotKnowTheRecordsOfALaterRelease) {
  Store();
  std::string later = Wal(1).Segment();
  for (size_t page = 0; page < later.size(); page += 8192) later[page] = 0x7F;
  StoreWal(0x20, later);
  EXPECT_TRUE(Finds(Verify(), "written by a release that is not known (magic number D17F), expected PostgreSQL 15"));
}

TEST_F(BackupVerifyTest, WhatIsNoDamageEndsTheRunAndNamesItsCause) {
  Store();
  FaultyStorage faulty(storage_);
  for (const Code code : {Code::kPermission, Code::kThrottled, Code::kNoMemory, Code::kIoError, Code::kNotSupported}) {
    for (uint64_t n = 1;; ++n) {
      SCOPED_TRACE(std::string(CodeName(code)) + " at call " + std::to_string(n));
      faulty.Set({.fail_from = n, .failure = Status(code, "the cause")});
      const auto report = VerifyIn(faulty);
      if (faulty.failed() == 0) {
        EXPECT_GT(n, 20u);
        break;
      }
      EXPECT_THAT(report.status(), HasCode(code));
      EXPECT_THAT(report.status(), MessageHas("the cause"));
    }
  }
}

// A mount that goes away says "not there" to everything.
TEST_F(BackupVerifyTest, AStorageThatGoesAwayIsNoDamage) {
  Store();
  FaultyStorage faulty(storage_);
  for (uint64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    faulty.Set({.fail_from = n, .fail_times = UINT64_MAX, .failure = NotFound("no such file or directory")});
    const auto report = VerifyIn(faulty);
    if (faulty.failed() == 0) break;
    EXPECT_FALSE(report.ok());
  }
}

TEST_F(BackupVerifyTest, AMissingPluginIsNoDamage) {
  backup_.with_proof = false;
  Store();
  ASSERT_OK(WriteObject(ctx_, storage_, backup_.TarKeyOf("part_009.tar.zst"), "compressed"));
  EXPECT_THAT(VerifyIn(storage_).status(), HasCode(Code::kNotSupported));
}

TEST_F(BackupVerifyTest, TellsTheBackupsThatWereFinishedBeforeAFailure) {
  Store();
  SyntheticBackup other("base_000000010000000000000021");
  other.with_proof = false;
  other.Store(ctx_, storage_);
  ASSERT_OK(WriteObject(ctx_, storage_, other.TarKeyOf("part_009.tar.zst"), "compressed"));
  BackupVerifyOptions options;
  options.all = true;
  BackupVerifyDeps deps{storage_, codecs_, nullptr};
  BackupVerifyReport report;
  EXPECT_THAT(BackupVerify(ctx_, options, deps, &report), HasCode(Code::kNotSupported));
  ASSERT_EQ(report.backups.size(), 1u);
  EXPECT_EQ(report.backups[0].backup_name, backup_.name);
}

TEST_F(BackupVerifyTest, NeverSaysWholeWhenAStorageCallFailed) {
  Store();
  for (uint64_t good = 0;; ++good) {
    SCOPED_TRACE(good);
    test::FailingStorage failing(storage_, good);
    const auto report = VerifyIn(failing);
    if (!failing.failed()) {
      ASSERT_TRUE(report.ok() && report->ok());
      EXPECT_GT(good, 20u);
      break;
    }
    EXPECT_FALSE(report.ok() && report->ok());
  }
}

}  // namespace
}  // namespace walrig
