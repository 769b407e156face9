#include "core/io/file_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::Drain;
using test::HasCode;
using test::IsOkAndHolds;
using test::MessageHas;

class FileSourceTest : public ::testing::Test {
 protected:
  test::TempDir dir_;
  test::TestContext ctx_;
};

TEST_F(FileSourceTest, ReadsTheWholeFileOrARange) {
  std::string content = test::NumberedBytes(100'000);
  std::string path = dir_.Write("f", content);
  ASSERT_OK_AND_ASSIGN(auto whole, FileSource::Open(path));
  EXPECT_THAT(Drain(ctx_, *whole), IsOkAndHolds(content));
  EXPECT_EQ(whole->position(), content.size());
  ASSERT_OK_AND_ASSIGN(auto range, FileSource::Open(path, 1000, 50'000));
  EXPECT_THAT(Drain(ctx_, *range, 333), IsOkAndHolds(content.substr(1000, 50'000)));
  EXPECT_EQ(range->position(), 50'000u);
  EXPECT_THAT(range->SizeNow(), IsOkAndHolds(uint64_t{100'000}));
}

TEST_F(FileSourceTest, RangeBeyondTheEndIsCutAndFarBeyondIsEmpty) {
  std::string path = dir_.Write("f", "12345");
  ASSERT_OK_AND_ASSIGN(auto tail, FileSource::Open(path, 3, 100));
  EXPECT_THAT(Drain(ctx_, *tail), IsOkAndHolds(std::string("45")));
  for (uint64_t offset : {uint64_t{5}, uint64_t{6}, uint64_t{1} << 40, UINT64_MAX}) {
    ASSERT_OK_AND_ASSIGN(auto none, FileSource::Open(path, offset));
    EXPECT_THAT(Drain(ctx_, *none), IsOkAndHolds(std::string())) << offset;
  }
}

TEST_F(FileSourceTest, FileThatShrinksWhileReadEndsEarlyAndShowsIt) {
  std::string path = dir_.Write("f", std::string(10'000, 'x'));
  ASSERT_OK_AND_ASSIGN(auto source, FileSource::Open(path, 0, 10'000));
  Buffer buffer(4000);
  EXPECT_THAT(source->Read(ctx_, buffer.span()), IsOkAndHolds(size_t{4000}));
  ASSERT_EQ(::truncate(path.c_str(), 5000), 0);
  EXPECT_THAT(Drain(ctx_, *source), IsOkAndHolds(std::string(1000, 'x')));
  EXPECT_EQ(source->position(), 5000u);
  EXPECT_THAT(source->SizeNow(), IsOkAndHolds(uint64_t{5000}));
}

TEST_F(FileSourceTest, FileThatGrowsIsReadUpToTheRangeAskedFor) {
  std::string path = dir_.Write("f", "12345");
  ASSERT_OK_AND_ASSIGN(auto source, FileSource::Open(path, 0, 5));
  dir_.Write("f", "1234567890");
  EXPECT_THAT(Drain(ctx_, *source), IsOkAndHolds(std::string("12345")));
}

TEST_F(FileSourceTest, ReadsAFileThatWasRemovedMeanwhile) {
  std::string path = dir_.Write("f", "12345");
  ASSERT_OK_AND_ASSIGN(auto source, FileSource::Open(path));
  ASSERT_EQ(::unlink(path.c_str()), 0);
  EXPECT_THAT(Drain(ctx_, *source), IsOkAndHolds(std::string("12345")));
}

TEST_F(FileSourceTest, MissingFilesAndDirectoriesAreRefusedByName) {
  EXPECT_THAT(FileSource::Open(dir_.File("none")), HasCode(Code::kNotFound));
  EXPECT_THAT(FileSource::Open(dir_.path()), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(FileSource::Open(dir_.path()), MessageHas(dir_.path() + " is a directory"));
}

TEST_F(FileSourceTest, ErrorOfAReadNamesTheFile) {
  ASSERT_OK_AND_ASSIGN(Fd write_only, OpenFd(dir_.Write("f", "x"), O_WRONLY));
  auto source = FileSource::Adopt(std::move(write_only), "the file");
  EXPECT_THAT(Drain(ctx_, *source), MessageHas("the file: read: "));
}

TEST_F(FileSourceTest, StopsWhenAsked) {
  ASSERT_OK_AND_ASSIGN(auto source, FileSource::Open(dir_.Write("f", "x")));
  ctx_.stop().RequestStop();
  EXPECT_THAT(Drain(ctx_, *source), HasCode(Code::kCancelled));
}

}  // namespace
}  // namespace walrig
