#include "core/postgres/wal_record.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"
#include "tests/support/wal_builder.h"

namespace walrig {
namespace {

using test::WalBuilder;

constexpr size_t kPage = 8192;
constexpr size_t kSegment = 1u << 20;

WalRecordReader ReaderOf(std::string_view bytes, Timeline timeline = 1) {
  const Result<WalLongHeader> header = ParseWalLongHeader(AsBytes(bytes));
  EXPECT_OK(header.status());
  return WalRecordReader(*header, timeline);
}

WalRecordReader Read(std::string_view bytes, size_t piece = kSegment, Timeline timeline = 1) {
  WalRecordReader reader = ReaderOf(bytes, timeline);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) reader.Add(AsBytes(bytes.substr(0, piece)));
  return reader;
}

std::string Why(const WalRecordReader& reader) { return reader.broken() ? reader.broken()->why : "nothing"; }

TEST(WalRecordTest, ProvesRecordsInPiecesOfAnySize) {
  WalBuilder wal({});
  for (const size_t bytes : {0, 1, 7, 8, 30'000, 8128, 100, 200'000}) wal.Record(bytes);
  wal.FillSegment();
  const std::string segment = wal.Segment();
  const uint64_t records = Read(segment).records();
  EXPECT_GT(records, 700u);
  for (const size_t piece : {1u, 5u, 8192u, 100'000u}) {
    const WalRecordReader reader = Read(segment, piece);
    EXPECT_EQ(Why(reader), "nothing") << piece;
    EXPECT_EQ(reader.records(), records);
    EXPECT_EQ(reader.end().value, 4 * kSegment);
    EXPECT_FALSE(reader.in_record());
  }
}

TEST(WalRecordTest, FindsABitThatChangedInAnyByteOfARecord) {
  WalBuilder wal({});
  while (wal.position().value % kSegment < 3 * kPage) wal.Record(72);
  wal.FillSegment();
  const std::string segment = wal.Segment().substr(0, 6 * kPage);  // and WAL that follows
  for (size_t at = kPage; at < 3 * kPage; ++at) {
    // Of a page's header the address is what matters; the rest of it is looked at below.
    if (at % kPage < 8 || (at % kPage >= 16 && at % kPage < 24)) continue;
    std::string bad = segment;
    bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
    const WalRecordReader reader = Read(bad);
    ASSERT_TRUE(reader.broken().has_value()) << at;
    EXPECT_TRUE(reader.broken()->followed) << at;
    EXPECT_LE(reader.broken()->at.value % kSegment, at);
    EXPECT_LE(reader.end().value % kSegment, at);
  }
}

TEST(WalRecordTest, FindsAPageThatIsNotOfThisWal) {
  WalBuilder wal({});
  wal.Record(3 * kPage);
  wal.FillSegment();
  // magic, flags (unknown; long in the middle; continued and abandoned), timeline, rest of the record
  for (const auto& [at, value] : {std::pair<size_t, char>{1, 0x51}, {3, 0x40}, {2, 3}, {2, 9}, {4, 9}, {4, 0}, {16, 1}}) {
    std::string bad = wal.Segment();
    bad[kPage + at] = value;
    const WalRecordReader reader = Read(bad);
    ASSERT_TRUE(reader.broken().has_value()) << at;
    EXPECT_EQ(reader.broken()->at.value, 3 * kSegment + 40) << "where the record begins";
    EXPECT_TRUE(reader.broken()->followed);
  }
}

TEST(WalRecordTest, GoesOnOverTheBorderOfASegment) {
  WalBuilder wal({});
  wal.Record(kSegment - 8'000);
  const Lsn across = wal.Record(50'000);
  wal.FillSegment();
  const std::string first = wal.Segment(0), second = wal.Segment(1);
  WalRecordReader reader = Read(first);
  EXPECT_TRUE(reader.in_record());
  EXPECT_EQ(reader.end(), across);
  reader.Add(AsBytes(second));
  EXPECT_EQ(Why(reader), "nothing");
  EXPECT_EQ(reader.end().value, 5 * kSegment);

  std::string bad = second;
  bad[20'000] ^= 4;
  reader = Read(first);
  reader.Add(AsBytes(bad));
  ASSERT_TRUE(reader.broken().has_value());
  EXPECT_EQ(reader.broken()->at, across);
  // By itself the second segment cannot know.
  EXPECT_EQ(Why(Read(bad)), "nothing");
}

TEST(WalRecordTest, ARecordMayBeLongerThanASegment) {
  WalBuilder wal({});
  wal.Record(5 * kSegment / 2);
  wal.FillSegment();
  WalRecordReader reader = Read(wal.Segment(0));
  reader.Add(AsBytes(wal.Segment(1)));
  EXPECT_TRUE(reader.in_record());
  reader.Add(AsBytes(wal.Segment(2)));
  EXPECT_EQ(Why(reader), "nothing");
  // From its middle on it is passed over.
  EXPECT_EQ(Why(Read(wal.Segment(1))), "nothing");
  EXPECT_TRUE(Read(wal.Segment(1)).in_record());
}

TEST(WalRecordTest, PassesOverWhatFollowsASwitch) {
  WalBuilder wal({});
  wal.Record(100);
  wal.Switch();
  wal.Record(30);
  wal.FillSegment();
  std::string first = wal.Segment(0);
  first.replace(kPage, 3 * kPage, std::string(3 * kPage, 'g'));
  WalRecordReader reader = Read(first, 1000);
  EXPECT_EQ(Why(reader), "nothing");
  EXPECT_EQ(reader.end().value, 4 * kSegment);
  reader.Add(AsBytes(wal.Segment(1)));
  EXPECT_EQ(Why(reader), "nothing");
  EXPECT_EQ(reader.end().value, 5 * kSegment);
}

TEST(WalRecordTest, ARecordThatACrashCutOffIsNoDamageWhenThePageSaysSo) {
  for (const size_t before : {100u, 8192u - 40 - 24 - 16}) {  // the second leaves 16 bytes: its header is cut
    WalBuilder wal({});
    wal.Record(before);
    const Lsn cut = wal.Abandon(20'000);
    wal.Record(16, 'o', 0xD0, 0);
    wal.FillSegment();
    EXPECT_EQ(Why(Read(wal.Segment())), "nothing");
    std::string bad = wal.Segment();
    bad[kPage + 2] = 0;  // the flag
    const WalRecordReader reader = Read(bad);
    ASSERT_TRUE(reader.broken().has_value());
    EXPECT_EQ(reader.broken()->at, cut);
    EXPECT_TRUE(reader.broken()->followed);
  }
}

TEST(WalRecordTest, TellsTheEndFromDamage) {
  WalBuilder wal({});
  while (wal.position().value % kSegment < 5 * kPage) wal.Record(72);
  const Lsn end = wal.position();
  const std::string zeros = wal.Segment();
  // A recycled segment: what was written for a place 16 segments before.
  WalBuilder old({.first_segment = 3 - 2});
  old.FillSegment();
  std::string recycled = zeros;
  recycled.replace(6 * kPage, kSegment - 6 * kPage, old.Segment().substr(6 * kPage));
  for (const std::string& segment : {zeros, recycled}) {
    const WalRecordReader reader = Read(segment);
    ASSERT_TRUE(reader.broken().has_value());
    EXPECT_FALSE(reader.broken()->followed);
    EXPECT_EQ(reader.broken()->at, end);
  }
  // The same hole with WAL behind it.
  WalBuilder full({});
  full.FillSegment();
  std::string hole = full.Segment();
  hole.replace(5 * kPage, 3 * kPage, std::string(3 * kPage, '\0'));
  ASSERT_TRUE(Read(hole).broken().has_value());
  EXPECT_TRUE(Read(hole).broken()->followed);
}

TEST(WalRecordTest, RefusesARecordThatDoesNotFollowTheOneBefore) {
  WalBuilder one({}), other({});
  one.Record(100);
  other.Record(36);
  other.Record(36);
  ASSERT_EQ(one.position(), other.position());
  const size_t at = one.position().value % kSegment;
  one.FillSegment();
  other.FillSegment();
  const std::string spliced = one.Segment().substr(0, at) + other.Segment().substr(at);
  ASSERT_TRUE(Read(spliced).broken().has_value());
  EXPECT_EQ(Read(spliced).broken()->at.value % kSegment, at);
}

TEST(WalRecordTest, TimelinesGoUpAndNeverBeyondTheName) {
  WalBuilder wal({.timeline = 2});
  wal.Record(2 * kPage);
  wal.SetTimeline(3);
  wal.FillSegment();
  EXPECT_EQ(Why(Read(wal.Segment(), kSegment, 3)), "nothing");
  EXPECT_NE(Why(Read(wal.Segment(), kSegment, 2)), "nothing");
  std::string back = wal.Segment();
  back[50 * kPage + 4] = 2;
  EXPECT_NE(Why(Read(back, kSegment, 3)), "nothing");
}

}  // namespace
}  // namespace walrig
