#include "core/plugin/registry.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/checksum.h"
#include "core/plugin/dso.h"
#include "tests/unit/core/plugin/plugin_fixture.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOk;
using test::MessageHas;
using ::testing::AllOf;
using ::testing::Not;

class RegistryTest : public test::PluginFixture {};

TEST_F(RegistryTest, LoadsByFileNameWithoutAnyManifest) {
  Install("good", "compressor-copy.so");
  const auto registry = Open();
  ASSERT_OK_AND_ASSIGN(const auto compressor, registry->NewCompressor(context_, "copy", {}, nullptr));
  EXPECT_EQ(compressor->traits().extension, "cpy");
  EXPECT_TRUE(compressor->traits().concatenable);
  EXPECT_EQ(compressor->encoder_memory_bytes(), 11u);
  EXPECT_EQ(compressor->decoder_memory_bytes(), 22u);
  EXPECT_TRUE(context_.log().Has("init"));
}

TEST_F(RegistryTest, FindsASecondPluginOfAFileByItsNote) {
  Install("good", "compressor-copy.so");
  EXPECT_OK(Open()->NewStorage(context_, "one", {}, nullptr));
}

TEST_F(RegistryTest, FindsAnAliasThroughTheManifest) {
  Install("good", "compressor-copy.so");
  EXPECT_THAT(Load(*Open(), "cp"), HasCode(Code::kNotFound));
  ASSERT_OK(ScanAndWrite(context_, Scanning(), ManifestPath()));
  EXPECT_OK(Load(*Open(), "cp"));
  EXPECT_THAT(Open()->CompressorForExtension("cpy"), test::IsOkAndHolds("copy"));
}

// What a scan says wins, and what is used: one rule.
class TwiceTest : public RegistryTest {
 protected:
  TwiceTest() {
    for (const char* dir : {"first", "second"}) both_.search.plugin_dirs.push_back(dir_.Mkdir(dir));
    both_.search.executable = Opening().search.executable;
    both_.search.trust = Anybody();
    both_.manifest = ManifestPath();
  }
  void Put(const std::string& plugin, const std::string& where) {
    std::filesystem::copy_file(std::string(WALRIG_TEST_PLUGINS) + "/" + plugin + ".so", dir_.File(where));
  }
  void ExpectWinner(PluginKind kind, const std::string& name, const std::string& where) {
    ScanOptions scan = Scanning();
    scan.dirs = {{dir_.File("first"), "--plugin-dir"}, {dir_.File("second"), "--plugin-dir"}};
    ASSERT_OK_AND_ASSIGN(const ScanWrite written, ScanAndWrite(context_, scan, ManifestPath()));
    const auto hit = FindInCatalogue(written.report.catalogue, kind, name);
    ASSERT_TRUE(hit.has_value());
    EXPECT_EQ(hit->file->Path(), dir_.File(where));
    ASSERT_OK_AND_ASSIGN(const std::string used, Open(both_)->FindPath(kind, name));
    EXPECT_EQ(std::filesystem::canonical(used), std::filesystem::canonical(dir_.File(where)));
  }
  RegistryOptions both_;
};

TEST_F(TwiceTest, EarlierDirectoryWinsThoughItsFileDoesNotWork) {
  Put("crash", "first/compressor-copy.so");
  Put("good", "second/compressor-copy.so");
  ExpectWinner(PluginKind::kCompressor, "copy", "first/compressor-copy.so");
  EXPECT_THAT(Load(*Open(both_)), MessageHas("quarantined"));
}

TEST_F(TwiceTest, FileThatIsCalledSoWinsOverOneThatHoldsThePluginToo) {
  Put("good", "first/compressor-aaa.so");
  Put("good", "second/compressor-copy.so");
  ExpectWinner(PluginKind::kCompressor, "copy", "second/compressor-copy.so");
  ExpectWinner(PluginKind::kStorage, "one", "first/compressor-aaa.so");
}

TEST_F(TwiceTest, TheOptionsOfAFileAreKnownThoughAnotherOneWins) {
  Put("good", "first/compressor-copy.so");
  Put("good", "second/compressor-copy.so");
  ExpectWinner(PluginKind::kCompressor, "copy", "first/compressor-copy.so");
  const std::string hidden = dir_.File("second/compressor-copy.so");
  EXPECT_TRUE(Open(both_)->KnownOptions(hidden, PluginKind::kCompressor, "copy").has_value());
}

