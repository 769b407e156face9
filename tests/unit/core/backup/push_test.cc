#include "core/backup/push.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <ostream>
#include <set>
#include <string>

#include "core/backup/fetch.h"
#include "core/layout/proof.h"
#include "core/layout/sentinel.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "core/storage/wrapper.h"
#include "tests/support/fake_backup_server.h"
#include "tests/support/fake_codec.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/push_fixture.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::FakeBackupServer;
using test::FakeCipher;
using test::FakeCompressor;
using test::FaultyStorage;
using test::HasCode;
using test::MakePage;
using test::MeddlingStorage;
using test::MessageHas;
using test::StorageCall;
using test::TempDir;
using test::TestCodecs;
using test::TestContext;

constexpr auto& kName = test::kPushedName;
constexpr auto& kFolder = test::kPushedFolder;

class PushTest : public test::PushFixture {};

TEST_F(PushTest, StoresEveryDocumentOfABackup) {
  ASSERT_OK_AND_ASSIGN(BackupPushReport report, Push());
  EXPECT_EQ(report.name, kName);
  const std::string folder = kFolder;
  EXPECT_EQ(Keys(), (std::set<std::string>{
                        "basebackups_005/base_000000010000000000000020_backup_stop_sentinel.json",
                        folder + "backup_manifest", folder + "files_metadata.json", folder + "metadata.json",
                        folder + "tar_partitions/backup_label.tar", folder + "tar_partitions/part_001.tar",
                        folder + "tar_partitions/pg_control.tar", folder + "walrig.json", std::string(kArchiveMarkerKey)}));
  EXPECT_EQ(server_.stops, 1);
  EXPECT_TRUE(test_.log().Has("Wrote backup with name base_000000010000000000000020 to storage default"));
}

TEST_F(PushTest, WritesASentinelThatWalGReads) {
  options_.permanent = true;
  options_.user_data = R"({"x":1})";
  ASSERT_OK(Push());
  ASSERT_OK_AND_ASSIGN(Sentinel sentinel, ParseSentinel(Object("basebackups_005/" + std::string(kName) + "_backup_stop_sentinel.json")));
  EXPECT_EQ(sentinel.start_lsn, Lsn{0x2000028});
  EXPECT_EQ(sentinel.finish_lsn, Lsn{0x2000100});
  EXPECT_EQ(sentinel.version, 2);
  EXPECT_TRUE(sentinel.permanent);
  EXPECT_EQ(sentinel.user_data, Json({{"x", 1}}));
  EXPECT_EQ(sentinel.system_identifier, test::SyntheticBackup::kSystem);
  EXPECT_FALSE(sentinel.tablespaces.has_value());
  EXPECT_GT(sentinel.uncompressed_bytes, 8192 * 4);
  EXPECT_TRUE(Document("metadata.json").at("is_permanent").get<bool>());
}

TEST_F(PushTest, ListsFilesTarsAndTablesButNeitherPgControlNorLabels) {
  ASSERT_OK(Push());
  const Json list = Document("files_metadata.json");
  const Json& files = list.at("Files");
  EXPECT_TRUE(files.contains("/") && files.contains("/pg_wal") && files.contains("/base/5/1259"));
  EXPECT_FALSE(files.contains("/global/pg_control"));
  EXPECT_FALSE(files.contains("/pg_wal/000000010000000000000002"));
  EXPECT_EQ(list.at("TarFileSets").at("part_001.tar").size(), files.size());
  EXPECT_EQ(list.at("TarFileSets").at("backup_label.tar"), Json({"tablespace_map", "backup_label"}));
  const Json& tables = list.at("DatabasesByNames").at("postgres").at("tables_new");
  EXPECT_EQ(tables.at("public.p").at("subtables").at("public.p1").at("relfilenode"), 2601);
}

TEST_F(PushTest, ProvesEveryStoredObject) {
  ASSERT_OK(Push());
  ASSERT_OK_AND_ASSIGN(Proof proof, ParseProof(Object(kFolder + std::string("walrig.json"))));
  EXPECT_EQ(proof.objects.size(), 6u);
  for (const ProofObject& object : proof.objects) {
    const std::string bytes = Object(kFolder + object.name);
    EXPECT_EQ(object.stored_bytes, bytes.size()) << object.name;
    EXPECT_EQ(object.xxh128, Xxh128Hex(AsBytes(bytes))) << object.name;
  }
}

