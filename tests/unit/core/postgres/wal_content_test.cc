#include "core/postgres/wal_content.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"
#include "tests/support/wal_builder.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;
using test::WalBuilder;

WalContentCheck::Expected Segment(uint32_t number = 3) {
  return {.file = ClassifyWalFile(FormatWalName({1, 0, number})), .system_identifier = 77};
}

Status Check(WalContentCheck& check, std::string_view bytes, size_t piece = 10'000) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    WALRIG_TRY(check.Add(AsBytes(bytes.substr(0, piece))));
  }
  return check.Finish();
}

TEST(WalContentTest, TakesASegmentInPiecesOfAnySize) {
  WalBuilder wal({});
  wal.FillSegment();
  for (const size_t piece : {1u, 39u, 41u, 1u << 20}) {
    WalContentCheck check(Segment());
    EXPECT_OK(Check(check, wal.Segment(), piece));
    ASSERT_TRUE(check.records().has_value());
    EXPECT_GT(check.records()->records(), 900u);
    EXPECT_FALSE(check.early_end().has_value());
  }
}

TEST(WalContentTest, RefusesAnotherClusterSizeOrSegment) {
  WalBuilder wal({.system_identifier = 78}), next({.first_segment = 4});
  wal.FillSegment();
  next.FillSegment();
  WalContentCheck cluster(Segment()), segment(Segment()), shorter(Segment(4)), longer(Segment(4));
  EXPECT_THAT(Check(cluster, wal.Segment()), HasCode(Code::kConflict));
  EXPECT_THAT(Check(segment, next.Segment()), HasCode(Code::kCorruption));
  EXPECT_THAT(Check(shorter, next.Segment().substr(1)), HasCode(Code::kCorruption));
  EXPECT_THAT(Check(longer, next.Segment() + "x"), HasCode(Code::kCorruption));
}

TEST(WalContentTest, GoesOnWithTheSegmentBefore) {
  WalBuilder wal({});
  wal.Record((1 << 20) - 8'000);
  wal.Record(40'000);
  wal.FillSegment();
  std::string second = wal.Segment(1);
  second[9'000] = static_cast<char>(second[9'000] ^ 1);
  WalContentCheck first(Segment(3));
  ASSERT_OK(Check(first, wal.Segment(0)));
  WalContentCheck alone(Segment(4)), after(Segment(4), first.records());
  EXPECT_OK(Check(alone, second));
  EXPECT_THAT(Check(after, second), MessageHas("damaged at 0/3FE"));
}

TEST(WalContentTest, TellsWhereTheWalOfASegmentEnds) {
  WalBuilder wal({});
  wal.Record(100);
  WalContentCheck check(Segment());
  EXPECT_OK(Check(check, wal.Segment()));
  ASSERT_TRUE(check.early_end().has_value());
  EXPECT_EQ(check.early_end()->at, wal.position());
  WalContentCheck partial({.file = ClassifyWalFile("000000010000000000000003.partial")});
  EXPECT_OK(Check(partial, wal.Segment()));
  EXPECT_FALSE(partial.early_end().has_value());
}

}  // namespace
}  // namespace walrig
