#include "core/plugin/scan.h"

#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "core/plugin/manifest.h"
#include "core/plugin/probe.h"
#include "tests/unit/core/plugin/plugin_fixture.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOk;
using test::MessageHas;
using ::testing::HasSubstr;

class ScanTest : public test::PluginFixture {
 protected:
  CatalogueFile ScanOne(const std::string& plugin) {
    Install(plugin, "compressor-copy.so");
    auto report = Scan(context_, Scanning(), nullptr);
    EXPECT_OK(report);
    if (!report.ok() || report->catalogue.files.size() != 1) return {};
    return report->catalogue.files[0];
  }
};

TEST_F(ScanTest, DescribesAGoodPluginWithFactoriesAndOptions) {
  const CatalogueFile file = ScanOne("good");
  EXPECT_EQ(file.state, FileState::kOk) << file.reason;
  ASSERT_TRUE(file.module.has_value());
  EXPECT_EQ(file.module->id, "org.example.test");
  ASSERT_EQ(file.module->factories.size(), 2u);
  EXPECT_EQ(file.module->factories[0].options.size(), 2u);
  EXPECT_EQ(file.module->factories[0].options[0].default_text, "3");
  EXPECT_TRUE(file.module->factories[0].options[1].secret);
  EXPECT_EQ(file.module->factories[0].extensions, std::vector<std::string>{"cpy"});
  EXPECT_EQ(file.sha256.size(), 64u);
  EXPECT_FALSE(file.closure.empty());
}

TEST_F(ScanTest, CrashHangAndSilentExitMeanQuarantine) {
  CatalogueFile file = ScanOne("crash");
  EXPECT_EQ(file.state, FileState::kQuarantined);
  EXPECT_THAT(file.reason, HasSubstr("SIGABRT"));
  file = ScanOne("exit");
  EXPECT_EQ(file.state, FileState::kQuarantined);
  EXPECT_THAT(file.reason, HasSubstr("without an answer"));
  Install("hang", "compressor-copy.so");
  ScanOptions options = Scanning();
  options.probe_timeout_ms = 200;
  ASSERT_OK_AND_ASSIGN(const ScanReport report, Scan(context_, options, nullptr));
  EXPECT_EQ(report.catalogue.files[0].state, FileState::kQuarantined);
  EXPECT_THAT(report.catalogue.files[0].reason, HasSubstr("hung"));
}

TEST_F(ScanTest, PluginThatClosesItsPipesAndStaysIsKilledInTime) {
  Install("mute", "compressor-copy.so");
  ScanOptions options = Scanning();
  options.probe_timeout_ms = 300;
  ASSERT_OK_AND_ASSIGN(const ScanReport report, Scan(context_, options, nullptr));
  ASSERT_EQ(report.catalogue.files.size(), 1u);
  EXPECT_EQ(report.catalogue.files[0].state, FileState::kQuarantined);
  EXPECT_THAT(report.catalogue.files[0].reason, HasSubstr("hung"));
}

TEST_F(ScanTest, OtherMajorsAndHostsThatAreTooOldAreIncompatible) {
  for (const char* plugin : {"wrong_major", "wrong_major_note", "needs_newer", "no_entry", "other_note"}) {
    const CatalogueFile file = ScanOne(plugin);
    EXPECT_EQ(file.state, FileState::kIncompatible) << plugin << ": " << file.reason;
    EXPECT_NE(file.reason, "");
  }
  EXPECT_EQ(ScanOne("newer_minor").state, FileState::kOk);
}

TEST_F(ScanTest, MissingLibraryIsUnloadableAndTriedAgainEachTime) {
  const CatalogueFile file = ScanOne("missing");
  EXPECT_EQ(file.state, FileState::kUnloadable);
  EXPECT_THAT(file.reason, HasSubstr("libwalrig_test_gone.so"));
  ASSERT_OK_AND_ASSIGN(ScanReport report, Scan(context_, Scanning(), nullptr));
  // The library arrives; the file itself stays the same.
  ::setenv("LD_LIBRARY_PATH", WALRIG_TEST_GONE_DIR, 1);
  ASSERT_OK_AND_ASSIGN(const ScanReport again, Scan(context_, Scanning(), &report.catalogue));
  ::unsetenv("LD_LIBRARY_PATH");
  EXPECT_EQ(again.changes[0], ScanChange::kRetried);
  EXPECT_EQ(again.catalogue.files[0].state, FileState::kOk) << again.catalogue.files[0].reason;
}

TEST_F(ScanTest, UnchangedFilesAreNotProbedAgainUnlessAskedFor) {
  Install("crash", "storage-tape.so");
  Install("good", "compressor-copy.so");
  ASSERT_OK_AND_ASSIGN(const ScanReport first, Scan(context_, Scanning(), nullptr));
  ScanOptions options = Scanning();
  options.probe = "/nonexistent";  // a probe would fail the scan
  ASSERT_OK_AND_ASSIGN(const ScanReport second, Scan(context_, options, &first.catalogue));
  EXPECT_EQ(second.changes, std::vector<ScanChange>(2, ScanChange::kUnchanged));
  EXPECT_EQ(second.catalogue.files[1].state, FileState::kQuarantined);
  options = Scanning();
  options.retry = {"storage/tape"};
  ASSERT_OK_AND_ASSIGN(const ScanReport third, Scan(context_, options, &first.catalogue));
  EXPECT_EQ(third.changes[0], ScanChange::kUnchanged);
  EXPECT_EQ(third.changes[1], ScanChange::kRetried);
}

