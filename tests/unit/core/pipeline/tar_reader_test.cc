#include "core/pipeline/tar_reader.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "core/io/memory.h"
#include "core/pipeline/tar_writer.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

using Type = TarEntry::Type;

struct Member {
  TarEntry entry;
  std::string body;
};

std::string Padded(std::string bytes) {
  bytes.append(TarPadding(bytes.size()), '\0');
  return bytes;
}

std::string Packed(const std::string& name, const std::string& body) {
  TarEntry entry;
  entry.name = name;
  entry.mode = 0600;
  entry.size_bytes = body.size();
  Result<std::string> header = EncodeTarHeader(entry);
  EXPECT_OK(header);
  return *header + Padded(body);
}

const std::string kTrailer(1024, '\0');

// The block of a member with anything changed, the checksum made right again.
std::string Block(const std::string& name, char type, uint64_t size,
                  const std::function<void(std::string&)>& change = [](std::string&) {}) {
  TarEntry entry;
  entry.name = name.empty() ? "x" : name;
  entry.size_bytes = size;
  std::string block = *EncodeTarHeader(entry);
  if (name.empty()) block[0] = '\0';
  block[156] = type;
  change(block);
  block.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (char c : block) sum += static_cast<unsigned char>(c);
  char digits[8];
  snprintf(digits, sizeof digits, "%06o", sum);
  block.replace(148, 7, digits, 7);
  return block;
}

std::string PaxRecord(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) length++;
  return std::to_string(length) + rest;
}

std::string Pax(const std::string& records, char type = 'x') { return Block("pax", type, records.size()) + Padded(records); }

class TarReaderTest : public ::testing::Test {
 protected:
  Result<std::vector<Member>> ReadAll(const std::string& tar, size_t read_bytes = SIZE_MAX) {
    MemorySource source(tar, read_bytes);
    TarReader reader(source);
    std::vector<Member> members;
    while (true) {
      WALRIG_ASSIGN(std::optional<TarEntry> entry, reader.Next(ctx_));
      if (!entry.has_value()) break;
      Member member{std::move(*entry), ""};
      while (true) {
        WALRIG_ASSIGN(const ByteSpan piece, reader.BodyView(ctx_));
        if (piece.empty()) break;
        member.body.append(AsText(piece));
      }
      members.push_back(std::move(member));
    }
    saw_trailer_ = reader.saw_trailer();
    offset_bytes_ = reader.offset_bytes();
    return members;
  }
  Result<TarEntry> First(const std::string& tar) {
    MemorySource source(tar);
    TarReader reader(source);
    WALRIG_ASSIGN(std::optional<TarEntry> entry, reader.Next(ctx_));
    if (!entry.has_value()) return NotFound("no member");
    return *std::move(entry);
  }

  TestContext ctx_;
  bool saw_trailer_ = false;
  uint64_t offset_bytes_ = 0;
};

TEST_F(TarReaderTest, ReadsWhatTheWriterWroteWhateverTheReads) {
  std::string tar;
  std::vector<std::string> bodies;
  for (size_t size : {0u, 1u, 511u, 512u, 513u, 70'000u, 300'000u}) {
    bodies.push_back(NumberedBytes(size));
    tar += Packed("/d/" + std::string(size % 200, 'n') + std::to_string(size), bodies.back());
  }
  tar += kTrailer;
  for (size_t read_bytes : {size_t{1}, size_t{700}, SIZE_MAX}) {
    ASSERT_OK_AND_ASSIGN(const auto members, ReadAll(tar, read_bytes));
    ASSERT_EQ(members.size(), bodies.size());
    for (size_t i = 0; i < bodies.size(); i++) {
      EXPECT_TRUE(members[i].body == bodies[i]);
      EXPECT_TRUE(members[i].entry.name.ends_with(std::to_string(bodies[i].size())));
      EXPECT_EQ(members[i].entry.mode, 0600u);
    }
    EXPECT_TRUE(saw_trailer_);
    EXPECT_EQ(offset_bytes_, tar.size());
  }
}

