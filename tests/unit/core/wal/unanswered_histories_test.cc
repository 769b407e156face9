#include "core/wal/unanswered_histories.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(UnansweredHistoriesTest, KeepsThoseAboveATimelineUntilTheyAreAnswered) {
  const test::TempDir dir;
  const test::TestContext ctx;
  const UnansweredHistories histories(dir.path());
  EXPECT_THAT(histories.Above(1), IsEmpty());
  for (const Timeline timeline : {0xAu, 2u, 3u, 2u}) EXPECT_OK(histories.Add(ctx, timeline));
  EXPECT_THAT(UnansweredHistories(dir.path()).Above(1), ElementsAre(2, 3, 0xA));
  EXPECT_THAT(histories.Above(2), ElementsAre(3, 0xA));
  EXPECT_THAT(histories.Above(0xA), IsEmpty());
  histories.Remove(3);
  histories.Remove(7);
  EXPECT_THAT(histories.Above(2), ElementsAre(0xA));
}

TEST(UnansweredHistoriesTest, AnAnswerOrALeftoverIsNoHistory) {
  const test::TempDir dir;
  const test::TestContext ctx;
  const UnansweredHistories histories(dir.path());
  ASSERT_OK(histories.Add(ctx, 2));
  dir.Write("walg_data/walrig_unanswered/.walrig-tmp-x", "");
  dir.Write("walg_data/walrig_unanswered/00000005.history.answer", "");
  EXPECT_EQ(histories.AnswerPath(5), dir.File("walg_data/walrig_unanswered/00000005.history.answer"));
  EXPECT_THAT(histories.Above(1), ElementsAre(2));
}

TEST(UnansweredHistoriesTest, SaysThatNothingCanBeNoted) {
  const test::TempDir dir;
  const test::TestContext ctx;
  dir.Write("walg_data", "a file");
  EXPECT_FALSE(UnansweredHistories(dir.path()).Add(ctx, 2).ok());
  EXPECT_THAT(UnansweredHistories(dir.path()).Above(1), IsEmpty());
}

}  // namespace
}  // namespace walrig