// Every way to lay out the parts gives back the same files.
struct Shape {
  const char* name;
  bool compressed, concatenable, sealed;
  size_t workers;
  uint64_t part_bytes_max;
  TarComposer composer;
  ManifestChecksum checksum;
};
void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }
class PushShapeTest : public PushTest, public ::testing::WithParamInterface<Shape> {};

TEST_P(PushShapeTest, RestoresToTheSameFiles) {
  const Shape& shape = GetParam();
  FakeCompressor compressor(shape.concatenable);
  FakeCipher cipher;
  codec_ = {shape.compressed ? &compressor : nullptr, shape.sealed ? &cipher : nullptr};
  options_.workers = shape.workers;
  options_.tar_size_threshold_bytes = shape.part_bytes_max;
  options_.composer = shape.composer;
  options_.manifest_checksum = shape.checksum;
  std::string big;
  for (uint32_t block = 0; block < 1700; ++block) big += MakePage(block, static_cast<char>('a' + block % 26));
  data_.Write("base/5/16400", big);                            // several slices
  data_.Write("base/1/16401", std::string(5 << 20, 'z'));      // not a multiple of a slice
  for (int i = 0; i < 300; ++i) data_.Write("base/1/" + std::to_string(20000 + i), std::string(static_cast<size_t>(i), 'y'));
  data_.Write("odd \t\n\"\xC3\xA9 name", "odd");
  data_.Mkdir("empty/dir");
  server_.info.data_checksums = false;
  ASSERT_OK_AND_ASSIGN(BackupPushReport report, Push());
  EXPECT_EQ(progress_.bytes_done(), progress_.bytes_total());
  const BackupFetchReport fetched = Fetch(target_.File("out"));
  EXPECT_EQ(report.uncompressed_bytes, fetched.plain_bytes);
  EXPECT_TRUE(fetched.manifest_checked);
  EXPECT_TRUE(fetched.objects_checked);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data_.path())) {
    const std::string name = std::filesystem::relative(entry.path(), data_.path());
    if (name.rfind("pg_wal/", 0) == 0) continue;
    ASSERT_TRUE(target_.Exists("out/" + name)) << name;
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(target_.Read("out/" + name), data_.Read(name)) << name;
  }
}

constexpr uint64_t kGiB = 1u << 30;
INSTANTIATE_TEST_SUITE_P(
    Shapes, PushShapeTest,
    ::testing::Values(
        Shape{"Plain", false, false, false, 1, kGiB, TarComposer::kRegular, ManifestChecksum::kCrc32c},
        Shape{"PlainParallel", false, false, false, 3, 1 << 20, TarComposer::kRegular, ManifestChecksum::kSha256},
        Shape{"Frames", true, true, false, 3, kGiB, TarComposer::kRegular, ManifestChecksum::kCrc32c},
        Shape{"FramesSealed", true, true, true, 2, 2 << 20, TarComposer::kDatabase, ManifestChecksum::kSha256},
        Shape{"OneStream", true, false, false, 1, 1 << 20, TarComposer::kRegular, ManifestChecksum::kCrc32c},
        Shape{"Lanes", true, false, true, 3, 1 << 20, TarComposer::kRegular, ManifestChecksum::kSha256}),
    [](const auto& shape) { return std::string(shape.param.name); });

