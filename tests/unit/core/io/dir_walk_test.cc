#include "core/io/dir_walk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"
#include "tests/support/unprivileged.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;

using Paths = std::vector<std::string>;

class DirWalkTest : public ::testing::Test {
 protected:
  // All paths in the order in which they were shown; `skip` is not descended into.
  Paths Walk(const std::string& root, std::string_view skip = "") {
    Paths paths;
    EXPECT_OK(WalkDirectory(ctx_, root, {}, [&](const WalkEntry& entry) -> Result<WalkAnswer> {
      paths.emplace_back(entry.path);
      return entry.path == skip ? WalkAnswer::kSkip : WalkAnswer::kDescend;
    }));
    return paths;
  }

  test::TempDir dir_;
  test::TestContext ctx_;
};

TEST_F(DirWalkTest, ShowsEverythingInByteOrderDirectoriesFirstThenTheirContent) {
  for (const char* name : {"b/2", "b/1", "a.txt", "Z", "b.c", "\xff", "a", "b/d/e"}) dir_.Write(name, "x");
  dir_.Mkdir("empty");
  EXPECT_EQ(Walk(dir_.path()), (Paths{"Z", "a", "a.txt", "b", "b/1", "b/2", "b/d", "b/d/e", "b.c", "empty", "\xff"}));
}

TEST_F(DirWalkTest, EntriesCarryWhatIsNeededToOpenThem) {
  dir_.Write("sub/f", "content");
  int files = 0;
  EXPECT_OK(WalkDirectory(ctx_, dir_.path(), {}, [&](const WalkEntry& entry) -> Result<WalkAnswer> {
    if (!S_ISREG(entry.info.st_mode)) {
      EXPECT_EQ(entry.depth, 0);
      return WalkAnswer::kDescend;
    }
    ++files;
    EXPECT_EQ(entry.depth, 1);
    EXPECT_STREQ(entry.name, "f");
    EXPECT_EQ(entry.info.st_size, 7);
    Result<Fd> fd = OpenFdAt(entry.dir_fd, entry.name, O_RDONLY);
    EXPECT_OK(fd);
    return WalkAnswer::kDescend;
  }));
  EXPECT_EQ(files, 1);
}

TEST_F(DirWalkTest, SkippedDirectoryIsShownButNotEntered) {
  dir_.Write("a/1", "x");
  dir_.Write("b/1", "x");
  EXPECT_EQ(Walk(dir_.path(), "a"), (Paths{"a", "b", "b/1"}));
}

TEST_F(DirWalkTest, LinksAreShownAndNeverFollowed) {
  dir_.Write("real/f", "x");
  std::filesystem::create_directory_symlink(dir_.File("real"), dir_.File("link"));
  std::filesystem::create_directory_symlink(dir_.path(), dir_.File("real/loop"));
  std::filesystem::create_symlink("nowhere", dir_.File("dangling"));
  EXPECT_EQ(Walk(dir_.path()), (Paths{"dangling", "link", "real", "real/f", "real/loop"}));
}

TEST_F(DirWalkTest, RootMayBeALink) {
  dir_.Write("real/f", "x");
  std::filesystem::create_directory_symlink(dir_.File("real"), dir_.File("link"));
  EXPECT_EQ(Walk(dir_.File("link")), (Paths{"f"}));
}

TEST_F(DirWalkTest, WhatVanishesDuringTheWalkIsLeftOut) {
  for (const char* name : {"a", "b", "c/d", "e"}) dir_.Write(name, "x");
  Paths paths;
  EXPECT_OK(WalkDirectory(ctx_, dir_.path(), {}, [&](const WalkEntry& entry) -> Result<WalkAnswer> {
    paths.emplace_back(entry.path);
    if (entry.path == "a") std::filesystem::remove(dir_.File("b"));
    if (entry.path == "c") std::filesystem::remove_all(dir_.File("c"));
    return WalkAnswer::kDescend;
  }));
  EXPECT_EQ(paths, (Paths{"a", "c", "e"}));
}