TEST_F(TarReaderTest, ReadBodyFillsBuffersOfAnySizeAndSkipsWhatIsLeft) {
  const std::string body = NumberedBytes(400'000);
  const std::string tar = Packed("a", body) + Packed("b", "rest") + kTrailer;
  for (size_t buffer_bytes : {1'000u, 40'000u, 131'072u, 1'000'000u}) {
    MemorySource source(tar, 50'000);
    TarReader reader(source);
    ASSERT_OK(reader.Next(ctx_));
    Buffer buffer(buffer_bytes);
    ASSERT_OK_AND_ASSIGN(const size_t got, reader.ReadBody(ctx_, buffer.span()));
    EXPECT_EQ(got, std::min<size_t>(buffer_bytes, body.size()));
    EXPECT_TRUE(AsText(buffer.first(got)) == body.substr(0, got));
    EXPECT_EQ(reader.body_left_bytes(), body.size() - got);
    ASSERT_OK_AND_ASSIGN(const auto next, reader.Next(ctx_));
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(next->name, "b");
    ASSERT_OK_AND_ASSIGN(const size_t rest, reader.ReadBody(ctx_, buffer.span()));
    EXPECT_EQ(AsText(buffer.first(rest)), "rest");
    EXPECT_THAT(reader.ReadBody(ctx_, buffer.span()), IsOkAndHolds(0u));
    ASSERT_OK_AND_ASSIGN(const auto end, reader.Next(ctx_));
    EXPECT_FALSE(end.has_value());
    ASSERT_OK_AND_ASSIGN(const auto again, reader.Next(ctx_));
    EXPECT_FALSE(again.has_value());
  }
}

TEST_F(TarReaderTest, ToleratesAMissingTrailerAndMissingPadding) {
  for (const std::string& tar : {Packed("a", "body"), Packed("a", "body").substr(0, 516)}) {
    ASSERT_OK_AND_ASSIGN(const auto members, ReadAll(tar));
    ASSERT_EQ(members.size(), 1u);
    EXPECT_EQ(members[0].body, "body");
    EXPECT_FALSE(saw_trailer_);
  }
}

TEST_F(TarReaderTest, ToleratesATrailerOfAnyNumberOfZeros) {
  for (size_t zeros : {512u, 1024u, 1025u, 10'240u, 300'000u}) {
    EXPECT_OK(ReadAll(Packed("a", "body") + std::string(zeros, '\0'))) << zeros;
  }
}

TEST_F(TarReaderTest, RefusesAnEmptyStream) { EXPECT_THAT(ReadAll(""), HasCode(Code::kTruncated)); }

TEST_F(TarReaderTest, AcceptsAnArchiveWithoutMembers) {
  ASSERT_OK_AND_ASSIGN(const auto members, ReadAll(kTrailer));
  EXPECT_TRUE(members.empty());
}

TEST_F(TarReaderTest, CallsEveryCutWithinAHeaderOrABodyTruncated) {
  const std::string tar = Packed("a", "0123456789");
  for (size_t length = 1; length < 522; length++) {
    ASSERT_THAT(ReadAll(tar.substr(0, length)), HasCode(Code::kTruncated)) << length;
  }
  EXPECT_THAT(ReadAll(tar.substr(0, 515)), MessageHas("within the member 'a': 7 bytes"));
}

TEST_F(TarReaderTest, CallsACutBodyTruncatedInReadBody) {
  const std::string tar = Packed("a", NumberedBytes(200'000)).substr(0, 100'000);
  for (size_t buffer_bytes : {1'000u, 300'000u}) {
    MemorySource source(tar);
    TarReader reader(source);
    ASSERT_OK(reader.Next(ctx_));
    Buffer buffer(buffer_bytes);
    Result<size_t> got = size_t{1};
    while (got.ok() && *got > 0) got = reader.ReadBody(ctx_, buffer.span());
    EXPECT_THAT(got, HasCode(Code::kTruncated));
  }
}

TEST_F(TarReaderTest, RefusesGarbageAfterTheEnd) {
  for (size_t zeros : {512u, 1024u, 200'000u}) {
    const auto answer = ReadAll(Packed("a", "body") + std::string(zeros, '\0') + "x");
    EXPECT_THAT(answer, HasCode(Code::kCorruption));
    EXPECT_THAT(answer, MessageHas("garbage after the end of the tar, at byte " + std::to_string(1024 + zeros)));
  }
}

TEST_F(TarReaderTest, RefusesAHeaderWhoseChecksumDoesNotHold) {
  for (size_t at : {0u, 124u, 150u, 156u, 345u, 511u}) {
    std::string tar = Packed("a", "x") + Packed("b", "body") + kTrailer;
    tar[1024 + at] ^= 1;
    const auto answer = ReadAll(tar);
    EXPECT_THAT(answer, HasCode(Code::kCorruption)) << at;
    EXPECT_THAT(answer, MessageHas("tar header at byte 1024")) << at;
  }
}

TEST_F(TarReaderTest, ReadsToTheEndOfTheSourceSoThatItsChecksumsAreVerified) {
  FailingSource source(Packed("a", "body") + kTrailer, Corruption("the frame's checksum does not hold"));
  TarReader reader(source);
  ASSERT_OK(reader.Next(ctx_));
  EXPECT_THAT(reader.Next(ctx_), MessageHas("frame's checksum"));
}

TEST_F(TarReaderTest, ReportsTypesForTheRestoreToRefuse) {
  const std::vector<std::pair<char, Type>> types = {
      {'0', Type::kFile},       {'\0', Type::kFile},       {'7', Type::kFile},      {'1', Type::kHardlink},
      {'2', Type::kSymlink},    {'3', Type::kCharDevice},  {'4', Type::kBlockDevice}, {'5', Type::kDirectory},
      {'6', Type::kFifo},       {'V', Type::kOther}};
  for (const auto& [flag, type] : types) {
    ASSERT_OK_AND_ASSIGN(const TarEntry entry, First(Block("f", flag, 0) + kTrailer));
    EXPECT_EQ(entry.type, type) << flag;
    EXPECT_EQ(entry.type_flag, flag);
  }
}

TEST_F(TarReaderTest, TakesAFileWithASlashAtItsEndForADirectory) {
  ASSERT_OK_AND_ASSIGN(const TarEntry entry, First(Block("dir", '0', 0, [](std::string& b) { b[3] = '/'; })));
  EXPECT_EQ(entry.type, Type::kDirectory);
}

TEST_F(TarReaderTest, GivesNoBodyToADirectoryThatClaimsOne) {
  ASSERT_OK_AND_ASSIGN(const auto members, ReadAll(Block("d", '5', 4096) + Packed("f", "x") + kTrailer));
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].entry.size_bytes, 0u);
}

TEST_F(TarReaderTest, ReservesNothingForAHugeClaim) {
  const auto base256 = [](std::string& block) { block.replace(124, 12, std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12)); };
  const std::string tar = Block("f", '0', 0, base256) + std::string(5000, 'x');
  ASSERT_OK_AND_ASSIGN(const TarEntry entry, First(tar));
  EXPECT_EQ(entry.size_bytes, uint64_t{INT64_MAX});
  EXPECT_THAT(ReadAll(tar), HasCode(Code::kTruncated));
}

TEST_F(TarReaderTest, RefusesNumbersThatAreNone) {
  const std::vector<std::pair<size_t, std::string>> bad = {
      {124, "0000000000x\0"}, {100, "-000644"}, {124, "12 34"}, {108, "9"},
      {124, std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12)},  // negative
      {124, std::string("\x80\0\0\0\x80\0\0\0\0\0\0\0", 12)},                      // 2^63
      {124, std::string("\x80\0\0\1\0\0\0\0\0\0\0\0", 12)},                        // beyond 64 bits
  };
  for (const auto& field : bad) {
    const auto change = [&](std::string& block) { block.replace(field.first, field.second.size(), field.second); };
    EXPECT_THAT(First(Block("f", '0', 0, change)), HasCode(Code::kCorruption)) << field.first << field.second;
  }
}

TEST_F(TarReaderTest, AcceptsSpacesAndEmptyNumbersOfOldWriters) {
  const auto change = [](std::string& block) {
    block.replace(100, 8, std::string("   644 \0", 8));
    block.replace(108, 8, 8, '\0');
    block.replace(124, 12, "          5 ");
  };
  ASSERT_OK_AND_ASSIGN(const TarEntry entry, First(Block("f", '0', 0, change)));
  EXPECT_EQ(entry.mode, 0644u);
  EXPECT_EQ(entry.uid, 0u);
  EXPECT_EQ(entry.size_bytes, 5u);
}

TEST_F(TarReaderTest, ReadsTimesBefore1970) {
  const auto change = [](std::string& block) { block.replace(136, 12, std::string(11, '\xff') + '\xfb'); };
  ASSERT_OK_AND_ASSIGN(const TarEntry entry, First(Block("f", '0', 0, change)));
  EXPECT_EQ(entry.mtime_s, -5);
}

TEST_F(TarReaderTest, RefusesEmptyNames) {
  EXPECT_THAT(ReadAll(Block("", '0', 0) + kTrailer), MessageHas("name is empty"));
  EXPECT_THAT(ReadAll(Block("long", 'L', 1) + Padded(std::string(1, '\0')) + Block("f", '0', 0)), MessageHas("name is empty"));
}

TEST_F(TarReaderTest, RefusesAZeroByteInAPaxPath) {
  const std::string path("a\0b", 3);
  EXPECT_THAT(ReadAll(Pax(PaxRecord("path", path)) + Block("f", '0', 0)), HasCode(Code::kCorruption));
  EXPECT_THAT(ReadAll(Pax(PaxRecord("linkpath", path)) + Block("f", '2', 0)), HasCode(Code::kCorruption));
  EXPECT_THAT(ReadAll(Block("long", 'L', 3) + Padded(path) + Block("f", '0', 0)), HasCode(Code::kCorruption));
  EXPECT_OK(ReadAll(Pax(PaxRecord("SCHILY.xattr.user.x", path)) + Block("f", '0', 0)));
}

TEST_F(TarReaderTest, AppliesPaxRecordsToTheNextMemberOnly) {
  const std::string records = PaxRecord("path", "/new/\xc3\xa9") + PaxRecord("size", "3") + PaxRecord("uid", "5000000") +
                              PaxRecord("mtime", "1700000000.75") + PaxRecord("uname", "u") + PaxRecord("comment", "");
  ASSERT_OK_AND_ASSIGN(const auto members, ReadAll(Pax(records) + Block("old", '0', 0) + Padded("abc") + Packed("b", "x")));
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].entry.name, "/new/\xc3\xa9");
  EXPECT_EQ(members[0].body, "abc");
  EXPECT_EQ(members[0].entry.uid, 5'000'000u);
  EXPECT_EQ(members[0].entry.mtime_s, 1'700'000'000);
  EXPECT_EQ(members[0].entry.uname, "u");
  EXPECT_EQ(members[1].entry.name, "b");
}

