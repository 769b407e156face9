#include "core/postgres/wal_page.h"

#include <gmock/gmock.h>

#include <string>

#include "core/base/string_util.h"
#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;

// First 40 bytes of real segments.
constexpr char kPg13[] = "06d107000100000000006000000000002b00000000000000e9fb2d92ad73046b0000100000200000";
constexpr char kPg15[] = "10d10600010000000000600100000000000000000000000055b7bdcfcf6d046b0000100000200000";
constexpr char kPg17[] = "16d1020001000000000000010000000000000000000000004c45bfbdc673046b0000000100200000";
constexpr char kPg18[] = "18d10700010000000000600000000000e817000000000000b9a9f5b3d573046b0000100000200000";
// 00000002000000000000001D: begins with a copy of timeline 1.
constexpr char kAfterSwitch[] = "10d10600010000000000d0010000000000000000000000004374575e1a73046b0000100000200000";

std::string Bytes(const char* hex) { return *HexDecode(hex); }

TEST(WalPageTest, ReadsRealSegments) {
  for (const auto& [hex, major] : {std::pair{kPg13, 13}, {kPg15, 15}, {kPg18, 18}}) {
    ASSERT_OK_AND_ASSIGN(WalLongHeader header, ParseWalLongHeader(AsBytes(Bytes(hex))));
    EXPECT_EQ(header.major, major);
    EXPECT_EQ(header.segment_bytes, 1u << 20);
    EXPECT_EQ(header.block_bytes, 8192u);
  }
  ASSERT_OK_AND_ASSIGN(WalLongHeader header, ParseWalLongHeader(AsBytes(Bytes(kPg17))));
  EXPECT_EQ(header.major, 17);
  EXPECT_EQ(header.segment_bytes, 16u << 20);
  EXPECT_EQ(header.page_address.value, 0x1000000u);
}

TEST(WalPageTest, AcceptsTheSegmentUnderItsName) {
  ASSERT_OK_AND_ASSIGN(WalLongHeader header, ParseWalLongHeader(AsBytes(Bytes(kPg15))));
  EXPECT_OK(CheckWalHeader(header, {.name = {1, 0, 0x16}, .system_identifier = 7711409201276106581u,
                                    .segment_bytes = 1u << 20, .major = 15}));
  EXPECT_OK(CheckWalHeader(header, {.name = {1, 0, 0x16}}));
}

TEST(WalPageTest, AcceptsAnOlderTimelineAfterASwitchAndNoNewerOne) {
  ASSERT_OK_AND_ASSIGN(WalLongHeader header, ParseWalLongHeader(AsBytes(Bytes(kAfterSwitch))));
  EXPECT_EQ(header.timeline, 1u);
  EXPECT_OK(CheckWalHeader(header, {.name = {2, 0, 0x1D}}));
  header.timeline = 3;
  EXPECT_THAT(CheckWalHeader(header, {.name = {2, 0, 0x1D}}), HasCode(Code::kCorruption));
}

TEST(WalPageTest, RefusesTheWrongSegmentClusterSizeOrMajor) {
  ASSERT_OK_AND_ASSIGN(WalLongHeader header, ParseWalLongHeader(AsBytes(Bytes(kPg15))));
  EXPECT_THAT(CheckWalHeader(header, {.name = {1, 0, 0x17}}), HasCode(Code::kCorruption));
  EXPECT_THAT(CheckWalHeader(header, {.name = {1, 0, 0x17}}), MessageHas("0/1600000"));
  EXPECT_THAT(CheckWalHeader(header, {.name = {1, 0, 0x16}, .system_identifier = 5}), HasCode(Code::kConflict));
  EXPECT_THAT(CheckWalHeader(header, {.name = {1, 0, 0x16}, .segment_bytes = 16u << 20}), HasCode(Code::kCorruption));
  EXPECT_THAT(CheckWalHeader(header, {.name = {1, 0, 0x16}, .major = 14}), HasCode(Code::kConflict));
  EXPECT_THAT(CheckWalHeader(header, {.name = {1, 0, 0x100000}}), HasCode(Code::kCorruption));
}

TEST(WalPageTest, RefusesWhatIsNoFirstPage) {
  const std::string good = Bytes(kPg15);
  EXPECT_THAT(ParseWalLongHeader(AsBytes(good).first(39)), HasCode(Code::kTruncated));
  EXPECT_THAT(ParseWalLongHeader(AsBytes(std::string(40, '\0'))), HasCode(Code::kCorruption));
  // magic, flags without the long bit, unknown flags, timeline 0, address, segment size, block size
  for (const auto& [offset, value] :
       {std::pair<size_t, char>{1, 0x11}, {2, 0x04}, {3, 0x40}, {4, 0}, {9, 0x20}, {34, 0x11}, {37, 0x21}}) {
    std::string bad = good;
    bad[offset] = value;
    EXPECT_THAT(ParseWalLongHeader(AsBytes(bad)), HasCode(Code::kCorruption)) << offset;
  }
}

TEST(WalPageTest, TakesAMagicOfALaterReleaseWithoutNamingIt) {
  std::string later = Bytes(kPg15);
  later[0] = 0x1E;
  ASSERT_OK_AND_ASSIGN(WalLongHeader header, ParseWalLongHeader(AsBytes(later)));
  EXPECT_EQ(header.major, 0);
}

}  // namespace
}  // namespace walrig
