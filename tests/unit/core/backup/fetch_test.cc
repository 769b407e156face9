#include "core/backup/fetch.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>

#include "core/layout/paths.h"
#include "tests/support/failing_storage.h"
#include "tests/unit/core/backup/fetch_fixture.h"
#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::Member;
using test::MessageHas;
using test::SyntheticBackup;
using FetchTest = test::FetchFixture;

TEST_F(FetchTest, RestoresEveryFileAndProvesIt) {
  ASSERT_OK_AND_ASSIGN(BackupFetchReport report, StoreAndFetch());
  EXPECT_EQ(Restored(), backup_.Files());
  EXPECT_TRUE(report.manifest_checked);
  EXPECT_TRUE(report.objects_checked);
  EXPECT_EQ(report.files, backup_.Files().size());
  EXPECT_TRUE(dir_.Exists("out/data/backup_manifest"));
  EXPECT_TRUE(dir_.Exists("out/data/pg_wal"));
  EXPECT_FALSE(dir_.Exists("out/data/" + std::string(kRestoreMarker)));
}

TEST_F(FetchTest, RestoresWhatCarriesNoProof) {
  backup_.with_proof = false;
  ASSERT_OK_AND_ASSIGN(BackupFetchReport report, StoreAndFetch());
  EXPECT_EQ(Restored(), backup_.Files());
  EXPECT_FALSE(report.manifest_checked);
}