TEST_F(ScanTest, ReplacedFileLeavesQuarantine) {
  Install("crash", "compressor-copy.so");
  ASSERT_OK_AND_ASSIGN(const ScanReport first, Scan(context_, Scanning(), nullptr));
  std::filesystem::remove(dir_.File("plugins/compressor-copy.so"));
  Install("good", "compressor-copy.so");
  ASSERT_OK_AND_ASSIGN(const ScanReport second, Scan(context_, Scanning(), &first.catalogue));
  EXPECT_EQ(second.changes[0], ScanChange::kChanged);
  EXPECT_EQ(second.catalogue.files[0].state, FileState::kOk);
}

TEST_F(ScanTest, RubbishForeignAndUntrustedFilesRunNothing) {
  dir_.Write("plugins/storage-text.so", "not a library");
  std::ifstream in(Install("good", "storage-arm.so"), std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  bytes[18] = static_cast<char>(0xb7);  // EM_AARCH64
  dir_.Write("plugins/storage-arm.so", bytes);
  ScanOptions options = Scanning();
  options.probe = "/nonexistent";
  ASSERT_OK_AND_ASSIGN(const ScanReport report, Scan(context_, options, nullptr));
  ASSERT_EQ(report.catalogue.files.size(), 2u);
  EXPECT_EQ(report.catalogue.files[0].state, FileState::kForeignArch);
  EXPECT_EQ(report.catalogue.files[1].state, FileState::kIncompatible);
  options.trust.level = TrustLevel::kUser;  // /tmp is writable by everybody
  ASSERT_OK_AND_ASSIGN(const ScanReport strict, Scan(context_, options, nullptr));
  EXPECT_EQ(strict.catalogue.files[0].state, FileState::kUntrusted);
}

TEST_F(ScanTest, LinkBesideItsFileIsNotListedTwice) {
  Install("good", "compressor-copy.so");
  ASSERT_EQ(symlink("compressor-copy.so", dir_.File("plugins/compressor-cp.so").c_str()), 0);
  ASSERT_OK_AND_ASSIGN(const ScanReport report, Scan(context_, Scanning(), nullptr));
  EXPECT_EQ(report.catalogue.files.size(), 1u);
}

TEST_F(ScanTest, ManifestHoldsWhatTheScanFound) {
  Install("good", "compressor-copy.so");
  Install("crash", "storage-tape.so");
  ASSERT_OK_AND_ASSIGN(const ScanWrite written, ScanAndWrite(context_, Scanning(), ManifestPath()));
  ASSERT_TRUE(written.written) << written.why_not.ToString();
  ASSERT_OK_AND_ASSIGN(const auto manifest, Manifest::Open(ManifestPath()));
  ASSERT_OK_AND_ASSIGN(const Catalogue read, manifest->ReadAll());
  const Catalogue& made = written.report.catalogue;
  ASSERT_EQ(read.files.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read.files[i].Path(), made.files[i].Path());
    EXPECT_EQ(read.files[i].identity, made.files[i].identity);
    EXPECT_EQ(read.files[i].state, made.files[i].state);
    EXPECT_EQ(read.files[i].reason, made.files[i].reason);
    EXPECT_EQ(read.files[i].sha256, made.files[i].sha256);
    EXPECT_EQ(read.files[i].closure, made.files[i].closure);
  }
  ASSERT_TRUE(read.files[0].module.has_value());
  EXPECT_EQ(ModuleToJson(*read.files[0].module), ModuleToJson(*made.files[0].module));
  ASSERT_OK_AND_ASSIGN(const auto location, manifest->Resolve(PluginKind::kCompressor, "cp"));
  ASSERT_TRUE(location.has_value());
  EXPECT_EQ(location->basename, "compressor-copy.so");
  ASSERT_OK_AND_ASSIGN(const auto name, manifest->CompressorOfExtension("cpy"));
  EXPECT_EQ(name, std::optional<std::string>("copy"));
}

TEST_F(ScanTest, CorruptManifestIsPutAside) {
  Install("good", "compressor-copy.so");
  dir_.Write("cache/plugins.db", "this is no database, whatever its name says");
  ASSERT_OK_AND_ASSIGN(const ScanWrite written, ScanAndWrite(context_, Scanning(), ManifestPath()));
  EXPECT_TRUE(written.written);
  EXPECT_TRUE(dir_.Exists("cache/plugins.db.bad"));
  EXPECT_THAT(Manifest::Open(ManifestPath()), IsOk());
}

