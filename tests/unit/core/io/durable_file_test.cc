#include "core/io/durable_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"
#include "tests/support/unprivileged.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;

using Names = std::set<std::string>;

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

class DurableFileTest : public ::testing::Test {
 protected:
  test::TempDir dir_;
  test::TestContext ctx_;
};

TEST_F(DurableFileTest, NothingHasTheNameBeforeCommitAndEverythingAfter) {
  std::string path = dir_.File("f");
  ASSERT_OK_AND_ASSIGN(auto file, DurableFile::Create(path, {.mode = 0640}));
  ASSERT_OK(file->Write(ctx_, AsBytes("half")));
  EXPECT_FALSE(dir_.Exists("f"));
  ASSERT_OK(file->Write(ctx_, AsBytes(" and half")));
  ASSERT_OK(file->Commit(ctx_));
  EXPECT_EQ(dir_.Read("f"), "half and half");
  EXPECT_EQ(file->bytes(), 13u);
  EXPECT_EQ(dir_.Names(), Names{"f"});
  EXPECT_EQ(ModeOf(path), 0640u);
}

TEST_F(DurableFileTest, ModeIsExactWhateverTheUmask) {
  mode_t old = ::umask(0077);
  Status status = WriteFileDurably(ctx_, dir_.File("f"), "x", {.mode = 0664});
  ::umask(old);
  EXPECT_OK(status);
  EXPECT_EQ(ModeOf(dir_.File("f")), 0664u);
}

TEST_F(DurableFileTest, AbortAndDestructionLeaveNothingAndTouchNoExistingFile) {
  std::string path = dir_.Write("f", "old");
  {
    ASSERT_OK_AND_ASSIGN(auto aborted, DurableFile::Create(path));
    ASSERT_OK(aborted->Write(ctx_, AsBytes("new")));
    aborted->Abort();
    aborted->Abort();
    EXPECT_EQ(dir_.Names(), Names{"f"});
    EXPECT_THAT(aborted->Write(ctx_, AsBytes("x")), HasCode(Code::kInternal));
    EXPECT_THAT(aborted->Commit(ctx_), HasCode(Code::kInternal));
    ASSERT_OK_AND_ASSIGN(auto forgotten, DurableFile::Create(path));
    ASSERT_OK(forgotten->Write(ctx_, AsBytes("new")));
  }
  EXPECT_EQ(dir_.Names(), Names{"f"});
  EXPECT_EQ(dir_.Read("f"), "old");
}

TEST_F(DurableFileTest, AbortAfterCommitKeepsTheFile) {
  ASSERT_OK_AND_ASSIGN(auto file, DurableFile::Create(dir_.File("f")));
  ASSERT_OK(file->Commit(ctx_));
  file->Abort();
  EXPECT_EQ(dir_.Names(), Names{"f"});
}

TEST_F(DurableFileTest, ReplacesByDefault) {
  ASSERT_OK(WriteFileDurably(ctx_, dir_.Write("f", "old and longer"), "new"));
  EXPECT_EQ(dir_.Read("f"), "new");
}

TEST_F(DurableFileTest, WithoutReplaceATakenNameIsRefusedAtOnce) {
  std::string path = dir_.Write("f", "old");
  EXPECT_THAT(DurableFile::Create(path, {.replace = false}), HasCode(Code::kAlreadyExists));
  EXPECT_EQ(dir_.Names(), Names{"f"});
}

TEST_F(DurableFileTest, WithoutReplaceADanglingLinkIsATakenName) {
  ASSERT_EQ(::symlink("nowhere", dir_.File("f").c_str()), 0);
  EXPECT_THAT(DurableFile::Create(dir_.File("f"), {.replace = false}), HasCode(Code::kAlreadyExists));
}