TEST_F(TarReaderTest, AppliesGlobalPaxRecordsUntilALocalOneDiffers) {
  const std::string tar = Pax(PaxRecord("gname", "g") + PaxRecord("comment", "c"), 'g') + Packed("a", "") +
                          Pax(PaxRecord("gname", "local")) + Packed("b", "") + Packed("c", "");
  ASSERT_OK_AND_ASSIGN(const auto members, ReadAll(tar));
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0].entry.gname, "g");
  EXPECT_EQ(members[1].entry.gname, "local");
  EXPECT_EQ(members[2].entry.gname, "g");
}

TEST_F(TarReaderTest, RefusesBrokenPaxRecords) {
  for (const char* records : {"x", "5 a=b", "7 a=b\n", "6 =bb\n", "6 abb\n", "99999999999999999999 a=b\n", " 6 a=b\n",
                              "-6 a=b\n", "6 a=b\n0 a=b\n", "3 a\n"}) {
    EXPECT_THAT(ReadAll(Pax(records) + Block("f", '0', 0)), HasCode(Code::kCorruption)) << records;
  }
  for (const char* value : {"-1", "1x", "", "99999999999999999999"}) {
    if (*value == '\0') continue;
    EXPECT_THAT(ReadAll(Pax(PaxRecord("size", value)) + Block("f", '0', 0)), HasCode(Code::kCorruption)) << value;
  }
}

