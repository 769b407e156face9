#include "tests/unit/plugins/storage/fs/fixture.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace walrig::testing {
namespace {

using FsStorageTest = FsTest;

TEST_F(FsStorageTest, SaysWhatItIs) {
  EXPECT_STREQ(plugin_->module().id, "org.walrig.storage-fs");
  EXPECT_STREQ(plugin_->factory().aliases[0], "file");
  EXPECT_EQ(plugin_->factory().caps, 0xFFu);
}

TEST_F(FsStorageTest, GivesBackWhatWasPut) {
  ASSERT_TRUE(storage_->Put("wal_005/a/b.zst", "bytes").ok());
  EXPECT_EQ(storage_->Get("wal_005/a/b.zst").bytes, "bytes");
  EXPECT_EQ(ReadFile("wal_005/a/b.zst"), "bytes");
  ASSERT_TRUE(storage_->Put("wal_005/a/b.zst", "").ok());
  const AbiResult empty = storage_->Get("wal_005/a/b.zst");
  EXPECT_TRUE(empty.ok());
  EXPECT_EQ(empty.bytes, "");
}

// An administrator's first command must not lock the server's user out.
TEST_F(FsStorageTest, WhatRootMakesBelongsToTheOwnerOfTheFolderAbove) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(::chown(root_.c_str(), 1234, 2345), 0);
  const mode_t old = ::umask(077);
  ASSERT_TRUE(storage_->Put("wal_005/a/o", "bytes").ok());
  ASSERT_TRUE(storage_->Copy("wal_005/a/o", "copied/o").ok());
  ::umask(old);
  for (const std::string& name : Tree()) {
    struct stat info = {};
    ASSERT_EQ(::stat((root_ + "/" + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 1234u) << name;
    EXPECT_EQ(info.st_gid, 2345u) << name;
  }
}

// Root's storage, which a group shares.
TEST_F(FsStorageTest, WhatRootMakesAGroupMayUseAsTheFolderAbove) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(::chown(root_.c_str(), 0, 2345), 0);
  ASSERT_EQ(::chmod(root_.c_str(), 02770), 0);
  ASSERT_TRUE(storage_->Put("wal_005/o", "bytes").ok());
  struct stat folder = {}, object = {};
  ASSERT_EQ(::stat((root_ + "/wal_005").c_str(), &folder), 0);
  ASSERT_EQ(::stat((root_ + "/wal_005/o").c_str(), &object), 0);
  EXPECT_EQ(folder.st_mode & 02070, 02070u);
  EXPECT_EQ(object.st_mode & 0060, 0060u);
  EXPECT_EQ(object.st_gid, 2345u);
}

TEST_F(FsStorageTest, ReadsRangesAndCutsThemToTheObject) {
  ASSERT_TRUE(storage_->Put("o", "0123456789").ok());
  EXPECT_EQ(storage_->Get("o", 3, 4).bytes, "3456");
  EXPECT_EQ(storage_->Get("o", 8, 100).bytes, "89");
  EXPECT_EQ(storage_->Get("o", 10).bytes, "");
  EXPECT_EQ(storage_->Get("o", 1000, 5).bytes, "");
  EXPECT_TRUE(storage_->Get("o", UINT64_MAX - 1, UINT64_MAX).ok());
  EXPECT_EQ(storage_->Get("o", 2, 0).bytes, "");
}

TEST_F(FsStorageTest, AnswersNotFoundAndMakesNothingWhenReading) {
  EXPECT_EQ(storage_->Get("no/such/object").code(), Code::kNotFound);
  EXPECT_EQ(storage_->Stat("no/such/object").code(), Code::kNotFound);
  EXPECT_EQ(storage_->Keys({.prefix = "no/such/"}), Keys());
  EXPECT_EQ(Tree(), Keys());
}

TEST_F(FsStorageTest, FoldersPipesAndTemporaryFilesAreNoObjects) {
  ASSERT_TRUE(storage_->Put("folder/o", "x").ok());
  ASSERT_EQ(::mkfifo((root_ + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(storage_->Get("folder").code(), Code::kNotFound);
  EXPECT_EQ(storage_->Stat("pipe").code(), Code::kNotFound);
  EXPECT_EQ(storage_->Get("pipe").code(), Code::kNotFound);
  EXPECT_EQ(storage_->Get("folder/o/below").code(), Code::kNotFound);
}

TEST_F(FsStorageTest, StatAndListAgree) {
  ASSERT_TRUE(storage_->Put("a/o", "12345").ok());
  AbiObject object;
  ASSERT_TRUE(storage_->Stat("a/o", &object).ok());
  const auto [status, listed] = storage_->List({});
  ASSERT_TRUE(status.ok());
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(object.size_bytes, 5u);
  EXPECT_EQ(listed[0].size_bytes, 5u);
  EXPECT_EQ(listed[0].mtime_ns, object.mtime_ns);
  EXPECT_EQ(listed[0].etag, object.etag);
  struct stat s{};
  ASSERT_EQ(::stat((root_ + "/a/o").c_str(), &s), 0);
  EXPECT_EQ(object.mtime_ns, s.st_mtim.tv_sec * 1'000'000'000 + s.st_mtim.tv_nsec);
}

TEST_F(FsStorageTest, RefusesAReadWhenTheEtagChanged) {
  ASSERT_TRUE(storage_->Put("o", "one").ok());
  AbiObject before;
  ASSERT_TRUE(storage_->Stat("o", &before).ok());
  EXPECT_EQ(storage_->Get("o", 0, WALRIG_UNKNOWN_SIZE, before.etag).bytes, "one");
  ASSERT_TRUE(storage_->Put("o", "two").ok());
  EXPECT_EQ(storage_->Get("o", 0, WALRIG_UNKNOWN_SIZE, before.etag).code(), Code::kPreconditionFailed);
}

TEST_F(FsStorageTest, AReaderKeepsTheObjectThatWasReplacedMeanwhile) {
  ASSERT_TRUE(storage_->Put("o", "the old one").ok());
  const walrig_storage_v1& table = plugin_->storage();
  void* reader = nullptr;
  walrig_error error = AbiPlugin::NewError();
  ASSERT_EQ(table.open_read(plugin_->self(), nullptr, {"o", 1}, 0, WALRIG_UNKNOWN_SIZE, {nullptr, 0}, &reader, &error), 0);
  ASSERT_TRUE(storage_->Put("o", "new").ok());
  char buffer[64];
  size_t got = 0;
  ASSERT_EQ(table.read(reader, nullptr, buffer, sizeof buffer, &got, &error), WALRIG_OK);
  EXPECT_EQ(std::string(buffer, got), "the old one");
  table.close_read(reader);
}

TEST_F(FsStorageTest, AFileThatShrinksWhileReadIsTruncated) {
  WriteFile("o", std::string(10000, 'x'));
  const walrig_storage_v1& table = plugin_->storage();
  void* reader = nullptr;
  walrig_error error = AbiPlugin::NewError();
  ASSERT_EQ(table.open_read(plugin_->self(), nullptr, {"o", 1}, 0, WALRIG_UNKNOWN_SIZE, {nullptr, 0}, &reader, &error), 0);
  ASSERT_EQ(::truncate((root_ + "/o").c_str(), 100), 0);
  char buffer[4096];
  size_t got = 0;
  ASSERT_EQ(table.read(reader, nullptr, buffer, sizeof buffer, &got, &error), WALRIG_OK);
  EXPECT_EQ(got, 100u);
  EXPECT_EQ(table.read(reader, nullptr, buffer, sizeof buffer, &got, &error), WALRIG_E_TRUNCATED);
  table.close_read(reader);
}

TEST_F(FsStorageTest, DeletesAndPrunesWhatBecameEmpty) {
  ASSERT_TRUE(storage_->Put("a/b/c/one", "1").ok());
  ASSERT_TRUE(storage_->Put("a/two", "2").ok());
  EXPECT_EQ(storage_->Delete({"a/b/c/one", "a/b/none", "none"}), std::vector<Code>(3, Code::kOk));
  EXPECT_EQ(Tree(), (Keys{"a", "a/two"}));
  EXPECT_EQ(storage_->Delete({"a/two"}), std::vector<Code>{Code::kOk});
  EXPECT_EQ(Tree(), Keys());
  EXPECT_TRUE(std::filesystem::exists(root_));
}

TEST_F(FsStorageTest, DeleteNeverTakesAFolder) {
  ASSERT_TRUE(storage_->Put("a/o", "1").ok());
  EXPECT_EQ(storage_->Delete({"a"}), std::vector<Code>{Code::kOk});
  EXPECT_EQ(storage_->Get("a/o").bytes, "1");
}

TEST_F(FsStorageTest, ReportsABadNameAndDeletesTheOthers) {
  ASSERT_TRUE(storage_->Put("o", "1").ok());
  EXPECT_EQ(storage_->Delete({"../x", "o"}), (std::vector<Code>{Code::kNameInvalid, Code::kOk}));
  EXPECT_EQ(Tree(), Keys());
}

TEST_F(FsStorageTest, CopiesIntoANewFolder) {
  const std::string bytes = Mixed(300000, 1);
  ASSERT_TRUE(storage_->Put("a/o", bytes).ok());
  ASSERT_TRUE(storage_->Copy("a/o", "b/c/d").ok());
  EXPECT_TRUE(storage_->Get("b/c/d").bytes == bytes);
  ASSERT_TRUE(storage_->Put("a/o", "other").ok());
  ASSERT_TRUE(storage_->Copy("a/o", "b/c/d").ok());
  EXPECT_EQ(storage_->Get("b/c/d").bytes, "other");
  ASSERT_TRUE(storage_->Copy("a/o", "a/o").ok());
  EXPECT_EQ(storage_->Get("a/o").bytes, "other");
  EXPECT_EQ(storage_->Copy("none", "x/y").code(), Code::kNotFound);
  EXPECT_EQ(Tree(), (Keys{"a", "a/o", "b", "b/c", "b/c/d"}));
}

TEST_F(FsStorageTest, AStoppedCallEndsCancelledAndLeavesNothing) {
  ASSERT_TRUE(storage_->Put("o", "1").ok());
  walrig_op op;
  op.cancelled = true;
  const AbiStorage stopped(*plugin_, &op);
  EXPECT_EQ(stopped.Get("o").code(), Code::kCancelled);
  EXPECT_EQ(stopped.Put("p", "2").code(), Code::kCancelled);
  EXPECT_EQ(stopped.List({}).first.code(), Code::kCancelled);
  EXPECT_EQ(stopped.Copy("o", "q").code(), Code::kCancelled);
  EXPECT_EQ(Tree(), Keys{"o"});
}

TEST_F(FsStorageTest, SeesACancellationThatComesDuringTheCall) {
  ASSERT_TRUE(storage_->Put("o", "1").ok());
  walrig_op op;
  op.cancel_fd = ::eventfd(1, EFD_CLOEXEC);  // readable, while the flag is not set: as if set a moment later
  const AbiStorage stopped(*plugin_, &op);
  EXPECT_EQ(stopped.List({}).first.code(), Code::kCancelled);
  EXPECT_EQ(stopped.Copy("o", "q").code(), Code::kCancelled);
  ::close(op.cancel_fd);
  EXPECT_EQ(Tree(), Keys{"o"});
}

TEST_F(FsStorageTest, TakesTheSchemeOffThePrefix) {
  for (const char* scheme : {"file://localhost", "file://"}) {
    const AbiPlugin plugin("storage-fs", "fs", {{"prefix", scheme + root_}});
    ASSERT_TRUE(plugin.create_status().ok()) << plugin.create_status().ToString();
    EXPECT_TRUE(AbiStorage(plugin).Put("o", scheme).ok());
    EXPECT_EQ(ReadFile("o"), scheme);
  }
}

TEST_F(FsStorageTest, AMissingDirectoryIsAConfigErrorThatNamesSettingAndPath) {
  WriteFile("file", "x");
  for (const std::string& prefix : {base_ + "/none", root_ + "/file", std::string()}) {
    const AbiPlugin plugin("storage-fs", "fs", {{"prefix", prefix}});
    EXPECT_EQ(plugin.create_status().code(), Code::kConfig) << prefix;
    EXPECT_NE(plugin.create_status().message().find("WALG_FILE_PREFIX"), std::string_view::npos);
    EXPECT_NE(plugin.create_status().message().find(prefix), std::string_view::npos);
  }
  const AbiPlugin plugin("storage-fs", "fs", {{"prefix", base_ + "/none"}});
  EXPECT_NE(plugin.create_status().hint().find("install -d"), std::string_view::npos);
  EXPECT_FALSE(std::filesystem::exists(base_ + "/none"));
}

TEST_F(FsStorageTest, NeverFollowsALinkBelowThePrefix) {
  std::filesystem::create_directory(base_ + "/outside");
  std::ofstream(base_ + "/outside/secret") << "secret";
  std::filesystem::create_directory_symlink(base_ + "/outside", root_ + "/folder");
  std::filesystem::create_symlink(base_ + "/outside/secret", root_ + "/object");
  EXPECT_EQ(storage_->Get("folder/secret").code(), Code::kPermission);
  EXPECT_EQ(storage_->Get("object").code(), Code::kPermission);
  EXPECT_EQ(storage_->Put("folder/new", "x").code(), Code::kPermission);
  EXPECT_EQ(storage_->Keys(), Keys());
  storage_->Delete({"object"});
  EXPECT_TRUE(std::filesystem::exists(base_ + "/outside/secret"));
  EXPECT_FALSE(std::filesystem::exists(base_ + "/outside/new"));
}

}  // namespace
}  // namespace walrig::testing
