#include "tests/unit/plugins/storage/fs/fixture.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <regex>
#include <thread>

namespace walrig::testing {
namespace {

using FsFileTest = FsTest;

TEST_F(FsFileTest, NothingIsVisibleBeforeCommit) {
  AbiStorage::Writer writer(*storage_, "a/o");
  ASSERT_TRUE(writer.opened().ok());
  ASSERT_TRUE(writer.Write("half").ok());
  EXPECT_EQ(storage_->Stat("a/o").code(), Code::kNotFound);
  EXPECT_EQ(storage_->Keys(), Keys());
  EXPECT_EQ(storage_->Keys({.delimiter = "/"}), Keys());
  ASSERT_TRUE(writer.Commit().ok());
  EXPECT_EQ(storage_->Get("a/o").bytes, "half");
}

TEST_F(FsFileTest, AbortLeavesNothingNotEvenTheFolder) {
  {
    AbiStorage::Writer writer(*storage_, "a/b/o");
    ASSERT_TRUE(writer.Write(std::string(1 << 20, 'x')).ok());
    EXPECT_EQ(Tree().size(), 3u);
  }
  EXPECT_EQ(Tree(), Keys());
}

TEST_F(FsFileTest, AbortKeepsTheOldObject) {
  ASSERT_TRUE(storage_->Put("a/o", "old").ok());
  {
    AbiStorage::Writer writer(*storage_, "a/o");
    ASSERT_TRUE(writer.Write("new").ok());
  }
  EXPECT_EQ(storage_->Get("a/o").bytes, "old");
  EXPECT_EQ(Tree(), (Keys{"a", "a/o"}));
}

TEST_F(FsFileTest, TheTemporaryNameIsThatOfWalg) {
  AbiStorage::Writer writer(*storage_, "o.zst");
  ASSERT_TRUE(writer.opened().ok());
  const Keys tree = Tree();
  ASSERT_EQ(tree.size(), 1u);
  EXPECT_TRUE(std::regex_match(tree[0], std::regex("o\\.zst\\.tmp\\.[0-9]{8}T[0-9]{6}Z-[0-9a-f]{16}"))) << tree[0];
}

TEST_F(FsFileTest, RefusesACountThatWasNotAnnounced) {
  for (const char* bytes : {"12", "1234"}) {
    AbiStorage::Writer writer(*storage_, "o", 0, 3);
    ASSERT_TRUE(writer.opened().ok());
    Status status = writer.Write(bytes);
    if (status.ok()) status = writer.Commit();
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << bytes;
  }
  EXPECT_EQ(Tree(), Keys());
  AbiStorage::Writer writer(*storage_, "o", 0, 3);
  ASSERT_TRUE(writer.Write("1").ok() && writer.Write("23").ok());
  EXPECT_TRUE(writer.Commit().ok());
}

TEST_F(FsFileTest, ModesFollowTheUmask) {
  const mode_t before = ::umask(027);
  EXPECT_TRUE(storage_->Put("d/o", "x").ok());
  ::umask(before);
  struct stat s{};
  ASSERT_EQ(::stat((root_ + "/d").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 07777, 0750u);
  ASSERT_EQ(::stat((root_ + "/d/o").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 07777, 0640u);
}

TEST_F(FsFileTest, PutIfAbsentLosesAtOpenOrAtCommit) {
  ASSERT_TRUE(storage_->Put("o", "first", WALRIG_PUT_IF_ABSENT).ok());
  EXPECT_EQ(storage_->Put("o", "second", WALRIG_PUT_IF_ABSENT).code(), Code::kAlreadyExists);
  AbiStorage::Writer a(*storage_, "p", WALRIG_PUT_IF_ABSENT);
  AbiStorage::Writer b(*storage_, "p", WALRIG_PUT_IF_ABSENT);
  ASSERT_TRUE(a.Write("a").ok() && b.Write("b").ok());
  EXPECT_TRUE(b.Commit().ok());
  EXPECT_EQ(a.Commit().code(), Code::kAlreadyExists);
  a.Close();
  EXPECT_EQ(storage_->Get("o").bytes, "first");
  EXPECT_EQ(storage_->Get("p").bytes, "b");
  EXPECT_EQ(Tree(), (Keys{"o", "p"}));
}

TEST_F(FsFileTest, OneOfManyThreadsAndProcessesWinsPutIfAbsent) {
  constexpr int kProcesses = 4, kThreads = 8, kRounds = 10;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      std::atomic<int> wins{0};
      for (int round = 0; round < kRounds; ++round) {
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; ++t) {
          threads.emplace_back([&, t] {
            const std::string mine = std::to_string(p) + "." + std::to_string(t);
            const Status s = storage_->Put("r" + std::to_string(round) + "/o", mine, WALRIG_PUT_IF_ABSENT);
            if (s.ok()) ++wins;
            if (!s.ok() && s.code() != Code::kAlreadyExists) wins += 100;
          });
        }
        for (std::thread& t : threads) t.join();
      }
      ::_exit(wins.load());
    }
    children.push_back(pid);
  }
  int wins = 0;
  for (const pid_t pid : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status));
    wins += WEXITSTATUS(status);
  }
  EXPECT_EQ(wins, kRounds);
  EXPECT_EQ(Tree().size(), 2u * kRounds);
}

