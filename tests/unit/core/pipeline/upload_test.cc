#include "core/pipeline/upload.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/fd.h"
#include "core/io/memory.h"
#include "core/pipeline/download.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/fake_codec.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

class UploadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(Path(), std::ios::binary) << content_;
    Result<Fd> fd = OpenFd(Path(), O_RDONLY);
    ASSERT_OK(fd);
    fd_ = std::move(*fd);
  }
  std::string Path() const { return std::string(dir_.path()) + "/file"; }
  FileRange Range(uint64_t offset, uint64_t length) const { return {fd_.get(), offset, length, "file"}; }

  const std::string content_ = NumberedBytes(1'000'000);
  TempDir dir_;
  Fd fd_;
  TestContext ctx_;
  MemoryStorage storage_;
  FakeCompressor compressor_;
  FakeCipher cipher_;
};

TEST_F(UploadTest, PutsAFileInSlicesThatReadBackAsOne) {
  FakeCompressor alone(false);
  for (Codec codec : {Codec{}, Codec{&compressor_, nullptr}, Codec{&alone, nullptr}, Codec{&compressor_, &cipher_}}) {
    for (size_t workers : {1u, 2u, 5u}) {
      ASSERT_OK_AND_ASSIGN(const ObjectStats stats,
                           PutEncodedFile(ctx_, storage_, "o", codec, Range(0, content_.size()),
                                          {.workers = workers, .slice_bytes = 100'001}));
      EXPECT_EQ(stats.plain_bytes, content_.size());
      ASSERT_OK_AND_ASSIGN(const std::string plain, ReadDecoded(ctx_, storage_, "o", codec, 10 << 20));
      EXPECT_TRUE(plain == content_);
    }
  }
}

TEST_F(UploadTest, PutsARangeOfAFile) {
  ASSERT_OK(PutEncodedFile(ctx_, storage_, "o", {}, Range(10, 500'000), {.workers = 2, .slice_bytes = 4096}));
  EXPECT_THAT(ReadObject(ctx_, storage_, "o", 10 << 20), IsOkAndHolds(content_.substr(10, 500'000)));
}

TEST_F(UploadTest, PutsAnEmptyFileAsAnEmptyStream) {
  const Codec codec{&compressor_, nullptr};
  ASSERT_OK(PutEncodedFile(ctx_, storage_, "o", codec, Range(0, 0)));
  EXPECT_THAT(ReadDecoded(ctx_, storage_, "o", codec, 10), IsOkAndHolds(""));
}

TEST_F(UploadTest, CallsAFileTruncatedThatIsShorterThanPromised) {
  const auto stats = PutEncodedFile(ctx_, storage_, "o", {}, Range(0, content_.size() + 1), {.workers = 2});
  EXPECT_THAT(stats, HasCode(Code::kTruncated));
  EXPECT_THAT(Exists(ctx_, storage_, "o"), IsOkAndHolds(false));
}

TEST_F(UploadTest, RefusesRangesThatCannotBe) {
  EXPECT_THAT(PutEncodedFile(ctx_, storage_, "o", {}, Range(5, UINT64_MAX)), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(PutEncodedFile(ctx_, storage_, "o", {}, Range(0, 5), {.slice_bytes = 0}), HasCode(Code::kInvalidArgument));
}

TEST_F(UploadTest, LeavesNothingWhenTheSourceFails) {
  FailingSource source(content_, IoError("bad sector"));
  EXPECT_THAT(PutEncoded(ctx_, storage_, "o", {&compressor_, nullptr}, source), MessageHas("bad sector"));
  EXPECT_THAT(Exists(ctx_, storage_, "o"), IsOkAndHolds(false));
}

TEST_F(UploadTest, PassesPutIfAbsentOn) {
  ASSERT_OK(WriteObject(ctx_, storage_, "o", "first"));
  MemorySource source("second");
  const PutEncodedOptions options{.put = {.only_if_absent = true}};
  EXPECT_THAT(PutEncoded(ctx_, storage_, "o", {}, source, options), HasCode(Code::kAlreadyExists));
  EXPECT_THAT(ReadObject(ctx_, storage_, "o", 10), IsOkAndHolds("first"));
}

TEST_F(UploadTest, FailsOrIsWholeWhicheverStorageCallFails) {
  FaultyStorage faulty(storage_);
  const Codec codec{&compressor_, &cipher_};
  for (uint64_t n = 1;; n++) {
    faulty.Set({.fail_from = n});
    const auto stats = PutEncodedFile(ctx_, faulty, "o", codec, Range(0, content_.size()),
                                      {.workers = 2, .slice_bytes = 200'000});
    if (faulty.failed() == 0) {
      EXPECT_OK(stats);
      EXPECT_GT(n, 5u);
      break;
    }
    EXPECT_THAT(stats, HasCode(Code::kIoError)) << n;
    EXPECT_THAT(Exists(ctx_, storage_, "o"), IsOkAndHolds(false)) << n;
  }
}

}  // namespace
}  // namespace walrig::test