TEST_F(DirWalkTest, DirectorySwappedForALinkIsNotFollowed) {
  dir_.Write("outside/secret", "x");
  dir_.Write("root/d/f", "x");
  Paths paths;
  EXPECT_OK(WalkDirectory(ctx_, dir_.File("root"), {}, [&](const WalkEntry& entry) -> Result<WalkAnswer> {
    paths.emplace_back(entry.path);
    std::filesystem::remove_all(dir_.File("root/d"));
    std::filesystem::create_directory_symlink(dir_.File("outside"), dir_.File("root/d"));
    return WalkAnswer::kDescend;
  }));
  EXPECT_EQ(paths, (Paths{"d"}));
}

TEST_F(DirWalkTest, ErrorOfTheVisitorEndsTheWalk) {
  for (const char* name : {"a", "b", "c"}) dir_.Write(name, "x");
  int calls = 0;
  Status status = WalkDirectory(ctx_, dir_.path(), {}, [&](const WalkEntry& entry) -> Result<WalkAnswer> {
    ++calls;
    if (entry.path == "b") return Corruption("enough");
    return WalkAnswer::kDescend;
  });
  EXPECT_THAT(status, HasCode(Code::kCorruption));
  EXPECT_EQ(calls, 2);
}

TEST_F(DirWalkTest, MissingRootAndFilesAreRefused) {
  auto visit = [](const WalkEntry&) -> Result<WalkAnswer> { return WalkAnswer::kDescend; };
  EXPECT_THAT(WalkDirectory(ctx_, dir_.File("none"), {}, visit), HasCode(Code::kNotFound));
  EXPECT_THAT(WalkDirectory(ctx_, dir_.Write("f", "x"), {}, visit), HasCode(Code::kInvalidArgument));
}

TEST_F(DirWalkTest, DirectoryWithoutPermissionIsAnErrorWithItsPath) {
  std::string locked = dir_.Mkdir("locked");
  ASSERT_EQ(::chmod(locked.c_str(), 0), 0);
  auto visit = [](const WalkEntry&) -> Result<WalkAnswer> { return WalkAnswer::kDescend; };
  Status status;
  {
    test::Unprivileged unprivileged(dir_.path());
    status = WalkDirectory(ctx_, dir_.path(), {}, visit);
  }
  ::chmod(locked.c_str(), 0700);
  EXPECT_THAT(status, HasCode(Code::kPermission));
  EXPECT_THAT(status, MessageHas(locked));
}

TEST_F(DirWalkTest, DepthIsBounded) {
  dir_.Mkdir("1/2/3");
  auto visit = [](const WalkEntry&) -> Result<WalkAnswer> { return WalkAnswer::kDescend; };
  EXPECT_OK(WalkDirectory(ctx_, dir_.path(), {.depth_max = 4}, visit));
  Status status = WalkDirectory(ctx_, dir_.path(), {.depth_max = 3}, visit);
  EXPECT_THAT(status, HasCode(Code::kTooLarge));
  EXPECT_THAT(status, MessageHas("nested deeper than 3"));
}

TEST_F(DirWalkTest, LeavesNoDescriptorOpen) {
  dir_.Mkdir("1/2/3");
  auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  auto before = count();
  Walk(dir_.path());
  EXPECT_EQ(count(), before);
}

TEST_F(DirWalkTest, StopsWhenAsked) {
  for (const char* name : {"a", "b"}) dir_.Write(name, "x");
  int calls = 0;
  Status status = WalkDirectory(ctx_, dir_.path(), {}, [&](const WalkEntry&) -> Result<WalkAnswer> {
    ++calls;
    ctx_.stop().RequestStop();
    return WalkAnswer::kDescend;
  });
  EXPECT_THAT(status, HasCode(Code::kCancelled));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace walrig