TEST_F(TarReaderTest, ReadsGnuLongNamesAndLinks) {
  const std::string name(300, 'n');
  const std::string link(200, 'l');
  const std::string tar = Block("././@LongLink", 'L', 301) + Padded(name + '\0') + Block("././@LongLink", 'K', 200) +
                          Padded(link) + Block("short", '2', 0) + kTrailer;
  ASSERT_OK_AND_ASSIGN(const TarEntry entry, First(tar));
  EXPECT_EQ(entry.name, name);
  EXPECT_EQ(entry.link, link);
}

TEST_F(TarReaderTest, TellsAFileFromADirectoryByItsWholeName) {
  const std::string cut = std::string(99, 'd') + '/';  // what GNU tar leaves in the block of a longer name
  const auto put_cut = [&](std::string& block) { block.replace(0, cut.size(), cut); };
  const std::string file = Block("././@LongLink", 'L', 101) + Padded(cut + 'f') + Block("x", '0', 4, put_cut) + Padded("body");
  ASSERT_OK_AND_ASSIGN(const auto files, ReadAll(file + kTrailer));
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].entry.name, cut + 'f');
  EXPECT_EQ(files[0].entry.type, Type::kFile);
  EXPECT_EQ(files[0].body, "body");

  const std::string directory = Block("././@LongLink", 'L', 100) + Padded(cut) + Block("short", '0', 0);
  ASSERT_OK_AND_ASSIGN(const auto directories, ReadAll(directory + kTrailer));
  EXPECT_EQ(directories[0].entry.type, Type::kDirectory);
}

