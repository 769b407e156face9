#include "core/base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <thread>

#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unprivileged.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOkAndHolds;
using test::MessageHas;
using test::TempDir;

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

struct Pipe {
  Fd read_end;
  Fd write_end;
};
Pipe NewPipe() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  return {Fd(fds[0]), Fd(fds[1])};
}

TEST(FdTest, ClosesWhatItOwnsAndNothingThatItGaveAway) {
  int kept = -1;
  int closed = -1;
  {
    ASSERT_OK_AND_ASSIGN(Fd a, OpenFd("/dev/null", O_RDONLY));
    ASSERT_OK_AND_ASSIGN(Fd b, OpenFd("/dev/null", O_RDONLY));
    closed = a.get();
    kept = b.release();
    EXPECT_FALSE(b.valid());
  }
  EXPECT_FALSE(IsOpen(closed));
  EXPECT_TRUE(IsOpen(kept));
  Fd(kept).reset();
  EXPECT_FALSE(IsOpen(kept));
}

TEST(FdTest, MoveLeavesOneOwner) {
  ASSERT_OK_AND_ASSIGN(Fd a, OpenFd("/dev/null", O_RDONLY));
  ASSERT_OK_AND_ASSIGN(Fd b, OpenFd("/dev/zero", O_RDONLY));
  int first = a.get();
  int second = b.get();
  a = std::move(b);
  EXPECT_EQ(a.get(), second);
  EXPECT_FALSE(IsOpen(first));
  EXPECT_OK(a.Close("zero"));
  EXPECT_FALSE(IsOpen(second));
  EXPECT_FALSE(a.valid());
}

TEST(FdTest, CloseReportsADescriptorThatIsNotOpen) {
  Pipe pipe = NewPipe();
  ::close(pipe.read_end.get());
  EXPECT_FALSE(pipe.read_end.Close("pipe").ok());
  EXPECT_OK(pipe.read_end.Close("pipe"));
}

TEST(OpenFdTest, ChildProcessesDoNotInheritDescriptors) {
  ASSERT_OK_AND_ASSIGN(Fd fd, OpenFd("/dev/null", O_RDONLY));
  EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(OpenFdTest, NamesTheMissingFile) {
  Result<Fd> fd = OpenFd("/nonexistent/file", O_RDONLY);
  EXPECT_THAT(fd, HasCode(Code::kNotFound));
  EXPECT_EQ(fd.status().message(), "open /nonexistent/file: no such file or directory");
}

TEST(OpenFdTest, ForbiddenFileIsPermission) {
  TempDir dir;
  std::string path = dir.Write("secret", "x");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  test::Unprivileged unprivileged(dir.path());
  EXPECT_THAT(OpenFd(path, O_RDONLY), HasCode(Code::kPermission));
}

TEST(WriteAllTest, FullDeviceIsNoSpace) {
  ASSERT_OK_AND_ASSIGN(Fd fd, OpenFd("/dev/full", O_WRONLY));
  Status status = WriteAll(fd.get(), AsBytes("x"), "write /dev/full");
  EXPECT_THAT(status, HasCode(Code::kNoSpace));
  EXPECT_THAT(status, MessageHas("write /dev/full: no space left"));
}

// A pipe of one page makes every write short, a timer that fires all the time interrupts it.
TEST(WriteAllTest, GoesOnAfterShortWritesAndInterruptions) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  struct sigaction old_action = {};
  ASSERT_EQ(::sigaction(SIGALRM, &action, &old_action), 0);
  Pipe pipe = NewPipe();
  ASSERT_GE(::fcntl(pipe.write_end.get(), F_SETPIPE_SZ, 4096), 0);
  std::string sent = test::NumberedBytes(1 << 20);
  std::string received;
  std::thread reader([&] {
    Buffer buffer(1000);
    for (;;) {
      Result<size_t> n = ReadSome(pipe.read_end.get(), buffer.span(), "pipe");
      if (!n.ok() || *n == 0) return;
      received.append(AsText(buffer.first(*n)));
    }
  });
  itimerval timer = {{0, 500}, {0, 500}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &timer, nullptr), 0);
  Status status = WriteAll(pipe.write_end.get(), AsBytes(sent), "pipe");
  timer = {};
  ::setitimer(ITIMER_REAL, &timer, nullptr);
  pipe.write_end.reset();
  reader.join();
  ::sigaction(SIGALRM, &old_action, nullptr);
  EXPECT_OK(status);
  EXPECT_TRUE(received == sent) << "received " << received.size() << " bytes";
}