TEST_F(TwiceTest, LinkIsAName) {
  Put("good", "first/compressor-copy.so");
  ASSERT_EQ(symlink("compressor-copy.so", dir_.File("first/compressor-cp.so").c_str()), 0);
  Put("good", "second/compressor-cp.so");
  ExpectWinner(PluginKind::kCompressor, "cp", "first/compressor-copy.so");
}

TEST_F(TwiceTest, CatalogueOfAnotherSearchPathDoesNotChangeTheWinner) {
  Put("good", "first/compressor-aaa.so");
  Put("good", "second/compressor-bbb.so");
  ScanOptions scan = Scanning();
  scan.dirs = {{dir_.File("second"), "--plugin-dir"}};
  ASSERT_OK(ScanAndWrite(context_, scan, ManifestPath()));
  EXPECT_THAT(Open(both_)->FindPath(PluginKind::kStorage, "one"), test::IsOkAndHolds(dir_.File("first/compressor-aaa.so")));
}

TEST_F(RegistryTest, BadManifestsDoNotMatter) {
  Install("good", "compressor-copy.so");
  for (const std::string& content : {std::string(), std::string("nonsense"), std::string(100000, 'x'),
                                    std::string("SQLite format 3\0", 16) + std::string(5000, '\1')}) {
    dir_.Write("cache/plugins.db", content);
    EXPECT_OK(Load(*Open()));
  }
  std::filesystem::remove(ManifestPath());
  dir_.Mkdir("cache/plugins.db");
  EXPECT_OK(Load(*Open()));
}

TEST_F(RegistryTest, LockedAndStaleManifestsDoNotMatter) {
  Install("crash", "compressor-copy.so");
  ASSERT_OK(ScanAndWrite(context_, Scanning(), ManifestPath()));
  std::filesystem::remove(dir_.File("plugins/compressor-copy.so"));
  Install("good", "compressor-copy.so");
  dir_.Write("cache/plugins.db-journal", "hot");
  EXPECT_OK(Load(*Open()));
  EXPECT_TRUE(context_.log().Has("stale"));
}

TEST_F(RegistryTest, TellsTheOptionsOfTheFileThatWasScannedAndOfNoneThatReplacedIt) {
  Install("good", "compressor-copy.so");
  const std::string path = dir_.File("plugins/compressor-copy.so");
  EXPECT_FALSE(Open()->KnownOptions(path, PluginKind::kCompressor, "copy").has_value());
  ASSERT_OK(ScanAndWrite(context_, Scanning(), ManifestPath()));
  EXPECT_TRUE(Open()->KnownOptions(path, PluginKind::kCompressor, "copy").has_value());
  EXPECT_FALSE(Open()->KnownOptions(path, PluginKind::kStorage, "copy").has_value());
  std::filesystem::remove(path);
  Install("good", "compressor-copy.so");
  EXPECT_FALSE(Open()->KnownOptions(path, PluginKind::kCompressor, "copy").has_value());
}

TEST_F(RegistryTest, QuarantinedFileIsRefusedWithTheCommandThatRetriesIt) {
  Install("crash", "compressor-copy.so");
  ASSERT_OK(ScanAndWrite(context_, Scanning(), ManifestPath()));
  EXPECT_THAT(Load(*Open()), AllOf(HasCode(Code::kConfig), MessageHas("quarantined"), MessageHas("SIGABRT"),
                                   MessageHas("walrig plugin scan --retry")));
}

TEST_F(RegistryTest, MissingLibraryIsToldInTheLinkersWords) {
  Install("missing", "compressor-copy.so");
  EXPECT_THAT(Load(*Open()), AllOf(HasCode(Code::kUnavailable), MessageHas("libwalrig_test_gone.so"),
                                   MessageHas("cannot open shared object file")));
}

