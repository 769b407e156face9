#include "core/pipeline/tar_writer.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "core/base/checksum.h"
#include "tests/support/status_matchers.h"

namespace walrig::test {
namespace {

using Type = TarEntry::Type;

TarEntry File(std::string name) {
  TarEntry entry;
  entry.name = std::move(name);
  entry.mode = 0600;
  entry.uid = 999;
  entry.gid = 998;
  entry.uname = "postgres";
  entry.gname = "postgres";
  entry.size_bytes = 8192;
  entry.mtime_s = 1'700'000'000;
  return entry;
}

std::string Encoded(const TarEntry& entry) {
  Result<std::string> header = EncodeTarHeader(entry);
  EXPECT_OK(header);
  return header.ok() ? *header : "";
}

TEST(TarWriterTest, WritesOneUstarBlockWhenEverythingFits) {
  const std::string header = Encoded(File("/base/1/1259"));
  ASSERT_EQ(header.size(), 512u);
  EXPECT_EQ(header.substr(0, 13), std::string("/base/1/1259\0", 13));
  EXPECT_EQ(header.substr(100, 8), std::string("0000600\0", 8));
  EXPECT_EQ(header.substr(108, 8), std::string("0001747\0", 8));
  EXPECT_EQ(header.substr(124, 12), std::string("00000020000\0", 12));
  EXPECT_EQ(header[156], '0');
  EXPECT_EQ(header.substr(257, 8), std::string("ustar\0" "00", 8));
  EXPECT_EQ(header.substr(265, 9), std::string("postgres\0", 9));
  EXPECT_EQ(header.substr(329, 8), std::string("0000000\0", 8));
}

// The digests are of what archive/tar of Go 1.26.8 wrote for the same header.
struct Golden {
  const char* what;
  std::function<void(TarEntry&)> change;
  const char* xxh128;
};

TEST(TarWriterTest, WritesWhatGoWrites) {
  const std::string long_part(60, 'd');
  const std::vector<Golden> cases = {
      {"plain", [](TarEntry&) {}, "733a3c93d7b8d162560bae7a9cedd151"},
      {"directory without a slash", [](TarEntry& e) { e.name = "/base/1", e.type = Type::kDirectory, e.size_bytes = 0; }, "94dbe1ec244a50df7d4abe8c4be81681"},
      {"symbolic link", [](TarEntry& e) { e.type = Type::kSymlink, e.size_bytes = 0, e.link = "/mnt/x"; }, "f40c4c9da02b6000afb615a76ec2ae70"},
      {"name split at a slash", [&](TarEntry& e) { e.name = "/" + long_part + "/" + long_part + "/f"; }, "5fcead079fcc8593a69442323e5fdba8"},
      {"name too long to split", [](TarEntry& e) { e.name = "/" + std::string(120, 'n'); }, "991e942d9161e0f493c7e9d5654d60fd"},
      {"name that is not ASCII", [](TarEntry& e) { e.name = "/d\xc3\xa9/f"; }, "40254caa35ffc2ceba5d8dfb72982210"},
      {"size of 8 GiB", [](TarEntry& e) { e.size_bytes = uint64_t{8} << 30; }, "d18fc2da2b1de11a393b6a1195e97204"},
      {"size below 8 GiB", [](TarEntry& e) { e.size_bytes = (uint64_t{8} << 30) - 1; }, "705cae43fd5e7f98f4f9fd9428701152"},
      {"large ids", [](TarEntry& e) { e.uid = 2'097'152, e.gid = 4'000'000'000; }, "035d36571270a421dd2710ac27c8b7bd"},
      {"long uname", [](TarEntry& e) { e.uname = std::string(33, 'u'); }, "e89bb08ed16c0bb7b83968f64159c08e"},
      {"time before 1970", [](TarEntry& e) { e.mtime_s = -5; }, "63f5d002d937b60908ed0acb771babb2"},
      {"long link and split name", [&](TarEntry& e) {
         e.name = "/" + long_part + "/" + long_part + "/f", e.type = Type::kSymlink, e.size_bytes = 0, e.link = std::string(101, 'l');
       }, "d234e9144199a300e52ce8969076759e"},
  };
  for (const Golden& golden : cases) {
    TarEntry entry = File("/base/1/1259");
    golden.change(entry);
    EXPECT_EQ(Xxh128Hex(AsBytes(Encoded(entry))), golden.xxh128) << golden.what;
  }
}

TEST(TarWriterTest, RefusesWhatNoHeaderCanHold) {
  using namespace std::string_literals;
  const auto encode = [](auto change) {
    TarEntry entry = File("f");
    change(entry);
    return EncodeTarHeader(entry);
  };
  EXPECT_THAT(encode([](TarEntry& e) { e.name = ""; }), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(encode([](TarEntry& e) { e.name = "a/"; }), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(encode([](TarEntry& e) { e.name = "a\0b"s; }), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(encode([](TarEntry& e) { e.uname = "a\0b"s; }), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(encode([](TarEntry& e) { e.type = Type::kFifo; }), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(encode([](TarEntry& e) { e.type = Type::kDirectory; }), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(encode([](TarEntry& e) { e.mode = 0100644; }), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(encode([](TarEntry& e) { e.size_bytes = UINT64_MAX; }), HasCode(Code::kInvalidArgument));
}

TEST(TarWriterTest, PadsToBlocks) {
  EXPECT_EQ(TarPadding(0), 0u);
  EXPECT_EQ(TarPadding(1), 511u);
  EXPECT_EQ(TarPadding(512), 0u);
  EXPECT_EQ(TarPadding(513), 511u);
  EXPECT_EQ(TarMemberBytes(512, 513), 512u + 1024u);
  EXPECT_EQ(TarTrailer().size(), 1024u);
}

TEST(TarWriterTest, RoundsTimesAsGoDoes) {
  EXPECT_EQ(TarMtime(1'499'999'999), 1);
  EXPECT_EQ(TarMtime(1'500'000'000), 2);
  EXPECT_EQ(TarMtime(-1), 0);
  EXPECT_EQ(TarMtime(-500'000'000), 0);
  EXPECT_EQ(TarMtime(-500'000'001), -1);
}

}  // namespace
}  // namespace walrig::test
