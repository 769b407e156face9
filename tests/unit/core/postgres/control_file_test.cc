#include "core/postgres/control_file.h"

#include <gmock/gmock.h>

#include <string>

#include "core/base/checksum.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_data.h"

namespace walrig {
namespace {

using test::HasCode;
using test::TestData;

// The struct's bytes of a real file, padded as on disk.
std::string ControlFile(int major) {
  std::string content = TestData("postgres/pg_control_" + std::to_string(major));
  content.resize(kControlFileBytes);
  return content;
}

// Puts a correct CRC over changed bytes, so that what lies behind the CRC check is tested.
std::string Reseal(std::string content, size_t crc_offset) {
  const uint32_t crc = Crc32c(0, AsBytes(std::string_view(content).substr(0, crc_offset)));
  for (size_t i = 0; i < 4; ++i) content[crc_offset + i] = static_cast<char>(crc >> (8 * i));
  return content;
}

TEST(ControlFileTest, ReadsEveryMajor) {
  struct Case {
    int major;
    uint32_t control_version, catalog_version;
    uint64_t system_identifier;
    uint64_t redo;
    uint64_t segment_bytes;
    bool checksums;
  };
  for (const Case& c : {Case{13, 1300, 202007201, 7711415651284155369u, 0x800028, 1u << 20, false},
                        Case{15, 1300, 202209061, 7711409201276106581u, 0x1700028, 1u << 20, false},
                        Case{16, 1300, 202307071, 7711415707682799894u, 0x700028, 1u << 20, false},
                        Case{17, 1700, 202406281, 7711415759389279564u, 0x2000028, 16u << 20, false},
                        Case{18, 1800, 202506291, 7711415823649581497u, 0x700028, 1u << 20, false}}) {
    SCOPED_TRACE(c.major);
    ASSERT_OK_AND_ASSIGN(ControlData data, ParseControlFile(AsBytes(ControlFile(c.major))));
    EXPECT_EQ(data.major, c.major);
    EXPECT_EQ(data.control_version, c.control_version);
    EXPECT_EQ(data.catalog_version, c.catalog_version);
    EXPECT_EQ(data.system_identifier, c.system_identifier);
    EXPECT_EQ(data.checkpoint_redo.value, c.redo);
    EXPECT_GT(data.checkpoint, data.checkpoint_redo);
    EXPECT_EQ(data.checkpoint_timeline, 1u);
    EXPECT_EQ(data.state, ClusterState::kInProduction);
    EXPECT_EQ(data.block_bytes, 8192u);
    EXPECT_EQ(data.relation_segment_blocks, 131072u);
    EXPECT_EQ(data.wal_block_bytes, 8192u);
    EXPECT_EQ(data.wal_segment_bytes, c.segment_bytes);
    EXPECT_EQ(data.data_checksums(), c.checksums);
    EXPECT_EQ(data.wal_level, 1u);
    EXPECT_GE(data.time_s, 1795000000);
    EXPECT_GE(data.checkpoint_time_s, 1795000000);
  }
}

TEST(ControlFileTest, SeesDataChecksums) {
  std::string with = ControlFile(18);
  with[252] = 1;
  ASSERT_OK_AND_ASSIGN(ControlData data, ParseControlFile(AsBytes(Reseal(with, 292))));
  EXPECT_TRUE(data.data_checksums());
}

TEST(ControlFileTest, ChecksumsThatAreBeingSwitchedOnOrOffAreNone) {
  std::string with = ControlFile(18);
  for (const char state : {'\2', '\3', '\4'}) {
    with[252] = state;
    ASSERT_OK_AND_ASSIGN(ControlData data, ParseControlFile(AsBytes(Reseal(with, 292))));
    EXPECT_FALSE(data.data_checksums()) << int{state};
  }
}

TEST(ControlFileTest, FindsEveryFlippedBitOfTheStruct) {
  for (int major : {15, 18}) {
    const std::string good = ControlFile(major);
    const size_t end = major == 18 ? 296 : 292;
    for (size_t i = 0; i < end; ++i) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ 0x10);
      EXPECT_FALSE(ParseControlFile(AsBytes(bad)).ok()) << major << " byte " << i;
    }
  }
}

TEST(ControlFileTest, SaysWhatIsTruncated) {
  const std::string good = ControlFile(15);
  for (size_t size : {size_t{0}, size_t{8}, size_t{15}, size_t{16}, size_t{291}}) {
    EXPECT_THAT(ParseControlFile(AsBytes(good).first(size)), HasCode(Code::kTruncated)) << size;
  }
  EXPECT_OK(ParseControlFile(AsBytes(good).first(292)));
}

TEST(ControlFileTest, TellsAnotherReleaseFromDamage) {
  std::string other = ControlFile(15);
  other[8] = static_cast<char>(1201 & 0xFF), other[9] = static_cast<char>(1201 >> 8);
  EXPECT_THAT(ParseControlFile(AsBytes(other)), HasCode(Code::kNotSupported));
  EXPECT_THAT(ParseControlFile(AsBytes(std::string(8192, '\0'))), HasCode(Code::kCorruption));
  std::string swapped = ControlFile(15);
  swapped[8] = 0, swapped[9] = 0, swapped[10] = static_cast<char>(1300 >> 8), swapped[11] = static_cast<char>(1300 & 0xFF);
  EXPECT_THAT(ParseControlFile(AsBytes(swapped)), HasCode(Code::kNotSupported));
}

TEST(ControlFileTest, RefusesSizesThatNoServerHas) {
  for (const auto& [offset, value] : {std::pair<size_t, char>{217, 0x21}, {230, 0x11}, {225, 0x21}, {16, 9}, {48, 0}}) {
    std::string bad = ControlFile(15);
    bad[offset] = value;
    EXPECT_THAT(ParseControlFile(AsBytes(Reseal(bad, 288))), HasCode(Code::kCorruption)) << offset;
  }
}

}  // namespace
}  // namespace walrig