TEST_F(RegistryTest, WrongAbiIsRefusedAndANewerMinorTaken) {
  // A path that was loaded once stays what it was for the dynamic linker, so each has a directory of its own.
  const auto load = [&](const std::string& plugin) {
    RegistryOptions options = Opening();
    options.search.plugin_dirs = {dir_.Mkdir(plugin)};
    std::filesystem::copy_file(std::string(WALRIG_TEST_PLUGINS) + "/" + plugin + ".so",
                               dir_.File(plugin + "/compressor-copy.so"));
    return Load(*Open(options));
  };
  for (const char* plugin : {"wrong_major", "wrong_major_note", "needs_newer", "no_entry"}) {
    EXPECT_THAT(load(plugin), HasCode(Code::kNotSupported)) << plugin;
  }
  EXPECT_THAT(load("other_note"), HasCode(Code::kCorruption));
  EXPECT_OK(load("newer_minor"));
}

TEST_F(RegistryTest, TablesOfALaterMinorAreReadAsFarAsTheyAreKnown) {
  Install("grown", "compressor-copy.so");
  const auto registry = Open();
  EXPECT_OK(registry->NewCompressor(context_, "copy", {{"level", "4"}}, nullptr));
  EXPECT_THAT(registry->NewCompressor(context_, "copy", {{"level", "10"}}, nullptr), HasCode(Code::kConfig));
  EXPECT_OK(registry->NewStorage(context_, "one", {}, nullptr));
}

TEST_F(RegistryTest, AnInstanceTakesAwayFromWhatItsFactoryClaimsAndNeverAdds) {
  Install("good", "storage-one.so");
  const auto registry = Open();
  ASSERT_OK_AND_ASSIGN(const auto storage, registry->NewStorage(context_, "one", {}, nullptr));
  EXPECT_TRUE(storage->capabilities().range);
  EXPECT_FALSE(storage->capabilities().put_if_absent);
  EXPECT_FALSE(storage->capabilities().list_sorted);
}

TEST_F(RegistryTest, WhatAPluginAnswersIsCheckedBeforeItIsBelieved) {
  Install("lies", "storage-one.so");
  const auto registry = Open();
  ASSERT_OK_AND_ASSIGN(const auto storage, registry->NewStorage(context_, "one", {}, nullptr));
  ASSERT_OK_AND_ASSIGN(auto sink, storage->Put(context_, "one", {}));
  ASSERT_OK(sink->Write(context_, AsBytes("text")));
  ASSERT_OK(sink->Commit(context_));
  EXPECT_THAT(storage->Stat(context_, "one"), HasCode(Code::kInternal));    // a record too short to hold an object
  EXPECT_THAT(storage->List(context_, {}), HasCode(Code::kInternal));
  ASSERT_OK_AND_ASSIGN(auto source, storage->Get(context_, "one", {}));
  std::vector<uint8_t> buffer(9);
  EXPECT_THAT(source->Read(context_, buffer), HasCode(Code::kInternal));  // "the end", and bytes with it
}

TEST_F(RegistryTest, NameOfAnImpossibleLengthIsAnErrorAndNotTheEndOfTheProcess) {
  Install("huge", "storage-one.so");
  const auto registry = Open();
  ASSERT_OK_AND_ASSIGN(const auto storage, registry->NewStorage(context_, "one", {}, nullptr));
  ASSERT_OK_AND_ASSIGN(auto sink, storage->Put(context_, "one", {}));
  ASSERT_OK(sink->Commit(context_));
  EXPECT_THAT(storage->Stat(context_, "one"), HasCode(Code::kInternal));
  EXPECT_THAT(storage->List(context_, {}), HasCode(Code::kInternal));
}

TEST_F(RegistryTest, LibraryWithoutNoteIsNeverLoaded) {
  dir_.Write("plugins/compressor-copy.so", "no ELF");
  EXPECT_THAT(Load(*Open()), HasCode(Code::kCorruption));
}

TEST_F(RegistryTest, UnknownNameSaysWhatWasLookedForWhereAndThePackage) {
  Install("good", "compressor-copy.so");
  EXPECT_THAT(Load(*Open(), "copi"),
              AllOf(HasCode(Code::kNotFound), MessageHas("compressor-copi.so"), MessageHas(dir_.File("plugins")),
                    MessageHas("walrig-plugin-copi"), MessageHas("did you mean copy?")));
}