TEST_F(DurableFileTest, WithoutReplaceTheLaterCommitLosesAndTheFirstFileStays) {
  std::string path = dir_.File("f");
  ASSERT_OK_AND_ASSIGN(auto first, DurableFile::Create(path, {.replace = false}));
  ASSERT_OK_AND_ASSIGN(auto second, DurableFile::Create(path, {.replace = false}));
  ASSERT_OK(first->Write(ctx_, AsBytes("first")));
  ASSERT_OK(second->Write(ctx_, AsBytes("second")));
  ASSERT_OK(second->Commit(ctx_));
  Status lost = first->Commit(ctx_);
  EXPECT_THAT(lost, HasCode(Code::kAlreadyExists));
  EXPECT_THAT(lost, MessageHas(path));
  EXPECT_EQ(dir_.Read("f"), "second");
  EXPECT_EQ(dir_.Names(), Names{"f"});
}

TEST_F(DurableFileTest, OfManyThreadsExactlyOneWinsWithoutReplace) {
  std::atomic<int> won{0};
  std::atomic<int> lost{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        Status status =
            WriteFileDurably(ctx_, dir_.File("f"), std::string(1000, static_cast<char>('a' + i)), {.replace = false});
        if (status.ok()) ++won;
        if (status.code() == Code::kAlreadyExists) ++lost;
      });
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
  std::string content = dir_.Read("f");
  EXPECT_EQ(content, std::string(1000, content[0]));
  EXPECT_EQ(dir_.Names(), Names{"f"});
}

TEST_F(DurableFileTest, TakesTheLongestNameAndRefusesALongerOne) {
  std::string longest(255, 'n');
  EXPECT_OK(WriteFileDurably(ctx_, dir_.File(longest), "x"));
  EXPECT_THAT(DurableFile::Create(dir_.File(longest + "n")), HasCode(Code::kNameInvalid));
  EXPECT_EQ(dir_.Names(), Names{longest});
}

TEST_F(DurableFileTest, RefusesWhatIsNoFileName) {
  for (const std::string& path : {std::string(), dir_.path() + "/", dir_.path() + "/..", std::string(".")}) {
    EXPECT_THAT(DurableFile::Create(path), HasCode(Code::kInvalidArgument)) << path;
  }
}

TEST_F(DurableFileTest, MissingDirectoryIsNotFound) {
  EXPECT_THAT(DurableFile::Create(dir_.File("none/f")), HasCode(Code::kNotFound));
}

TEST_F(DurableFileTest, DirectoryUnderTheNameMakesCommitFailCleanly) {
  dir_.Mkdir("f");
  ASSERT_OK_AND_ASSIGN(auto file, DurableFile::Create(dir_.File("f")));
  EXPECT_THAT(file->Commit(ctx_), HasCode(Code::kInvalidArgument));
  EXPECT_EQ(dir_.Names(), Names{"f"});
}

TEST_F(DurableFileTest, ReadOnlyDirectoryIsPermission) {
  std::string locked = dir_.Mkdir("locked");
  ASSERT_EQ(::chmod(locked.c_str(), 0500), 0);
  {
    ASSERT_EQ(::chmod(dir_.path().c_str(), 0755), 0);
    test::Unprivileged unprivileged(locked);
    EXPECT_THAT(DurableFile::Create(locked + "/f"), HasCode(Code::kPermission));
  }
  ::chmod(locked.c_str(), 0700);
}

TEST_F(DurableFileTest, WriteBeyondWhatTheDiskTakesFailsAndLeavesNothing) {
  rlimit old = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = {100'000, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  Status status = WriteFileDurably(ctx_, dir_.File("f"), std::string(200'000, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &old);
  ::signal(SIGXFSZ, old_handler);
  EXPECT_THAT(status, HasCode(Code::kTooLarge));
  EXPECT_THAT(status, MessageHas(dir_.File("f")));
  EXPECT_EQ(dir_.Names(), Names{});
}

TEST_F(DurableFileTest, WritesMoreThanOneWriteBackStep) {
  std::string content = test::NumberedBytes(20u << 20);
  ASSERT_OK_AND_ASSIGN(auto file, DurableFile::Create(dir_.File("f")));
  for (size_t at = 0; at < content.size(); at += 3'000'001) {
    ASSERT_OK(file->Write(ctx_, AsBytes(std::string_view(content).substr(at, 3'000'001))));
  }
  ASSERT_OK(file->Commit(ctx_));
  EXPECT_TRUE(dir_.Read("f") == content);
}

