#include "core/storage/aliveness.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

TEST(AlivenessTest, TheFirstCheckDecides) {
  EXPECT_TRUE(AfterCheck(nullptr, true, 1, {}).usable());
  EXPECT_FALSE(AfterCheck(nullptr, false, 1, {}).usable());
}

TEST(AlivenessTest, OneFailureIsNotDeathButIsNotUsedNow) {
  const Aliveness before = AfterCheck(nullptr, true, 1, {});
  const Aliveness after = AfterCheck(&before, false, 2, {});
  EXPECT_NEAR(after.average, 0.99, 1e-9);  // alpha is at its least when fully alive
  EXPECT_TRUE(after.alive);
  EXPECT_FALSE(after.usable());
  EXPECT_TRUE(AfterCheck(&after, true, 3, {}).usable());
}

TEST(AlivenessTest, ManyFailuresAreDeathAndComingBackTakesMany) {
  Aliveness state = AfterCheck(nullptr, true, 1, {});
  int failures = 0;
  for (; state.alive && failures < 100; ++failures) state = AfterCheck(&state, false, 2, {});
  EXPECT_GT(failures, 2);
  EXPECT_LT(failures, 20);
  EXPECT_LT(state.average, 0.88);
  int successes = 0;
  for (; !state.usable() && successes < 200; ++successes) state = AfterCheck(&state, true, 3, {});
  EXPECT_GT(successes, 5);
  EXPECT_LT(successes, 100);
}

TEST(AlivenessTest, TheCacheKeepsWhatWasSavedAndMergesRuns) {
  test::TempDir dir;
  test::TestContext context;
  const std::string path = dir.path() + "/status";
  ASSERT_OK(SaveAliveness(context.ctx(), path, {{"a#1", AfterCheck(nullptr, true, 1'000'000'000, {})}}));
  ASSERT_OK(SaveAliveness(context.ctx(), path, {{"b#2", AfterCheck(nullptr, false, 2'000'000'000, {})}}));
  const AlivenessCache cache = LoadAliveness(path);
  ASSERT_EQ(cache.size(), 2u);
  EXPECT_TRUE(cache.at("a#1").usable());
  EXPECT_EQ(cache.at("a#1").updated_ns, 1'000'000'000);
  EXPECT_FALSE(cache.at("b#2").usable());
}

TEST(AlivenessTest, ADamagedCacheIsNotKnown) {
  test::TempDir dir;
  const std::string path = dir.path() + "/status";
  for (const char* text : {"", "{", "[]", "{\"a\":1}", "{\"a\":{\"actual_aliveness\":7}}", "\x00\xff"}) {
    std::ofstream(path) << text;
    EXPECT_TRUE(LoadAliveness(path).empty()) << text;
  }
  EXPECT_TRUE(LoadAliveness(path + "-missing").empty());
}

TEST(AlivenessTest, AWriteCheckLeavesNothingAndFindsWhatCannotWrite) {
  test::TestContext context;
  MemoryStorage memory;
  ASSERT_OK(CheckStorage(context.ctx(), memory, 3'000'000));
  EXPECT_TRUE(ListAll(context.ctx(), memory, "").value().empty());
  test::FaultyStorage faulty(memory);
  faulty.Set({.only = test::StorageCall::kCommit, .fail_from = 1});
  EXPECT_FALSE(CheckStorage(context.ctx(), faulty, 10).ok());
  EXPECT_OK(CheckStorage(context.ctx(), faulty, 0));
}

constexpr int64_t kMinuteNs = 60'000'000'000;

TEST(AlivenessBookTest, AVerdictHoldsForItsTimeAndOneThatSaysDeadForLess) {
  test::TestContext context;
  AlivenessBook book("", {.lifetime_ns = 15 * kMinuteNs, .dead_lifetime_ns = kMinuteNs});
  EXPECT_FALSE(book.Verdict(context.ctx(), "a").has_value());
  book.Enter(context.ctx(), "a", true);
  book.Enter(context.ctx(), "b", false);
  EXPECT_TRUE(book.Verdict(context.ctx(), "a")->usable());
  EXPECT_FALSE(book.Verdict(context.ctx(), "b")->usable());
  context.clock().Advance(static_cast<uint64_t>(kMinuteNs));
  EXPECT_TRUE(book.Verdict(context.ctx(), "a").has_value());
  EXPECT_FALSE(book.Verdict(context.ctx(), "b").has_value());
  context.clock().Advance(static_cast<uint64_t>(14 * kMinuteNs));
  EXPECT_FALSE(book.Verdict(context.ctx(), "a").has_value());
}

// Each book is another run.
TEST(AlivenessBookTest, AFailedCallIsKnownToTheNextRunAtOnce) {
  test::TempDir dir;
  test::TestContext context;
  const std::string path = dir.path() + "/status";
  AlivenessBook first(path, {});
  first.Enter(context.ctx(), "writers", true);
  first.Enter(context.ctx(), "readers", true);
  first.Save(context.ctx());
  first.Correct(context.ctx(), "writers", true);
  first.Correct(context.ctx(), "readers", false);

  const AlivenessBook next(path, {});
  ASSERT_TRUE(next.Verdict(context.ctx(), "writers").has_value());
  EXPECT_FALSE(next.Verdict(context.ctx(), "writers")->usable());
  EXPECT_FALSE(next.Verdict(context.ctx(), "readers").has_value()) << "has to be checked again";
}

TEST(AlivenessBookTest, AVerdictOfCenturiesAgoIsOverHoweverLargeTheDifference) {
  test::TempDir dir;
  test::TestContext context;
  const std::string path = dir.path() + "/status";
  ASSERT_OK(SaveAliveness(context.ctx(), path, {{"a", AfterCheck(nullptr, true, -9'000'000'000'000'000'000, {})}}));
  EXPECT_EQ(LoadAliveness(path).at("a").updated_ns, -9'000'000'000'000'000'000);
  EXPECT_FALSE(AlivenessBook(path, {}).Verdict(context.ctx(), "a").has_value());
}

TEST(AlivenessBookTest, ACallThatFailedByItsDeadlineIsWrittenAllTheSame) {
  test::TempDir dir;
  test::TestContext context;
  AlivenessBook book(dir.path() + "/status", {});
  book.Enter(context.ctx(), "a", true);
  Context late = context.ctx();
  late.deadline_ns = 1;
  book.Correct(late, "a", true);
  EXPECT_FALSE(AlivenessBook(dir.path() + "/status", {}).Verdict(context.ctx(), "a")->usable());
}

}  // namespace
}  // namespace walrig
