#include "core/verify/backup_verify.h"

#include <gtest/gtest.h>

#include "core/layout/paths.h"
#include "core/storage/memory.h"
#include "core/verify/record.h"
#include "tests/support/failing_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_backup.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::SyntheticBackup;

class BackupVerifyTest : public ::testing::Test {
 protected:
  void Store() {
    backup_.Store(ctx_, storage_);
    ASSERT_OK(WriteObject(ctx_, storage_, "wal_005/000000010000000000000020.zst", "wal"));
  }
  BackupVerifyResult Verify() {
    BackupVerifyOptions options;
    options.selector.name = backup_.name;
    BackupVerifyDeps deps{storage_, codecs_, nullptr};
    auto report = BackupVerify(ctx_, options, deps);
    EXPECT_TRUE(report.ok()) << report.status().ToString();
    return report.ok() ? report->backups.at(0) : BackupVerifyResult{};
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
                                       MetadataKey(backup_.name), "wal_005/000000010000000000000020.zst"}));
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
  ASSERT_OK_AND_ASSIGN(BackupVerifyReport report, BackupVerify(ctx_, options, deps));
  ASSERT_EQ(report.backups.size(), 2u);
  EXPECT_FALSE(report.ok());
}

TEST_F(BackupVerifyTest, NeverSaysWholeWhenAStorageCallFailed) {
  Store();
  for (uint64_t good = 0;; ++good) {
    SCOPED_TRACE(good);
    test::FailingStorage failing(storage_, good);
    BackupVerifyOptions options;
    options.selector.name = backup_.name;
    options.workers = 2;
    BackupVerifyDeps deps{failing, codecs_, nullptr};
    auto report = BackupVerify(ctx_, options, deps);
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