TEST_F(ScanTest, SecondScanGivesUpWhileTheFirstHoldsTheLock) {
  dir_.Write("cache/plugins.db.lock", "");
  const int fd = open(dir_.File("cache/plugins.db.lock").c_str(), O_RDWR);
  ASSERT_EQ(flock(fd, LOCK_EX), 0);
  test::TestContext fake;  // its clock runs through the 30 seconds at once
  ASSERT_OK_AND_ASSIGN(const ScanWrite outcome, ScanAndWrite(fake, Scanning(), ManifestPath()));
  EXPECT_TRUE(outcome.busy);
  EXPECT_FALSE(outcome.written);
  close(fd);
}

TEST_F(ScanTest, ReleaseTouchesNothingWhereNothingIsInQuarantine) {
  EXPECT_THAT(ReleaseFromQuarantine(context_, dir_.File("nowhere/plugins.db"), "tape"), HasCode(Code::kNotFound));
  EXPECT_FALSE(dir_.Exists("nowhere"));
  Install("good", "compressor-copy.so");
  ASSERT_OK(ScanAndWrite(context_, Scanning(), ManifestPath()));
  std::filesystem::remove(ManifestPath() + ".lock");
  EXPECT_THAT(ReleaseFromQuarantine(context_, ManifestPath(), "copy"), test::IsOkAndHolds(0u));
  EXPECT_FALSE(dir_.Exists("cache/plugins.db.lock"));
}

TEST_F(ScanTest, UnwritablePlaceStillGivesTheReport) {
  Install("good", "compressor-copy.so");
  ASSERT_OK_AND_ASSIGN(const ScanWrite outcome, ScanAndWrite(context_, Scanning(), "/proc/no/such/place.db"));
  EXPECT_FALSE(outcome.written);
  EXPECT_FALSE(outcome.why_not.ok());
  EXPECT_EQ(outcome.report.catalogue.files.size(), 1u);
}

TEST_F(ScanTest, ReleaseEndsQuarantineWithoutAProbe) {
  Install("crash", "storage-tape.so");
  ASSERT_OK(ScanAndWrite(context_, Scanning(), ManifestPath()));
  ASSERT_OK_AND_ASSIGN(const size_t none, ReleaseFromQuarantine(context_, ManifestPath(), "disk"));
  EXPECT_EQ(none, 0u);
  ASSERT_OK_AND_ASSIGN(const size_t one, ReleaseFromQuarantine(context_, ManifestPath(), "tape"));
  EXPECT_EQ(one, 1u);
  ASSERT_OK_AND_ASSIGN(const auto manifest, Manifest::Open(ManifestPath()));
  ASSERT_OK_AND_ASSIGN(const Catalogue catalogue, manifest->ReadAll());
  EXPECT_EQ(catalogue.files[0].state, FileState::kOk);
}

TEST_F(ScanTest, ReadersNeverFailWhileTheManifestIsReplaced) {
  Install("good", "compressor-copy.so");
  ASSERT_OK_AND_ASSIGN(const ScanWrite first, ScanAndWrite(context_, Scanning(), ManifestPath()));
  std::atomic<bool> done{false};
  std::atomic<int> swaps{0};
  std::jthread writer([&] {
    while (!done.load()) {
      if (!WriteManifest(ManifestPath(), first.report.catalogue).ok()) return;
      ++swaps;
    }
  });
  int good = 0;
  for (int i = 0; i < 1000 || swaps.load() < 20; ++i) {
    auto manifest = Manifest::Open(ManifestPath());
    ASSERT_OK(manifest);
    auto all = (*manifest)->ReadAll();
    ASSERT_OK(all);
    if (all->files.size() == 1 && all->files[0].module.has_value()) ++good;
  }
  done = true;
  EXPECT_GE(good, 1000);
}

TEST_F(ScanTest, DamagedManifestRowsAreRefusedNotBelieved) {
  Install("good", "compressor-copy.so");
  ASSERT_OK(ScanAndWrite(context_, Scanning(), ManifestPath()));
  const std::string bytes = dir_.Read("cache/plugins.db");
  for (size_t at = 0; at < bytes.size(); at += 211) {
    std::string changed = bytes;
    for (size_t i = at; i < std::min(at + 16, changed.size()); ++i) changed[i] = static_cast<char>(~changed[i]);
    const std::string path = dir_.Write("cache/damaged.db", changed);
    auto manifest = Manifest::Open(path);
    if (!manifest.ok()) continue;
    auto all = (*manifest)->ReadAll();
    if (!all.ok()) continue;
    for (const CatalogueFile& file : all->files) EXPECT_EQ(file.basename.find('/'), std::string::npos);
  }
}

TEST(ProbeAnswerTest, NonsenseIsCorruption) {
  for (const char* text : {"", "{}", "[]", "{\"outcome\":\"ok\"}", "{\"outcome\":\"quarantined\"}",
                           "{\"outcome\":\"ok\",\"module\":{}}", "{\"outcome\":7}"}) {
    EXPECT_THAT(ParseProbeAnswer(text), HasCode(Code::kCorruption)) << text;
  }
  EXPECT_THAT(ParseProbeAnswer("{\"outcome\":\"unloadable\",\"reason\":\"x\"}"), IsOk());
}

}  // namespace
}  // namespace walrig