// The system as it is on file systems that have no files without a name, for one thread and until it ends.
void ForbidUnnamedFiles() {
  constexpr uint32_t kUnnamed = O_TMPFILE & ~O_DIRECTORY;
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kUnnamed, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program = {sizeof code / sizeof code[0], code};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST_F(DurableFileTest, WhoIsKilledLeavesNothing) {
  Fd unnamed(::open(dir_.path().c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (!unnamed.valid()) GTEST_SKIP() << "the file system of " << dir_.path() << " has no files without a name";
  for (const bool replace : {true, false}) {
    ASSERT_OK_AND_ASSIGN(auto file, DurableFile::Create(dir_.File("f"), {.replace = replace}));
    ASSERT_OK(file->Write(ctx_, AsBytes("half")));
    EXPECT_EQ(dir_.Names(), Names{});
  }
}

TEST_F(DurableFileTest, WithoutUnnamedFilesItIsWrittenUnderATemporaryName) {
  std::jthread([&] {
    ForbidUnnamedFiles();
    for (const bool replace : {false, true}) {
      ASSERT_OK_AND_ASSIGN(auto file, DurableFile::Create(dir_.File(replace ? "g" : "f"), {.replace = replace}));
      ASSERT_OK(file->Write(ctx_, AsBytes("whole")));
      EXPECT_EQ(dir_.Names().size(), replace ? 2u : 1u);
      ASSERT_OK(file->Commit(ctx_));
    }
    EXPECT_EQ(dir_.Names(), (Names{"f", "g"}));
    ASSERT_OK(WriteFileDurably(ctx_, dir_.File("f"), "replaced"));
    ASSERT_OK_AND_ASSIGN(auto late, DurableFile::Create(dir_.File("h"), {.replace = false}));
    ASSERT_OK(WriteFileDurably(ctx_, dir_.File("h"), "first"));
    EXPECT_THAT(late->Commit(ctx_), HasCode(Code::kAlreadyExists));
    ASSERT_OK_AND_ASSIGN(auto forgotten, DurableFile::Create(dir_.File("i")));
  }).join();
  EXPECT_EQ(dir_.Names(), (Names{"f", "g", "h"}));
  EXPECT_EQ(dir_.Read("f"), "replaced");
  EXPECT_EQ(dir_.Read("h"), "first");
}

TEST_F(DurableFileTest, RootGivesTheFileToTheOwnerOfItsDirectoryWhenAsked) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(::chown(dir_.path().c_str(), 1234, 2345), 0);
  ASSERT_OK(WriteFileDurably(ctx_, dir_.File("given"), "x", {.mode = 0600, .owner_of_folder = true}));
  ASSERT_OK(WriteFileDurably(ctx_, dir_.File("kept"), "x"));
  struct stat given = {}, kept = {};
  ASSERT_EQ(::stat(dir_.File("given").c_str(), &given), 0);
  ASSERT_EQ(::stat(dir_.File("kept").c_str(), &kept), 0);
  EXPECT_EQ(given.st_uid, 1234u);
  EXPECT_EQ(given.st_gid, 2345u);
  EXPECT_EQ(given.st_mode & 07777, 0600u);
  EXPECT_EQ(kept.st_uid, 0u);
}

TEST_F(DurableFileTest, StopIsNoticedBeforeAnythingBecomesVisible) {
  ASSERT_OK_AND_ASSIGN(auto file, DurableFile::Create(dir_.File("f")));
  ASSERT_OK(file->Write(ctx_, AsBytes("x")));
  ctx_.stop().RequestStop();
  EXPECT_THAT(file->Write(ctx_, AsBytes("x")), HasCode(Code::kCancelled));
  EXPECT_THAT(file->Commit(ctx_), HasCode(Code::kCancelled));
  file.reset();
  EXPECT_EQ(dir_.Names(), Names{});
}

}  // namespace
}  // namespace walrig