TEST_F(FsFileTest, ReadersSeeTheOldOrTheNewObjectNeverAMix) {
  const std::string a(100000, 'a'), b(100000, 'b');
  ASSERT_TRUE(storage_->Put("o", a).ok());
  std::atomic<bool> done{false};
  std::atomic<int> reads{0}, bad{0};
  std::thread reader([&] {
    while (!done.load() || reads.load() < 10) {
      const AbiResult r = storage_->Get("o");
      if (!r.ok() || (r.bytes != a && r.bytes != b)) ++bad;
      ++reads;
    }
  });
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(storage_->Put("o", i % 2 == 0 ? b : a).ok());
  done = true;
  reader.join();
  EXPECT_EQ(bad.load(), 0);
}

TEST_F(FsFileTest, PutSurvivesFoldersThatAreBeingPruned) {
  std::atomic<bool> done{false};
  std::thread pruner([&] {
    while (!done.load()) storage_->Delete({"d/e/other"});
  });
  int failed = 0;
  for (int i = 0; i < 200; ++i) {
    if (!storage_->Put("d/e/o", "x").ok()) ++failed;
    storage_->Delete({"d/e/o"});
  }
  done = true;
  pruner.join();
  EXPECT_EQ(failed, 0);
}

// In a child, for limits are of a process.
TEST_F(FsFileTest, AFileSizeLimitIsTooLargeAndLeavesNothing) {
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{65536, 65536};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const Status status = storage_->Put("d/o", std::string(100000, 'x'));
    ::_exit(status.code() == Code::kTooLarge && Tree().empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
}

TEST_F(FsFileTest, AFullFileSystemIsNoSpaceWithAHintAndLeavesNothing) {
  if (::mount("none", root_.c_str(), "tmpfs", 0, "size=256k") != 0) GTEST_SKIP() << "needs root to mount a tmpfs";
  {
    const AbiPlugin plugin("storage-fs", "fs", Options());
    const Status status = AbiStorage(plugin).Put("d/o", std::string(1 << 20, 'x'));
    EXPECT_EQ(status.code(), Code::kNoSpace) << status.ToString();
    EXPECT_FALSE(status.hint().empty());
    EXPECT_EQ(Tree(), Keys());
  }
  EXPECT_EQ(::umount2(root_.c_str(), MNT_DETACH), 0);
}

TEST_F(FsFileTest, AReadOnlyFileSystemIsReadOnly) {
  if (::mount("none", root_.c_str(), "tmpfs", MS_RDONLY, "size=256k") != 0) GTEST_SKIP() << "needs root to mount";
  {
    const AbiPlugin plugin("storage-fs", "fs", Options());
    EXPECT_EQ(AbiStorage(plugin).Put("d/o", "x").code(), Code::kReadOnly);
    EXPECT_EQ(AbiStorage(plugin).Put("o", "x").code(), Code::kReadOnly);
  }
  EXPECT_EQ(::umount2(root_.c_str(), MNT_DETACH), 0);
}

TEST_F(FsFileTest, ADirectoryWithoutRightsIsPermission) {
  ASSERT_TRUE(storage_->Put("d/o", "x").ok());
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    if (::geteuid() == 0 && (::chmod(base_.c_str(), 0755) != 0 || ::seteuid(65534) != 0)) ::_exit(77);
    if (::geteuid() != 65534 && ::chmod((root_ + "/d").c_str(), 0555) != 0) ::_exit(77);
    const Status status = storage_->Put("d/p", "x");
    ::_exit(status.code() == Code::kPermission && !status.hint().empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  std::filesystem::permissions(root_ + "/d", std::filesystem::perms::owner_all);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "cannot become another user";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace walrig::testing