TEST_F(TarReaderTest, BoundsExtendedHeaders) {
  for (char type : {'x', 'g', 'L', 'K'}) {
    EXPECT_THAT(ReadAll(Block("x", type, (1u << 20) + 1)), HasCode(Code::kTooLarge)) << type;
  }
  std::string tar;
  for (int i = 0; i < 3; i++) tar += Pax(PaxRecord("key" + std::to_string(i), std::string(500'000, 'v')), 'g');
  EXPECT_THAT(ReadAll(tar), HasCode(Code::kTooLarge));
}

TEST_F(TarReaderTest, RefusesAnEndAfterAnExtendedHeader) {
  const std::string pax = Pax(PaxRecord("path", "p"));
  EXPECT_THAT(ReadAll(pax), HasCode(Code::kTruncated));
  EXPECT_THAT(ReadAll(pax + kTrailer), HasCode(Code::kTruncated));
}

TEST_F(TarReaderTest, RefusesSparseMembers) {
  EXPECT_THAT(ReadAll(Block("f", 'S', 0)), HasCode(Code::kNotSupported));
  EXPECT_THAT(ReadAll(Pax(PaxRecord("GNU.sparse.major", "1")) + Block("f", '0', 0)), HasCode(Code::kNotSupported));
}

TEST_F(TarReaderTest, UsesThePrefixOnlyOfUstarHeaders) {
  const auto prefix = [](std::string& block) { block.replace(345, 3, "pre"); };
  ASSERT_OK_AND_ASSIGN(const TarEntry ustar, First(Block("f", '0', 0, prefix)));
  EXPECT_EQ(ustar.name, "pre/f");
  const auto gnu = [](std::string& block) { block.replace(257, 8, std::string("ustar  \0", 8)), block.replace(345, 3, "123"); };
  ASSERT_OK_AND_ASSIGN(const TarEntry old, First(Block("f", '0', 0, gnu)));
  EXPECT_EQ(old.name, "f");
}

TEST_F(TarReaderTest, DropsFileTypeBitsOfTheMode) {
  const auto mode = [](std::string& block) { block.replace(100, 8, std::string("0104755\0", 8)); };
  ASSERT_OK_AND_ASSIGN(const TarEntry entry, First(Block("f", '0', 0, mode)));
  EXPECT_EQ(entry.mode, 04755u);
}

TEST_F(TarReaderTest, StopsWithCancelled) {
  MemorySource source(Packed("a", "body"));
  TarReader reader(source);
  ctx_.stop().RequestStop();
  EXPECT_THAT(reader.Next(ctx_), HasCode(Code::kCancelled));
}

}  // namespace
}  // namespace walrig::test