TEST_F(FetchTest, RestoresIntoAnEmptyDirectoryThatIsThereAndGivesItsMode) {
  dir_.Mkdir("out/data");
  ASSERT_EQ(chmod(dir_.File("out/data").c_str(), 0755), 0);
  ASSERT_OK(StoreAndFetch().status());
  struct stat info{};
  ASSERT_EQ(stat(dir_.File("out/data").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777u, 0700u);
}

TEST_F(FetchTest, RefusesADirectoryThatIsNotEmpty) {
  dir_.Write("out/data/mine", "x");
  EXPECT_THAT(StoreAndFetch(), HasCode(Code::kAlreadyExists));
  EXPECT_EQ(Restored(), (std::map<std::string, std::string>{{"mine", "x"}}));
}

TEST_F(FetchTest, RefusesADirectoryInWhichAServerRuns) {
  dir_.Write("out/data/postmaster.pid", "1");
  EXPECT_THAT(StoreAndFetch(), MessageHas("server seems to run"));
}

TEST_F(FetchTest, RefusesAFileAsTarget) {
  dir_.Write("out/data", "x");
  EXPECT_THAT(StoreAndFetch(), HasCode(Code::kInvalidArgument));
}

TEST_F(FetchTest, RefusesATargetThatIsTooSmall) {
  backup_.sentinel.uncompressed_bytes = int64_t{1} << 60;
  EXPECT_THAT(StoreAndFetch(), HasCode(Code::kNoSpace));
  EXPECT_TRUE(WroteNothing());
  options_.check_space = false;
  EXPECT_OK(Fetch().status());
}

TEST_F(FetchTest, RefusesAnUnknownBackupBeforeItMakesADirectory) {
  options_.selector.name = "base_000000010000000000000099";
  EXPECT_THAT(StoreAndFetch(), HasCode(Code::kNotFound));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(FetchTest, RefusesAnIncrementInWords) {
  SyntheticBackup parent;
  parent.Store(ctx_, storage_);
  SyntheticBackup delta("base_000000010000000000000030_D_000000010000000000000020");
  delta.sentinel.delta = DeltaInfo{.lsn = Lsn{1}, .from = parent.name, .full_name = parent.name, .count = 1};
  delta.Store(ctx_, storage_);
  options_.selector.name = delta.name;
  EXPECT_THAT(Fetch(), HasCode(Code::kNotSupported));
  EXPECT_THAT(Fetch(), MessageHas("not supported yet"));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(FetchTest, WantsBothSpecialTars) {
  backup_.control.clear();
  EXPECT_THAT(StoreAndFetch(), MessageHas("pg_control.tar"));
  EXPECT_TRUE(WroteNothing());
  SyntheticBackup other("base_000000010000000000000021");
  other.label.clear();
  other.sentinel.start_lsn = Lsn{0x2100028};
  other.Store(ctx_, storage_);
  options_.selector.name = other.name;
  EXPECT_THAT(Fetch(), MessageHas("backup_label.tar"));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(FetchTest, WantsADecoderForEveryTar) {
  backup_.Store(ctx_, storage_);
  ASSERT_OK(WriteObject(ctx_, storage_, TarKey(backup_.name, "part_003.tar.zz"), "x"));
  // A stranger is ignored aloud, an unknown compression is not.
  auto result = Fetch();
  if (result.ok()) {
    EXPECT_TRUE(ctx_.log().Has("part_003.tar.zz", LogLevel::kWarning));
  } else {
    EXPECT_THAT(result, MessageHas("part_003.tar.zz"));
    EXPECT_TRUE(WroteNothing());
  }
}

TEST_F(FetchTest, IgnoresStrangersAmongTheTarsAloud) {
  backup_.Store(ctx_, storage_);
  ASSERT_OK(WriteObject(ctx_, storage_, TarKey(backup_.name, "README.txt"), "x"));
  ASSERT_OK(Fetch().status());
  EXPECT_EQ(Restored(), backup_.Files());
  EXPECT_TRUE(ctx_.log().Has("README.txt", LogLevel::kWarning));
}

TEST_F(FetchTest, WantsTheListOfFilesThatVersionTwoPromises) {
  backup_.with_files = false;
  EXPECT_THAT(StoreAndFetch(), MessageHas(FilesMetadataKey(backup_.name)));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(FetchTest, RestoresWithoutAListWhenTheSentinelSaysSo) {
  backup_.with_files = false;
  backup_.sentinel.files_metadata_disabled = true;
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_EQ(Restored(), backup_.Files());
}

TEST_F(FetchTest, NamesATarThatIsMissing) {
  backup_.with_proof = false;
  backup_.Store(ctx_, storage_);
  const std::string key = backup_.TarKeyOf("part_002.tar");
  ASSERT_OK(DeleteAll(ctx_, storage_, {key}));
  EXPECT_THAT(Fetch(), MessageHas("part_002.tar"));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(FetchTest, NamesFilesThatWereInNoTar) {
  backup_.with_proof = false;
  backup_.Store(ctx_, storage_);
  ASSERT_OK(WriteObject(ctx_, storage_, backup_.TarKeyOf("part_002.tar"), test::MakeTar({})));
  EXPECT_THAT(Fetch(), MessageHas("base/5/2600"));
  EXPECT_FALSE(Startable());
  EXPECT_TRUE(dir_.Exists("out/data/" + std::string(kRestoreMarker)));
}

TEST_F(FetchTest, SaysThatAnInterruptedRestoreLiesThere) {
  backup_.with_proof = false;
  backup_.Store(ctx_, storage_);
  ASSERT_OK(WriteObject(ctx_, storage_, backup_.TarKeyOf("part_002.tar"), test::MakeTar({})));
  ASSERT_FALSE(Fetch().ok());
  EXPECT_THAT(Fetch(), MessageHas("interrupted"));
}

TEST_F(FetchTest, SeesAnObjectThatWasChanged) {
  backup_.Store(ctx_, storage_);
  const std::string key = backup_.TarKeyOf("part_002.tar");
  ASSERT_OK_AND_ASSIGN(std::string bytes, ReadObject(ctx_, storage_, key, 1 << 20));
  bytes[bytes.size() - 1] ^= 1;  // behind the end of the archive: only the hash tells
  ASSERT_OK(WriteObject(ctx_, storage_, key, bytes));
  EXPECT_THAT(Fetch(), MessageHas(key));
  EXPECT_FALSE(Startable());
}

TEST_F(FetchTest, SeesAnObjectOfAnotherSizeBeforeItWrites) {
  backup_.Store(ctx_, storage_);
  const std::string key = backup_.TarKeyOf("part_002.tar");
  ASSERT_OK_AND_ASSIGN(std::string bytes, ReadObject(ctx_, storage_, key, 1 << 20));
  ASSERT_OK(WriteObject(ctx_, storage_, key, bytes + std::string(512, '\0')));
  EXPECT_THAT(Fetch(), MessageHas(key));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(FetchTest, SeesAFileThatTheManifestDoesNotKnowSo) {
  backup_.Store(ctx_, storage_);
  // As an attacker would: a tar changed and walrig.json removed, so that only the manifest tells.
  Part("part_002.tar", "/base/5/2600").body[100] ^= 1;
  ASSERT_OK(WriteObject(ctx_, storage_, backup_.TarKeyOf("part_002.tar"), test::MakeTar(backup_.parts["part_002.tar"])));
  ASSERT_OK(DeleteAll(ctx_, storage_, {ProofKey(backup_.name)}));
  EXPECT_THAT(Fetch(), MessageHas("base/5/2600"));
  EXPECT_FALSE(Startable());
}

TEST_F(FetchTest, RefusesControlDataOfAnotherCluster) {
  backup_.control[0].body = test::MakeControlFile(1);
  EXPECT_THAT(StoreAndFetch(), HasCode(Code::kCorruption));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(FetchTest, RefusesALabelThatDoesNotFitTheSentinel) {
  backup_.sentinel.start_lsn = Lsn{0x2000030};
  EXPECT_THAT(StoreAndFetch(), MessageHas("backup_label.tar"));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(FetchTest, RefusesNamesThatLeadOutsideWhileNothingIsWrittenThere) {
  for (const char* name : {"../escaped", "/base/../../escaped", "/base/.."}) {
    SCOPED_TRACE(name);
    SyntheticBackup hostile;
    hostile.with_files = hostile.with_proof = false;
    hostile.sentinel.files_metadata_disabled = true;
    hostile.parts["part_009.tar"] = {Member{.name = name, .body = "x", .link = ""}};
    MemoryStorage storage;
    hostile.Store(ctx_, storage);
    EXPECT_THAT(FetchFrom(storage), HasCode(Code::kCorruption));
    EXPECT_FALSE(Startable());
    EXPECT_FALSE(dir_.Exists("escaped") || dir_.Exists("out/escaped"));
    std::filesystem::remove_all(dir_.File("out"));
  }
}

TEST_F(FetchTest, RefusesAFileThatGoesThroughALink) {
  AddPart({.name = "/link", .body = "", .type = TarEntry::Type::kSymlink, .link = ".."});
  AddPart({.name = "/link/escaped", .body = "x", .link = ""});
  backup_.with_proof = false;
  EXPECT_THAT(StoreAndFetch(), MessageHas("symbolic link"));
  EXPECT_FALSE(dir_.Exists("out/escaped"));
}

TEST_F(FetchTest, RefusesAFileInTwoTars) {
  AddPart({.name = "/PG_VERSION", .body = "99\n", .link = "", .listed = false});
  backup_.with_proof = false;
  EXPECT_THAT(StoreAndFetch(), MessageHas("PG_VERSION"));
  EXPECT_FALSE(Startable());
}

TEST_F(FetchTest, LeavesOutAFileThatNoListKnows) {
  AddPart({.name = "/base/5/9999", .body = "x", .link = "", .listed = false});
  backup_.with_proof = false;
  ASSERT_OK_AND_ASSIGN(BackupFetchReport report, StoreAndFetch());
  EXPECT_EQ(report.skipped_files, 1u);
  EXPECT_FALSE(dir_.Exists("out/data/base/5/9999"));
}

TEST_F(FetchTest, PrefersTheLabelOfThisBackupToAStaleOneInTheParts) {
  AddPart({.name = "/backup_label", .body = "stale", .link = ""});
  backup_.with_proof = false;
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_EQ(dir_.Read("out/data/backup_label"), backup_.label[0].body);
}

class TablespaceFetchTest : public FetchTest {
 protected:
  void SetUp() override {
    backup_.sentinel.tablespaces = TablespaceSpec("/data");
    ASSERT_OK(backup_.sentinel.tablespaces->Add("16385", dir_.File("ts-old")));
    AddPart({.name = "/pg_tblspc", .body = "", .type = TarEntry::Type::kDirectory, .mode = 0700, .link = ""});
    AddPart({.name = "/pg_tblspc/16385/PG_15_202209061/5/1", .body = test::MakePage(0, 't'), .link = ""});
    backup_.label[1].body = "16385 " + dir_.File("ts-old") + "\n";
  }
  static constexpr const char* kFile = "PG_15_202209061/5/1";
};

TEST_F(TablespaceFetchTest, RestoresToTheOldPlaceAndKeepsTheMap) {
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_EQ(dir_.Read(std::string("ts-old/") + kFile), test::MakePage(0, 't'));
  EXPECT_EQ(std::filesystem::read_symlink(dir_.File("out/data/pg_tblspc/16385")).string(), dir_.File("ts-old"));
  EXPECT_EQ(dir_.Read("out/data/tablespace_map"), backup_.label[1].body);
}

TEST_F(TablespaceFetchTest, MovesATablespaceAndDropsItsMapFromTheManifestToo) {
  options_.tablespace_mapping = {dir_.File("ts-old") + "=" + dir_.File("ts-new")};
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_EQ(dir_.Read(std::string("ts-new/") + kFile), test::MakePage(0, 't'));
  EXPECT_FALSE(dir_.Exists("ts-old"));
  EXPECT_FALSE(dir_.Exists("out/data/tablespace_map"));
  const std::string manifest = dir_.Read("out/data/backup_manifest");
  EXPECT_EQ(manifest.find("tablespace_map"), std::string::npos);
  EXPECT_NE(manifest.find("backup_label"), std::string::npos);
}

TEST_F(TablespaceFetchTest, FollowsARestoreSpec) {
  options_.restore_spec_text = R"({"base_prefix":"/anywhere","tablespaces":["16385"],"16385":{"loc":")" +
                               dir_.File("ts-spec") + R"(","link":"pg_tblspc/16385"}})";
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_EQ(dir_.Read(std::string("ts-spec/") + kFile), test::MakePage(0, 't'));
}

TEST_F(TablespaceFetchTest, RefusesAMappingThatNamesNothing) {
  options_.tablespace_mapping = {"/nowhere=/new"};
  EXPECT_THAT(StoreAndFetch(), MessageHas("/nowhere"));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(TablespaceFetchTest, RefusesASpecThatLacksATablespace) {
  options_.restore_spec_text = R"({"base_prefix":"/x","tablespaces":[]})";
  EXPECT_THAT(StoreAndFetch(), MessageHas("16385"));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(TablespaceFetchTest, RefusesPlacesThatLinksMakeOne) {
  dir_.Mkdir("real");
  ASSERT_OK(backup_.sentinel.tablespaces->Add("16386", dir_.File("other")));
  std::filesystem::create_directory_symlink(dir_.File("real"), dir_.File("ts-old"));
  std::filesystem::create_directory_symlink(dir_.File("real"), dir_.File("other"));
  EXPECT_THAT(StoreAndFetch(), MessageHas("lie in one another"));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(TablespaceFetchTest, RefusesAPlaceThatALinkPutsIntoTheTarget) {
  dir_.Mkdir("out");
  std::filesystem::create_directory_symlink(dir_.File("out"), dir_.File("link"));
  options_.tablespace_mapping = {"16385=" + dir_.File("link/data/inside")};
  EXPECT_THAT(StoreAndFetch(), MessageHas("lie in one another"));
}

TEST_F(TablespaceFetchTest, RefusesATablespaceDirectoryThatIsNotEmpty) {
  dir_.Write("ts-old/mine", "x");
  EXPECT_THAT(StoreAndFetch(), ::testing::AllOf(HasCode(Code::kAlreadyExists), MessageHas("--tablespace-mapping")));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(TablespaceFetchTest, TakesAFileSystemsRootForATablespace) {
  dir_.Mkdir("ts-old/lost+found");
  EXPECT_OK(StoreAndFetch().status());
  EXPECT_TRUE(dir_.Exists("ts-old/lost+found"));
}

TEST_F(FetchTest, WritesRecoverySettingsBehindWhatWasThere) {
  AddPart({.name = "/postgresql.auto.conf", .body = "work_mem = '8MB'", .link = ""});
  options_.recovery.target_lsn = "0/3000000";
  options_.recovery.target_action = "promote";
  options_.recovery.restore_command = "walrig wal-fetch %f %p";
  ASSERT_OK(StoreAndFetch().status());
  const std::string conf = dir_.Read("out/data/postgresql.auto.conf");
  EXPECT_EQ(conf.find("work_mem = '8MB'\n"), 0u);
  EXPECT_NE(conf.find("recovery_target_lsn = '0/3000000'"), std::string::npos);
  EXPECT_NE(conf.find("restore_command = 'walrig wal-fetch %f %p'"), std::string::npos);
  EXPECT_TRUE(dir_.Exists("out/data/recovery.signal"));
}

TEST_F(FetchTest, RefusesTwoRecoveryTargetsBeforeItWrites) {
  options_.recovery.target_lsn = "0/3000000";
  options_.recovery.target_xid = "5";
  EXPECT_THAT(StoreAndFetch(), HasCode(Code::kInvalidArgument));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(FetchTest, SaysWhichBackupItTakesAndWhy) {
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_TRUE(ctx_.log().Has("taking backup " + backup_.name + ", finished 2026-09-21T14:13:30Z: it is LATEST, the one of 1"));
}

TEST_F(FetchTest, SaysThatNothingWasWritten) {
  options_.selector.name = "base_000000010000000000000099";
  EXPECT_THAT(StoreAndFetch(), MessageHas("nothing was written into " + dir_.File("out/data") + ": backup"));
  options_.selector.name = "LATEST";
  options_.recovery.target_lsn = "nonsense";
  EXPECT_THAT(Fetch(), MessageHas("nothing was written into"));
  dir_.Write("out/data/mine", "x");
  options_.recovery.target_lsn.clear();
  EXPECT_THAT(Fetch(), MessageHas("nothing was written into"));
}

// Also where the cause has a hint of its own: whoever reads only one of them learns half of what to do.
TEST_F(FetchTest, SaysThatFilesWereWrittenAndCannotBeUsed) {
  backup_.with_proof = false;
  backup_.label.clear();
  backup_.with_files = false;
  backup_.sentinel.files_metadata_disabled = true;
  const auto result = StoreAndFetch();
  EXPECT_THAT(result, MessageHas("files were written into " + dir_.File("out/data") + ", which is not whole and cannot be used: backup_label"));
  EXPECT_THAT(result, MessageHas("would recover from the wrong checkpoint; remove what was restored into " + dir_.File("out/data")));
}

TEST_F(FetchTest, LeavesOutATarThatWalrigJsonDoesNotList) {
  backup_.Store(ctx_, storage_);
  const std::string stranger = backup_.TarKeyOf("part_777.tar");
  ASSERT_OK(WriteObject(ctx_, storage_, stranger, test::MakeTar({Member{.name = "/PG_VERSION", .body = "99\n", .link = ""}})));
  ASSERT_OK(WriteObject(ctx_, storage_, backup_.TarKeyOf("pg_control.tar.zst"), "another run's, of another compressor"));
  ASSERT_OK(Fetch().status());
  EXPECT_EQ(Restored(), backup_.Files());
  EXPECT_TRUE(ctx_.log().Has(stranger + " is not listed in walrig.json: left out", LogLevel::kWarning));
}

TEST_F(FetchTest, WritesNoRecoverySettingsForAServerThatDoesNotStartWithThem) {
  backup_.sentinel.pg_version = 110022;
  options_.recovery.target_immediate = true;
  EXPECT_THAT(StoreAndFetch(), ::testing::AllOf(HasCode(Code::kNotSupported), MessageHas("PostgreSQL 11, which reads")));
  EXPECT_TRUE(WroteNothing());
  options_.recovery.target_immediate = false;
  EXPECT_OK(Fetch().status());
}

TEST_F(FetchTest, StopsWhenAskedTo) {
  backup_.Store(ctx_, storage_);
  ctx_.stop().RequestStop();
  EXPECT_FALSE(Fetch().ok());
  EXPECT_FALSE(Startable());
}

// Whatever call fails, the directory is either absent, or marked and not startable; the next restore elsewhere succeeds.
TEST_F(FetchTest, IsNeverStartableWhenAnyStorageCallFails) {
  backup_.Store(ctx_, storage_);
  options_.workers = 2;
  for (uint64_t good = 0;; ++good) {
    SCOPED_TRACE(good);
    const std::string target = "out/" + std::to_string(good);
    test::FailingStorage failing(storage_, good);
    auto result = FetchFrom(failing, target);
    if (result.ok()) {
      EXPECT_FALSE(failing.failed());
      EXPECT_GT(good, 20u);
      EXPECT_EQ(Restored(target), backup_.Files());
      break;
    }
    ASSERT_TRUE(failing.failed());
    EXPECT_FALSE(Startable(target));
    if (dir_.Exists(target)) {
      EXPECT_TRUE(dir_.Exists(target + "/" + kRestoreMarker));
    }
  }
}

}  // namespace
}  // namespace walrig