TEST_F(RegistryTest, NamesThatAreNoneAreRefusedBeforeAnyFileIsTouched) {
  for (const char* name : {"", "../evil", "a/b", "Copy", "a b", "none"}) {
    EXPECT_THAT(Load(*Open(), name), HasCode(Code::kInvalidArgument)) << name;
  }
}

TEST_F(RegistryTest, UntrustedFileIsNotLoaded) {
  Install("good", "compressor-copy.so");
  RegistryOptions options = Opening();
  options.search.trust.level = TrustLevel::kUser;  // the file lies below /tmp
  EXPECT_THAT(Load(*Open(options)), AllOf(HasCode(Code::kPermission), MessageHas("is not loaded")));
}

TEST_F(RegistryTest, PinnedFileIsLoadedAndAChangedOneRefused) {
  const std::string path = Install("good", "compressor-copy.so");
  RegistryOptions options = Opening();
  options.lock = dir_.File("plugins.lock");
  ASSERT_OK_AND_ASSIGN(const std::string sha256, Sha256File(path));
  const Pin pin{"org.example.test", "1.2.3", std::string(HostTriplet()), sha256};
  ASSERT_OK(SavePins(context_, options.lock, {pin}));
  EXPECT_OK(Load(*Open(options)));
  ASSERT_OK(SavePins(context_, options.lock, {{pin.id, pin.version, pin.triplet, std::string(64, '0')}}));
  EXPECT_THAT(Load(*Open(options)), AllOf(HasCode(Code::kPermission), MessageHas(sha256), MessageHas(options.lock)));
  ASSERT_OK(SavePins(context_, options.lock, {}));
  EXPECT_THAT(Load(*Open(options)), MessageHas("not pinned"));
  options.lock = dir_.File("none.lock");
  EXPECT_THAT(Registry::Open(context_, options), HasCode(Code::kNotFound));
}

TEST_F(RegistryTest, PinsThatOthersMayWriteApproveNothing) {
  const std::string plugin = Install("good", "compressor-copy.so");
  RegistryOptions options = Opening();
  options.search.trust.level = TrustLevel::kUser;
  options.search.trust.trusted_root = std::filesystem::canonical(dir_.path());
  options.search.trust.euid = geteuid();
  options.lock = dir_.File("plugins.lock");
  dir_.Write("plugins.lock", "");
  EXPECT_OK(Registry::Open(context_, options));
  ASSERT_EQ(chmod(options.lock.c_str(), 0666), 0);
  EXPECT_THAT(Registry::Open(context_, options),
              AllOf(HasCode(Code::kPermission), MessageHas("plugins.lock"), MessageHas("chmod go-w")));
}

TEST_F(RegistryTest, RootIsToldThatTrustInAnybodyLoadedAFile) {
  if (geteuid() != 0) GTEST_SKIP() << "only root is told";
  const std::string plugin = Install("good", "compressor-copy.so");
  ASSERT_EQ(chmod(plugin.c_str(), 0666), 0);
  EXPECT_OK(Load(*Open()));
  EXPECT_TRUE(context_.log().Has("WALRIG_PLUGIN_TRUST is any"));
  EXPECT_TRUE(context_.log().Has("writable by everybody"));
}

