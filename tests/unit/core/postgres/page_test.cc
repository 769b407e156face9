#include "core/postgres/page.h"

#include <gmock/gmock.h>

#include <cstring>
#include <string>

#include "core/base/random.h"
#include "tests/support/test_data.h"

namespace walrig {
namespace {

using test::TestData;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint32_t kBlock = 3;

std::vector<uint8_t> RealPage() {
  const std::string text = TestData("postgres/pg15_1249_block3.page");
  return {text.begin(), text.end()};
}

void Append(std::vector<uint8_t>* pages, const std::vector<uint8_t>& page) {
  pages->insert(pages->end(), page.begin(), page.end());
}

void Seal(std::vector<uint8_t>* page, uint32_t block) {
  const uint16_t checksum = PageChecksum(*page, block);
  (*page)[8] = static_cast<uint8_t>(checksum);
  (*page)[9] = static_cast<uint8_t>(checksum >> 8);
}

std::vector<uint8_t> RandomPage(size_t bytes, uint64_t seed) {
  Random random(seed);
  std::vector<uint8_t> page(bytes);
  for (uint8_t& byte : page) byte = static_cast<uint8_t>(random.Next());
  page[14] |= 1;  // pd_upper: not new
  return page;
}

TEST(PageTest, AgreesWithPostgresOnRealPages) {
  const std::vector<uint8_t> page = RealPage();
  ASSERT_EQ(page.size(), kBlockBytesDefault);
  EXPECT_EQ(PageChecksum(page.data(), kBlock), ReadPageHeader(page.data()).checksum);
  EXPECT_EQ(CheckPage(page, kBlock), PageState::kSound);
  EXPECT_EQ(CheckPage(page, kBlock + 1), PageState::kBadChecksum);
  const std::string other = TestData("postgres/pg15_1255_block10.page");
  EXPECT_EQ(CheckPage(AsBytes(other), 10), PageState::kSound);
}

TEST(PageTest, EveryBuildGivesTheSameChecksums) {
  for (size_t block_bytes : {size_t{1024}, size_t{8192}, size_t{32768}}) {
    const std::vector<uint8_t> pages = RandomPage(block_bytes * 7, block_bytes);
    std::vector<uint16_t> portable(7);
    PageChecksums(PageChecksumCode::kPortable, pages, 41, block_bytes, portable.data());
    for (PageChecksumCode code : {PageChecksumCode::kAvx2, PageChecksumCode::kAvx512}) {
      if (!PageChecksumCodeRuns(code)) continue;
      std::vector<uint16_t> wide(7);
      PageChecksums(code, pages, 41, block_bytes, wide.data());
      EXPECT_EQ(wide, portable);
    }
    for (size_t i = 0; i < 7; ++i) {
      EXPECT_EQ(PageChecksum(ByteSpan(pages).subspan(i * block_bytes, block_bytes), 41 + static_cast<uint32_t>(i)), portable[i]);
    }
  }
}

TEST(PageTest, WorksAtAnyAlignment) {
  const std::vector<uint8_t> page = RealPage();
  for (size_t shift : {1u, 3u, 17u}) {
    std::vector<uint8_t> shifted(page.size() + shift);
    std::memcpy(shifted.data() + shift, page.data(), page.size());
    EXPECT_EQ(PageChecksum(shifted.data() + shift, kBlock), ReadPageHeader(page.data()).checksum);
  }
}

TEST(PageTest, FindsAFlippedBitAnywhere) {
  std::vector<uint8_t> page = RealPage();
  for (size_t i = 0; i < page.size(); i += 13) {
    page[i] ^= 4;
    EXPECT_EQ(CheckPage(page, kBlock), PageState::kBadChecksum) << i;
    page[i] ^= 4;
  }
}

TEST(PageTest, KnowsNewPages) {
  std::vector<uint8_t> page(kBlockBytesDefault);
  EXPECT_EQ(CheckPage(page, 0), PageState::kNew);
  page.back() = 1;
  EXPECT_EQ(CheckPage(page, 0), PageState::kNotZeroNew);
  page.back() = 0;
  page[0] = 1;
  EXPECT_EQ(CheckPage(page, 0), PageState::kNotZeroNew);
}

TEST(PageTest, ReportsBadPagesInOrderWithAbsoluteNumbers) {
  const std::vector<uint8_t> zero(kBlockBytesDefault);
  std::vector<uint8_t> dirty_new = zero;
  dirty_new[100] = 1;
  std::vector<uint8_t> pages;
  for (uint32_t block = 200; block < 209; ++block) {
    std::vector<uint8_t> page = RandomPage(kBlockBytesDefault, block);
    Seal(&page, block);
    if (block == 201 || block == 206 || block == 208) page[5000] ^= 1;
    if (block == 203) page = zero;
    if (block == 205) page = dirty_new;
    Append(&pages, page);
  }
  std::vector<uint32_t> bad = {7};
  EXPECT_EQ(CheckPages(pages, 200, kBlockBytesDefault, &bad), 4u);
  EXPECT_THAT(bad, ElementsAre(7, 201, 205, 206, 208));
  EXPECT_EQ(CheckPages(pages, 200, kBlockBytesDefault, nullptr), 4u);
}

TEST(PageTest, LeavesPagesChangedSinceTheBackupBeganUnjudged) {
  std::vector<uint8_t> page = RealPage();
  page[6000] ^= 1;
  const Lsn lsn = ReadPageHeader(page.data()).lsn;
  std::vector<uint32_t> bad;
  EXPECT_EQ(CheckPages(page, kBlock, kBlockBytesDefault, &bad, lsn), 0u);
  EXPECT_EQ(CheckPages(page, kBlock, kBlockBytesDefault, &bad, Lsn{lsn.value + 1}), 1u);
}

TEST(PageTest, IgnoresAShortPageAtTheEnd) {
  std::vector<uint8_t> pages = RealPage();
  pages.resize(pages.size() + 4096, 0xFF);
  std::vector<uint32_t> bad;
  EXPECT_EQ(CheckPages(pages, kBlock, kBlockBytesDefault, &bad), 0u);
  EXPECT_EQ(CheckPages({}, 0, kBlockBytesDefault, &bad), 0u);
  EXPECT_THAT(bad, IsEmpty());
}

TEST(PageTest, JudgesHeaders) {
  const std::vector<uint8_t> page = RealPage();
  const PageHeader good = ReadPageHeader(page.data());
  EXPECT_TRUE(PageHeaderIsSane(good, kBlockBytesDefault));
  EXPECT_FALSE(PageHeaderIsSane(good, 4096));
  PageHeader bad = good;
  bad.flags = 8;
  EXPECT_FALSE(PageHeaderIsSane(bad, kBlockBytesDefault));
  bad = good, bad.lower = 23;
  EXPECT_FALSE(PageHeaderIsSane(bad, kBlockBytesDefault));
  bad = good, bad.lower = static_cast<uint16_t>(bad.upper + 1);
  EXPECT_FALSE(PageHeaderIsSane(bad, kBlockBytesDefault));
  bad = good, bad.special = 8193;
  EXPECT_FALSE(PageHeaderIsSane(bad, kBlockBytesDefault));
  bad = good, bad.lsn = Lsn{};
  EXPECT_FALSE(PageHeaderIsSane(bad, kBlockBytesDefault));
}

}  // namespace
}  // namespace walrig