TEST(ReadFullTest, GathersShortReadsAndStopsAtTheEnd) {
  Pipe pipe = NewPipe();
  std::thread writer([&] {
    for (const char* piece : {"ab", "c", "def"}) EXPECT_OK(WriteAll(pipe.write_end.get(), AsBytes(piece), "pipe"));
    pipe.write_end.reset();
  });
  Buffer buffer(5);
  EXPECT_THAT(ReadFull(pipe.read_end.get(), buffer.span(), "pipe"), IsOkAndHolds(5u));
  EXPECT_EQ(AsText(buffer.first(5)), "abcde");
  EXPECT_THAT(ReadFull(pipe.read_end.get(), buffer.span(), "pipe"), IsOkAndHolds(1u));
  writer.join();
}

TEST(PreadTest, ReadsAndWritesAtAPlaceWithoutMovingThePosition) {
  TempDir dir;
  std::string path = dir.Write("f", "0123456789");
  ASSERT_OK_AND_ASSIGN(Fd fd, OpenFd(path, O_RDWR));
  EXPECT_OK(PwriteAll(fd.get(), AsBytes("XY"), 3, path));
  Buffer buffer(4);
  EXPECT_THAT(PreadFull(fd.get(), buffer.span(), 2, path), IsOkAndHolds(4u));
  EXPECT_EQ(AsText(buffer.first(4)), "2XY5");
  EXPECT_THAT(PreadFull(fd.get(), buffer.span(), 8, path), IsOkAndHolds(2u));
  EXPECT_THAT(PreadSome(fd.get(), buffer.span(), 10, path), IsOkAndHolds(0u));
  EXPECT_EQ(::lseek(fd.get(), 0, SEEK_CUR), 0);
}

TEST(ReadSomeTest, DirectoryIsAnErrorWithTheName) {
  ASSERT_OK_AND_ASSIGN(Fd fd, OpenFd("/", O_RDONLY | O_DIRECTORY));
  Buffer buffer(4);
  Result<size_t> n = ReadSome(fd.get(), buffer.span(), "read /");
  EXPECT_THAT(n, HasCode(Code::kInvalidArgument));
  EXPECT_THAT(n, MessageHas("read /: is a directory"));
}

TEST(FsyncTest, SyncsFilesAndDirectoriesAndNamesWhatIsMissing) {
  TempDir dir;
  std::string path = dir.Write("f", "x");
  ASSERT_OK_AND_ASSIGN(Fd fd, OpenFd(path, O_RDWR));
  EXPECT_OK(FsyncFd(fd.get(), path));
  EXPECT_OK(FsyncDir(dir.path()));
  EXPECT_THAT(FsyncDir(dir.File("none")), HasCode(Code::kNotFound));
  EXPECT_THAT(FsyncFd(-1, "nothing"), MessageHas("sync nothing"));
}

TEST(ReadWholeFileTest, TakesUpToTheLimitAndNoByteMore) {
  TempDir dir;
  std::string path = dir.Write("f", "12345");
  EXPECT_THAT(ReadWholeFile(path, 5), IsOkAndHolds(std::string("12345")));
  EXPECT_THAT(ReadWholeFile(path, UINT64_MAX), IsOkAndHolds(std::string("12345")));
  EXPECT_THAT(ReadWholeFile(path, 4), HasCode(Code::kTooLarge));
  EXPECT_THAT(ReadWholeFile(dir.Write("empty", ""), 0), IsOkAndHolds(std::string()));
}

TEST(ReadWholeFileTest, EndlessFileStopsAtTheLimit) {
  EXPECT_THAT(ReadWholeFile("/dev/zero", 1 << 20), HasCode(Code::kTooLarge));
}

TEST(ReadWholeFileTest, ReadsMoreThanOneBuffer) {
  TempDir dir;
  std::string content = test::NumberedBytes(3 * kIoBufferBytes + 17);
  EXPECT_THAT(ReadWholeFile(dir.Write("f", content), content.size()), IsOkAndHolds(content));
}

}  // namespace
}  // namespace walrig