TEST_F(RegistryTest, TwoPinnedPluginsAreTwoModules) {
  // A descriptor that were closed would give its number, and the linker's name for it, to the next file.
  RegistryOptions options = Opening();
  options.lock = dir_.File("plugins.lock");
  std::vector<Pin> pins;
  for (const std::string& name : {std::string("good"), std::string("newer_minor")}) {
    const std::string path = Install(name, name == "good" ? "compressor-copy.so" : "storage-one.so");
    ASSERT_OK_AND_ASSIGN(const std::string sha256, Sha256File(path));
    pins.push_back({"org.example.test", "1.2.3", std::string(HostTriplet()), sha256});
  }
  ASSERT_OK(SavePins(context_, options.lock, pins));
  const auto first = LoadModuleByFd(Fd(OpenFd(dir_.File("plugins/compressor-copy.so"), 0)->release()), "first");
  const auto second = LoadModuleByFd(Fd(OpenFd(dir_.File("plugins/storage-one.so"), 0)->release()), "second");
  ASSERT_OK(first);
  ASSERT_OK(second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ((*first)->abi_minor, 0);
  EXPECT_EQ((*second)->abi_minor, 7);
}

TEST_F(RegistryTest, OptionsReachThePluginAndItsRefusalComesBack) {
  Install("good", "compressor-copy.so");
  std::vector<std::string> secrets;
  RegistryOptions options = Opening();
  options.on_secret = [&](const std::string& secret) { secrets.push_back(secret); };
  std::vector<std::string> origins;
  options.on_origin = [&](const OptionOrigin& origin) { origins.push_back(origin.name + (origin.secret ? " (secret)" : "")); };
  const auto registry = Open(options);
  const SettingLookup lookup = [](std::string_view name) -> std::optional<std::string> {
    return name == "TEST_KEY" ? std::optional<std::string>("secret") : std::nullopt;
  };
  EXPECT_OK(registry->NewCompressor(context_, "copy", {{"l", "5"}}, lookup));
  EXPECT_TRUE(context_.log().Has("the key is right"));
  EXPECT_EQ(secrets, std::vector<std::string>{"secret"});
  EXPECT_EQ(origins, std::vector<std::string>{"TEST_KEY (secret)"});
  EXPECT_THAT(registry->NewCompressor(context_, "copy", {{"level", "9"}}, nullptr),
              AllOf(HasCode(Code::kConfig), MessageHas("compressor/copy"), MessageHas("too much today")));
  EXPECT_THAT(registry->NewCompressor(context_, "copy", {{"level", "10"}}, nullptr), MessageHas("above 9"));
  EXPECT_THAT(registry->NewCompressor(context_, "copy", {{"levl", "1"}}, nullptr), MessageHas("did you mean level?"));
}

TEST_F(RegistryTest, ShutdownLeavesModulesAloneWhoseObjectsLive) {
  Install("good", "compressor-copy.so");
  const auto registry = Open();
  ASSERT_OK_AND_ASSIGN(auto compressor, registry->NewCompressor(context_, "copy", {}, nullptr));
  registry->Shutdown();
  EXPECT_TRUE(context_.log().Has("objects are in use", LogLevel::kWarning));
  EXPECT_OK(compressor->NewEncoder());
}

TEST_F(RegistryTest, ModuleThatWasShutDownDoesNotComeBack) {
  Install("good", "compressor-copy.so");
  const auto registry = Open();
  EXPECT_OK(Load(*registry));
  registry->Shutdown();
  EXPECT_THAT(Load(*registry), AllOf(HasCode(Code::kInternal), MessageHas("was shut down")));
}

class BridgeTest : public RegistryTest {
 protected:
  void SetUp() override {
    Install("good", "compressor-copy.so");
    registry_ = Open();
    ASSERT_OK_AND_ASSIGN(storage_, registry_->NewStorage(context_, "one", {}, nullptr));
    ASSERT_OK_AND_ASSIGN(compressor_, registry_->NewCompressor(context_, "copy", {}, nullptr));
  }
  Status Put(std::string_view key, std::string_view text, PutOptions options = {}) {
    WALRIG_ASSIGN(auto sink, storage_->Put(context_, key, options));
    WALRIG_TRY(sink->Write(context_, AsBytes(text)));
    return sink->Commit(context_);
  }
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<Compressor> compressor_;
};

TEST_F(BridgeTest, ObjectGoesInAndComesOut) {
  ASSERT_OK(Put("one", "hello"));
  ASSERT_OK_AND_ASSIGN(const ObjectInfo info, storage_->Stat(context_, "one"));
  EXPECT_EQ(info.size_bytes, 5u);
  EXPECT_EQ(info.mtime_ns, 77);
  ASSERT_OK_AND_ASSIGN(auto source, storage_->Get(context_, "one", {.offset = 1, .length = kUnknownSize, .if_match_etag = ""}));
  std::vector<uint8_t> buffer(3);
  EXPECT_THAT(source->Read(context_, buffer), test::IsOkAndHolds(size_t{3}));
  EXPECT_EQ(AsText(buffer), "ell");
  EXPECT_THAT(source->Read(context_, buffer), test::IsOkAndHolds(size_t{1}));
  EXPECT_THAT(source->Read(context_, buffer), test::IsOkAndHolds(size_t{0}));
  ASSERT_OK_AND_ASSIGN(const ListPage page, storage_->List(context_, {}));
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_EQ(page.entries[0].key, "one");
  EXPECT_EQ(page.next_page_token, "");
}

TEST_F(BridgeTest, UncommittedSinkLeavesNothing) {
  {
    ASSERT_OK_AND_ASSIGN(auto sink, storage_->Put(context_, "one", {}));
    ASSERT_OK(sink->Write(context_, AsBytes("x")));
    sink->Abort();
    EXPECT_THAT(sink->Write(context_, AsBytes("x")), HasCode(Code::kInternal));
  }
  EXPECT_THAT(storage_->Stat(context_, "one"), HasCode(Code::kNotFound));
}

TEST_F(BridgeTest, ErrorKeepsCodeFlagsAndHint) {
  ASSERT_OK_AND_ASSIGN(auto sink, storage_->Put(context_, "one", {}));
  const std::string large(100, 'x');
  const Status status = sink->Write(context_, AsBytes(large));
  EXPECT_EQ(status.code(), Code::kNoSpace);
  EXPECT_TRUE(status.retryable());
  EXPECT_TRUE(status.outcome_unknown());
  EXPECT_EQ(status.detail().retry_after_ms, 250u);
  EXPECT_EQ(status.detail().native_code, 507);
  EXPECT_EQ(status.hint(), "write less");
  ASSERT_OK(Put("one", "x"));
  EXPECT_THAT(Put("one", "y", {.only_if_absent = true}), HasCode(Code::kAlreadyExists));
  EXPECT_THAT(Put("two", "y"), HasCode(Code::kNameInvalid));
}

TEST_F(BridgeTest, DeleteTellsOfEachKey) {
  ASSERT_OK(Put("one", "x"));
  const std::vector<std::string> keys = {"one", "bad", "absent"};
  std::vector<Status> each;
  ASSERT_OK(storage_->Delete(context_, keys, &each));
  ASSERT_EQ(each.size(), 3u);
  EXPECT_OK(each[0]);
  EXPECT_THAT(each[1], AllOf(HasCode(Code::kPermission), MessageHas("bad"), MessageHas("not this one")));
  EXPECT_OK(each[2]);
}

TEST_F(BridgeTest, CapabilityWithoutFunctionIsNone) {
  EXPECT_TRUE(storage_->capabilities().range);
  EXPECT_FALSE(storage_->capabilities().copy);
  EXPECT_THAT(storage_->Copy(context_, "one", "two"), HasCode(Code::kNotSupported));
}

TEST_F(BridgeTest, TransformRunsWithOneByteBuffersAndReportsCorruption) {
  ASSERT_OK_AND_ASSIGN(auto encoder, compressor_->NewEncoder());
  std::string out;
  const std::string text = "plain";
  for (size_t at = 0; at <= text.size();) {
    uint8_t byte = 0;
    TransformIo io{.in = AsBytes(text).subspan(at, at < text.size() ? 1 : 0), .out = {&byte, 1}};
    ASSERT_OK_AND_ASSIGN(const Progress progress,
                         encoder->Process(io, at < text.size() ? Directive::kRun : Directive::kFinish));
    out.append(reinterpret_cast<char*>(&byte), io.out_used);
    at += io.in_used;
    if (progress == Progress::kEnd) break;
  }
  EXPECT_EQ(out, text);
  uint8_t byte = 0;
  TransformIo io{.in = AsBytes("!"), .out = {&byte, 1}};
  EXPECT_THAT(encoder->Process(io, Directive::kRun), AllOf(HasCode(Code::kCorruption), MessageHas("exclamation")));
  EXPECT_OK(encoder->Reset());
}

TEST(ConflictTest, TwoVersionsOfOneTlsLibraryConflict) {
  EXPECT_EQ(ConflictBetween({"libc.so.6", "libssl.so.3"}, {"libssl.so.3", "libz.so.1"}), "");
  EXPECT_NE(ConflictBetween({"libcrypto.so.3"}, {"libcrypto.so.1.1"}), "");
  EXPECT_EQ(ConflictBetween({"libcurl.so.4"}, {"libcurl-gnutls.so.4"}), "");
}

}  // namespace
}  // namespace walrig