TEST_F(PushTest, CountsAndRecordsCorruptPagesAndStillSucceeds) {
  std::string pages;
  for (uint32_t block = 0; block < 30; ++block) pages += MakePage(block, 'a');
  for (size_t block = 3; block < 15; ++block) pages[block * 8192 + 100] ^= 1;
  data_.Write("base/5/16400", pages);
  server_.on_start = [this] { test_.UseRealClock(); };
  // The synthetic pages have LSN 0x1000, before the backup's start.
  ASSERT_OK_AND_ASSIGN(BackupPushReport report, Push());
  EXPECT_EQ(report.findings, 12u);
  EXPECT_TRUE(test_.log().Has("corrupt pages in /base/5/16400: 12", LogLevel::kWarning));
  const Json corrupt = Document("files_metadata.json").at("Files").at("/base/5/16400").at("CorruptBlocks");
  EXPECT_EQ(corrupt.at("CorruptBlocksCount"), 12);
  EXPECT_EQ(corrupt.at("SomeCorruptBlocks"), Json({3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
}

TEST_F(PushTest, CountsBlocksFromTheFirstSegmentOfARelation) {
  data_.Write("base/5/16400.1", MakePage(131072, 'a') + MakePage(131073, 'b'));
  data_.Write("base/5/16401.1", MakePage(0, 'a'));
  ASSERT_OK_AND_ASSIGN(BackupPushReport report, Push());
  EXPECT_EQ(report.findings, 1u);
  const Json files = Document("files_metadata.json").at("Files");
  EXPECT_FALSE(files.at("/base/5/16400.1").contains("CorruptBlocks"));
  EXPECT_EQ(files.at("/base/5/16401.1").at("CorruptBlocks").at("SomeCorruptBlocks"), Json::array({0}));
}

TEST_F(PushTest, LooksAtNoPageWhenTheClusterHasNoChecksums) {
  server_.info.data_checksums = false;
  data_.Write("base/5/16400", std::string(8192, 'x'));
  ASSERT_OK_AND_ASSIGN(BackupPushReport report, Push());
  EXPECT_EQ(report.findings, 0u);
  EXPECT_FALSE(report.pages_were_verified);
}

TEST_F(PushTest, StoresTablespacesWithTheirSpec) {
  TempDir space;
  space.Write("PG_15_202209061/5/16400", MakePage(0, 'a'));
  ASSERT_EQ(symlink(space.path().c_str(), data_.File("pg_tblspc/16387").c_str()), 0);
  ASSERT_OK(Push());
  ASSERT_OK_AND_ASSIGN(Sentinel sentinel, ParseSentinel(Object("basebackups_005/" + std::string(kName) + "_backup_stop_sentinel.json")));
  ASSERT_TRUE(sentinel.tablespaces.has_value());
  EXPECT_EQ(sentinel.tablespaces->tablespaces().at(0).location, space.path());
  EXPECT_TRUE(Document("files_metadata.json").at("Files").contains("/pg_tblspc/16387/PG_15_202209061/5/16400"));
}

TEST_F(PushTest, TakesFilesThatVanishGrowAndShrinkAsTheWalkSawThem) {
  data_.Write("base/5/vanishes", "gone");
  data_.Write("base/5/big_vanishes", std::string(5 << 20, 'v'));
  data_.Write("base/5/grows", "12345");
  data_.Write("base/5/shrinks", "1234567890");
  auto memory = std::make_unique<MemoryStorage>();
  MemoryStorage& inner = *memory;
  MeddlingStorage storage(std::move(memory), [this] {
    std::filesystem::remove(data_.File("base/5/vanishes"));
    std::filesystem::remove(data_.File("base/5/big_vanishes"));
    data_.Write("base/5/grows", "1234567890");
    data_.Write("base/5/shrinks", "123");
  });
  ASSERT_OK(Push(storage));
  ASSERT_OK_AND_ASSIGN(std::string list, ReadObject(test_, inner, kFolder + std::string("files_metadata.json"), 1 << 20));
  ASSERT_OK_AND_ASSIGN(std::string manifest, ReadObject(test_, inner, kFolder + std::string("backup_manifest"), 1 << 20));
  ASSERT_OK_AND_ASSIGN(std::string part,
                       ReadObject(test_, inner, kFolder + std::string("tar_partitions/part_001.tar"), 64 << 20));
  for (const std::string& text : {list, manifest, part}) EXPECT_EQ(text.find("vanishes"), std::string::npos);
  const size_t grows = part.find("/base/5/grows"), shrinks = part.find("/base/5/shrinks");
  ASSERT_NE(grows, std::string::npos);
  ASSERT_NE(shrinks, std::string::npos);
  EXPECT_EQ(part.substr(grows + 512, 6), std::string("12345\0", 6));
  EXPECT_EQ(part.substr(shrinks + 512, 10), std::string("123\0\0\0\0\0\0\0", 10));
  EXPECT_NE(manifest.find(ManifestCrc32c(Crc32c(0, AsBytes(std::string("123\0\0\0\0\0\0\0", 10))))), std::string::npos)
      << "the checksum is that of what is stored";
}

// Half an old and half a new configuration would keep the restored server from starting.
TEST_F(PushTest, TakesAConfigurationThatWasRewrittenSinceTheWalkAsItIsThen) {
  data_.Write("postgresql.auto.conf", "work_mem = '4MB'\n");
  data_.Write("pg_hba.conf", "local all all trust # a long remark that goes\n");
  MeddlingStorage storage(storage_, "part_001", [this] {
    data_.Write("postgresql.auto.conf", "work_mem = '4MB'\nshared_buffers = '1GB'\n");
    data_.Write("pg_hba.conf", "local all all peer\n");
  });
  ASSERT_OK(Push(storage));
  EXPECT_TRUE(Fetch(target_.File("out")).manifest_checked);
  EXPECT_EQ(target_.Read("out/postgresql.auto.conf"), data_.Read("postgresql.auto.conf"));
  EXPECT_EQ(target_.Read("out/pg_hba.conf"), data_.Read("pg_hba.conf"));
}

// A server that was restored holds the manifest of that backup, and one in an exclusive backup a label.
TEST_F(PushTest, ListsNoFileTwiceInTheManifestWhenStaleOnesLieInTheDirectory) {
  data_.Write("backup_manifest", "{\"stale\": 1}");
  data_.Write("backup_label", "stale");
  data_.Write("tablespace_map", "stale");
  ASSERT_OK(Push());
  const std::string manifest = Object(kFolder + std::string("backup_manifest"));
  for (const char* name : {"\"backup_label\"", "\"tablespace_map\""}) {
    const size_t first = manifest.find(name);
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(manifest.find(name, first + 1), std::string::npos) << name;
  }
  EXPECT_EQ(manifest.find("\"backup_manifest\""), std::string::npos);
  EXPECT_TRUE(Fetch(target_.File("out")).manifest_checked);
  EXPECT_EQ(target_.Read("out/backup_manifest"), manifest);
  EXPECT_NE(target_.Read("out/backup_label"), "stale");
}

TEST_F(PushTest, NamesAStandbysBackupItself) {
  server_.info.in_recovery = true;
  ASSERT_OK_AND_ASSIGN(BackupPushReport report, Push());
  EXPECT_EQ(report.name, "base_000000010000000000000020") << "segment of the byte before 0/2000028, of 1 MiB each";
}

TEST_F(PushTest, GivesUpWhenTheStandbyIsPromoted) {
  server_.info.in_recovery = true;
  server_.on_start = [this] { server_.promoted = true; };
  EXPECT_THAT(Push(), HasCode(Code::kConflict));
  ExpectNothingLeft();
}

TEST_F(PushTest, GivesUpWhenTheStandbyFollowsAnotherTimeline) {
  server_.info.in_recovery = true;
  auto memory = std::make_unique<MemoryStorage>();
  MeddlingStorage storage(std::move(memory), [this] { server_.timeline_now = 2; });
  EXPECT_THAT(Push(storage), HasCode(Code::kConflict));
  EXPECT_TRUE(server_.aborted);
}

TEST_F(PushTest, RefusesAnotherServersDirectoryBeforeItBegins) {
  TempDir other;
  server_.info.data_directory = other.path();
  EXPECT_THAT(Push(), HasCode(Code::kInvalidArgument));
  EXPECT_EQ(server_.starts, 0);
}

TEST_F(PushTest, RefusesADirectoryOfAnotherCluster) {
  server_.info.system_identifier = 42;
  EXPECT_THAT(Push(), MessageHas("system identifier"));
  EXPECT_EQ(server_.starts, 0);
}

TEST_F(PushTest, RefusesAWrongSegmentSizeUserDataThatIsNoJsonAndRemoteBackups) {
  options_.wal_segment_bytes = 16 << 20;
  EXPECT_THAT(Push(), HasCode(Code::kConfig));
  options_.wal_segment_bytes = 0;
  options_.user_data = "{not json";
  EXPECT_THAT(Push(), HasCode(Code::kInvalidArgument));
  options_.user_data.clear();
  options_.data_directory.clear();
  EXPECT_THAT(Push(), HasCode(Code::kNotSupported));
  EXPECT_EQ(server_.starts, 0);
}

TEST_F(PushTest, RefusesToOverwriteABackupOfTheSameName) {
  ASSERT_OK(Push());
  const std::set<std::string> before = Keys();
  EXPECT_THAT(Push(), HasCode(Code::kAlreadyExists));
  EXPECT_EQ(Keys(), before);
  EXPECT_FALSE(server_.begun);
}

TEST_F(PushTest, RemovesWhatAnInterruptedBackupLeft) {
  ASSERT_OK(WriteObject(test_, storage_, kFolder + std::string("tar_partitions/part_007.tar"), "stale"));
  ASSERT_OK(Push());
  EXPECT_FALSE(Keys().contains(kFolder + std::string("tar_partitions/part_007.tar")));
}

TEST_F(PushTest, StoresNoSentinelWhenAPartWasDeletedMeanwhile) {
  MeddlingStorage storage(storage_, "metadata.json", [this] {
    ASSERT_OK(DeleteAll(test_, storage_, {kFolder + std::string("tar_partitions/part_001.tar")}));
  });
  EXPECT_THAT(Push(storage), MessageHas("part_001.tar is missing"));
  ExpectNothingLeft();
}

TEST_F(PushTest, RefusesAFileNameThatJsonCannotHold) {
  data_.Write("bad\xFFname", "x");
  EXPECT_THAT(Push(), MessageHas("is not UTF-8"));
  ExpectNothingLeft();
  options_.without_files_metadata = true;
  EXPECT_OK(Push());
}

TEST_F(PushTest, LeavesOutFilesMetadataWhenToldTo) {
  options_.without_files_metadata = true;
  ASSERT_OK(Push());
  EXPECT_FALSE(Keys().contains(kFolder + std::string("files_metadata.json")));
  EXPECT_TRUE(Fetch(target_.File("out")).manifest_checked);
}

TEST_F(PushTest, LeavesNothingWhenStoppedAtAnyMoment) {
  // The stop comes with the n-th object that is opened.
  for (int n = 1; n <= 7; ++n) {
    TestContext stopped;
    auto memory = std::make_unique<MemoryStorage>();
    MemoryStorage& inner = *memory;
    int left = n;
    class StoppingStorage final : public StorageWrapper {
     public:
      StoppingStorage(std::unique_ptr<Storage> s, StopSource& stop, int& count)
          : StorageWrapper(std::move(s)), stop_(stop), left_(count) {}
      Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
        if (--left_ == 0) stop_.RequestStop();
        return StorageWrapper::Put(ctx, key, options);
      }

     private:
      StopSource& stop_;
      int& left_;
    } storage(std::move(memory), stopped.stop(), left);
    BackupPushDeps deps{storage, codec_, server_, nullptr, {&archive_}};
    EXPECT_THAT(BackupPush(stopped, options_, deps), HasCode(Code::kCancelled)) << n;
    ASSERT_OK_AND_ASSIGN(auto objects, ListAll(test_, inner, ""));
    EXPECT_TRUE(objects.empty()) << n << ": " << objects.front().key;
    EXPECT_FALSE(server_.begun) << n;
  }
}

TEST_F(PushTest, GivesTheServersReasonWhenItCannotEndTheBackup) {
  server_.stop_status = Timeout("canceling statement due to statement timeout");
  EXPECT_THAT(Push(), HasCode(Code::kTimeout));
  ExpectNothingLeft();
}

// The n-th call of the storage fails, for n = 1, 2, ... until one run gets through: afterwards there is a whole backup
// or none, and the server is out of backup mode.
TEST_F(PushTest, IsWholeOrAbsentWhicheverStorageCallFails) {
  for (bool effect_first : {false, true}) {
    for (uint64_t n = 1;; ++n) {
      MemoryStorage memory;
      FaultyStorage storage(memory);
      storage.Set({.fail_from = n, .effect_first = effect_first});
      Result<BackupPushReport> report = Push(storage);
      const bool failed = storage.failed() > 0;
      EXPECT_FALSE(server_.begun) << n;
      ASSERT_OK_AND_ASSIGN(bool exists, Exists(test_, memory, "basebackups_005/" + std::string(kName) + "_backup_stop_sentinel.json"));
      EXPECT_EQ(exists, report.ok()) << n;
      if (!report.ok()) {
        ASSERT_OK_AND_ASSIGN(auto left, ListAll(test_, memory, ""));
        EXPECT_TRUE(left.empty()) << n << ": " << left.front().key;
      }
      if (!failed) {
        EXPECT_GT(n, 20u);
        break;
      }
      // With the sentinel stored the backup is whole: the claim is left to be removed, and the archive to be marked.
      EXPECT_TRUE(!report.ok() || test_.log().Has("walrig.claim may be left") || test_.log().Has("was not looked for") ||
                  test_.log().Has("walrig.archive could not be stored"))
          << "call " << n << " failed unnoticed";
      ASSERT_LT(n, 500u);
    }
  }
}

TEST_F(PushTest, LeavesNoSentinelWhenTheStorageStaysAway) {
  for (uint64_t n = 1; n < 500; ++n) {
    MemoryStorage memory;
    FaultyStorage storage(memory);
    storage.Set({.fail_from = n, .fail_times = UINT64_MAX});
    Result<BackupPushReport> report = Push(storage);
    EXPECT_FALSE(server_.begun) << n;
    ASSERT_OK_AND_ASSIGN(bool exists, Exists(test_, memory, "basebackups_005/" + std::string(kName) + "_backup_stop_sentinel.json"));
    EXPECT_EQ(exists, report.ok()) << n;
    if (report.ok()) return;
  }
  FAIL() << "never got through";
}

}  // namespace
}  // namespace walrig
