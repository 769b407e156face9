#include "core/pgdata/page_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "core/base/checksum.h"
#include "core/base/fd.h"
#include "core/postgres/page.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::HasCode;
using test::TempDir;
using test::TestContext;

constexpr size_t kBlock = kBlockBytesDefault;

// A sound page with this LSN.
std::string MakePage(uint32_t block, uint64_t lsn) {
  std::string page(kBlock, '\x11');
  auto put16 = [&](size_t at, uint16_t value) { std::memcpy(page.data() + at, &value, 2); };
  const uint32_t high = static_cast<uint32_t>(lsn >> 32), low = static_cast<uint32_t>(lsn);
  std::memcpy(page.data(), &high, 4), std::memcpy(page.data() + 4, &low, 4);
  put16(8, 0), put16(10, 0), put16(12, 24), put16(14, 4096), put16(16, kBlock), put16(18, kBlock | 4);
  put16(8, PageChecksum(reinterpret_cast<const uint8_t*>(page.data()), block));
  return page;
}

class PageReaderTest : public ::testing::Test {
 protected:
  Result<RangeOutcome> Read(const std::string& content, uint64_t length, uint64_t offset = 0, uint32_t first_block = 0) {
    const std::string path = dir_.Write("1259", content);
    Result<Fd> fd = OpenFd(path, O_RDONLY);
    EXPECT_OK(fd);
    RangeRead range;
    range.fd = fd->get(), range.path = path, range.offset = offset, range.length = length;
    range.first_block = first_block, range.paged = true;
    Buffer buffer(kIoBufferBytes);
    stored_.clear();
    return ReadRange(test_, range, check_, buffer.span(), limit_, [&](ByteSpan bytes) {
      if (on_chunk_) on_chunk_(path);
      stored_ += AsText(bytes);
      return OkStatus();
    });
  }

  TestContext test_;
  TempDir dir_;
  PageCheck check_{true, Lsn{0x2000000}, kBlock};
  ReadLimit limit_;
  std::function<void(const std::string&)> on_chunk_;
  std::string stored_;
};

TEST_F(PageReaderTest, HandsOnExactlyTheFileAndItsCrc) {
  std::string content;
  for (uint32_t block = 0; block < 40; ++block) content += MakePage(block, 0x1000000);
  ASSERT_OK_AND_ASSIGN(RangeOutcome outcome, Read(content, content.size()));
  EXPECT_EQ(stored_, content);
  EXPECT_EQ(outcome.crc32c, Crc32c(0, AsBytes(content)));
  EXPECT_EQ(outcome.pages_checked, 40u);
  EXPECT_TRUE(outcome.corrupt_blocks.empty());
  EXPECT_EQ(outcome.padded_bytes, 0u);
}

TEST_F(PageReaderTest, CutsAFileThatHasGrown) {
  const std::string page = MakePage(0, 0x1000000);
  ASSERT_OK_AND_ASSIGN(RangeOutcome outcome, Read(page + MakePage(1, 0x1000000), kBlock));
  EXPECT_EQ(stored_, page);
  EXPECT_EQ(outcome.crc32c, Crc32c(0, AsBytes(page)));
}

TEST_F(PageReaderTest, FillsAShrunkenFileWithZerosAndTakesTheCrcOfWhatIsStored) {
  const std::string page = MakePage(0, 0x1000000);
  ASSERT_OK_AND_ASSIGN(RangeOutcome outcome, Read(page, 40 * kBlock));
  const std::string expected = page + std::string(39 * kBlock, '\0');
  EXPECT_EQ(stored_, expected);
  EXPECT_EQ(outcome.padded_bytes, 39 * kBlock);
  EXPECT_EQ(outcome.crc32c, Crc32c(0, AsBytes(expected)));
  EXPECT_TRUE(outcome.corrupt_blocks.empty());
}

TEST_F(PageReaderTest, ReportsACorruptPageByItsNumberInTheFile) {
  std::string content;
  for (uint32_t block = 0; block < 20; ++block) content += MakePage(block + 131072, 0x1000000);
  content[17 * kBlock + 5000] ^= 1;
  ASSERT_OK_AND_ASSIGN(RangeOutcome outcome, Read(content, content.size(), 0, 131072));
  EXPECT_EQ(outcome.corrupt_blocks, std::vector<uint32_t>{17});
  EXPECT_EQ(stored_, content) << "a corrupt page is stored as it is";
}

TEST_F(PageReaderTest, DoesNotJudgeAPageChangedSinceTheBackupBegan) {
  std::string content = MakePage(0, 0x2000000) + MakePage(1, 0x1FFFFFF);
  content[5000] ^= 1;
  content[kBlock + 5000] ^= 1;
  ASSERT_OK_AND_ASSIGN(RangeOutcome outcome, Read(content, content.size()));
  EXPECT_EQ(outcome.corrupt_blocks, std::vector<uint32_t>{1});
}

// The reader pauses between its attempts; the clock that sleeps stands for the server that ends its write.
class MendingClock final : public Clock {
 public:
  MendingClock(std::string path, std::string good) : path_(std::move(path)), good_(std::move(good)) {}
  int64_t WallNs() const override { return 0; }
  uint64_t MonotonicNs() const override { return 1; }
  void SleepNs(uint64_t, int) override {
    Result<Fd> fd = OpenFd(path_, O_WRONLY);
    ASSERT_OK(fd);
    EXPECT_OK(PwriteAll(fd->get(), AsBytes(good_), 0, path_));
  }

 private:
  const std::string path_, good_;
};

TEST_F(PageReaderTest, ReadsATornPageAgainAndStoresTheGoodCopy) {
  const std::string good = MakePage(0, 0x1000000);
  std::string torn = good;
  torn[5000] ^= 1;
  MendingClock clock(dir_.File("1259"), good);
  test_.mutable_ctx().clock = &clock;
  ASSERT_OK_AND_ASSIGN(RangeOutcome outcome, Read(torn, kBlock));
  EXPECT_TRUE(outcome.corrupt_blocks.empty());
  EXPECT_EQ(stored_, good);
  EXPECT_EQ(outcome.crc32c, Crc32c(0, AsBytes(good)));
}

TEST_F(PageReaderTest, LooksAtNoPageWhenTheCheckIsOff) {
  check_.enabled = false;
  ASSERT_OK_AND_ASSIGN(RangeOutcome outcome, Read(std::string(kBlock, 'x'), kBlock));
  EXPECT_EQ(outcome.pages_checked, 0u);
  EXPECT_TRUE(outcome.corrupt_blocks.empty());
}

TEST_F(PageReaderTest, AsksTheLimitForEveryByte) {
  uint64_t asked = 0;
  limit_ = [&](const Context&, uint64_t bytes) { return asked += bytes, OkStatus(); };
  check_.enabled = false;
  ASSERT_OK(Read(std::string(300000, 'x'), 300000));
  EXPECT_EQ(asked, 300000u);
}

TEST_F(PageReaderTest, EndsWhenStopped) {
  on_chunk_ = [this](const std::string&) { test_.stop().RequestStop(); };
  check_.enabled = false;
  EXPECT_THAT(Read(std::string(300000, 'x'), 300000), HasCode(Code::kCancelled));
}

}  // namespace
}  // namespace walrig
