#include "core/wal/unanswered_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

WalName Segment(Timeline timeline, uint32_t seg = 3) { return {.timeline = timeline, .log = 0, .seg = seg}; }

TEST(UnansweredFilesTest, KeepsHistoriesAboveATimelineUntilTheyAreAnswered) {
  const test::TempDir dir;
  const test::TestContext ctx;
  const UnansweredFiles files(dir.path());
  EXPECT_THAT(files.Before(Segment(1)), IsEmpty());
  for (const Timeline timeline : {0xAu, 2u, 3u, 2u}) EXPECT_OK(files.Add(ctx, HistoryName(timeline)));
  EXPECT_THAT(UnansweredFiles(dir.path()).Before(Segment(1)), ElementsAre("00000002.history", "00000003.history", "0000000A.history"));
  EXPECT_THAT(files.Before(Segment(2)), ElementsAre("00000003.history", "0000000A.history"));
  EXPECT_THAT(files.Before(Segment(0xA)), IsEmpty());
  files.Remove("00000003.history");
  files.Remove("00000007.history");
  EXPECT_THAT(files.Before(Segment(2)), ElementsAre("0000000A.history"));
}

TEST(UnansweredFilesTest, KeepsASegmentForTheSamePlaceOnLowerTimelinesAlone) {
  const test::TempDir dir;
  const test::TestContext ctx;
  const UnansweredFiles files(dir.path());
  ASSERT_OK(files.Add(ctx, FormatWalName(Segment(2))));
  EXPECT_THAT(files.Before(Segment(1)), ElementsAre("000000020000000000000003"));
  EXPECT_THAT(files.Before(Segment(1, 4)), IsEmpty());
  EXPECT_THAT(files.Before(Segment(2)), IsEmpty());
  EXPECT_THAT(files.Before(Segment(3)), IsEmpty());
}

TEST(UnansweredFilesTest, WhatHasNothingInItsPlaceDoesNotMatter) {
  EXPECT_TRUE(UnansweredFiles::Matters(ClassifyWalFile("00000002.history")));
  EXPECT_TRUE(UnansweredFiles::Matters(ClassifyWalFile("000000020000000000000003")));
  EXPECT_FALSE(UnansweredFiles::Matters(ClassifyWalFile("000000010000000000000003")));
  EXPECT_FALSE(UnansweredFiles::Matters(ClassifyWalFile("000000020000000000000003.partial")));
}

TEST(UnansweredFilesTest, AnAnswerOrALeftoverIsNoFile) {
  const test::TempDir dir;
  const test::TestContext ctx;
  const UnansweredFiles files(dir.path());
  ASSERT_OK(files.Add(ctx, "00000002.history"));
  dir.Write("walg_data/walrig_unanswered/.walrig-tmp-x", "");
  dir.Write("walg_data/walrig_unanswered/00000005.history.answer", "");
  EXPECT_EQ(files.AnswerPath("00000005.history"), dir.File("walg_data/walrig_unanswered/00000005.history.answer"));
  EXPECT_THAT(files.Before(Segment(1)), ElementsAre("00000002.history"));
}

TEST(UnansweredFilesTest, SaysThatNothingCanBeNoted) {
  const test::TempDir dir;
  const test::TestContext ctx;
  dir.Write("walg_data", "a file");
  EXPECT_FALSE(UnansweredFiles(dir.path()).Add(ctx, "00000002.history").ok());
  EXPECT_THAT(UnansweredFiles(dir.path()).Before(Segment(1)), IsEmpty());
}

}  // namespace
}  // namespace walrig
