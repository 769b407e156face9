// The small wrappers, and the stack of all of them.
#include <gtest/gtest.h>

#include "core/io/throttle.h"
#include "core/metrics/registry.h"
#include "core/storage/logged.h"
#include "core/storage/memory.h"
#include "core/storage/metered.h"
#include "core/storage/objects.h"
#include "core/storage/prefixed.h"
#include "core/storage/read_only.h"
#include "core/storage/stack.h"
#include "core/storage/throttled.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

class WrapperTest : public ::testing::Test {
 protected:
  TestContext ctx_;
  MemoryStorage memory_;
};

TEST_F(WrapperTest, PrefixedStorageSeesOnlyItsSubfolder) {
  ASSERT_OK(WriteObject(ctx_, memory_, "other", "1"));
  PrefixedStorage prefixed(memory_, "in/side");
  ASSERT_OK(WriteObject(ctx_, prefixed, "x/1", "one"));
  ASSERT_OK(prefixed.Copy(ctx_, "x/1", "x/2"));
  EXPECT_THAT(ReadObject(ctx_, memory_, "in/side/x/2", 10), IsOkAndHolds("one"));
  ASSERT_OK_AND_ASSIGN(const auto entries, ListAll(ctx_, prefixed, ""));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].key, "x/1");
  ASSERT_OK_AND_ASSIGN(const auto folders, ListAll(ctx_, prefixed, "", "/"));
  ASSERT_EQ(folders.size(), 1u);
  EXPECT_EQ(folders[0].key, "x/");
  ASSERT_OK_AND_ASSIGN(const ObjectInfo info, prefixed.Stat(ctx_, "x/1"));
  EXPECT_EQ(info.key, "x/1");
  ASSERT_OK(DeleteAll(ctx_, prefixed, {"x/1", "x/2"}));
  EXPECT_THAT(Exists(ctx_, memory_, "in/side/x/1"), IsOkAndHolds(false));
  EXPECT_THAT(Exists(ctx_, memory_, "other"), IsOkAndHolds(true));
}

TEST_F(WrapperTest, PrefixedStorageContinuesAfterAKeyOfItsOwn) {
  PrefixedStorage prefixed(memory_, "p/");
  for (const char* key : {"a", "b", "c"}) ASSERT_OK(WriteObject(ctx_, prefixed, key, "1"));
  ListOptions options;
  options.start_after = "a";
  ASSERT_OK_AND_ASSIGN(const ListPage page, prefixed.List(ctx_, options));
  ASSERT_EQ(page.entries.size(), 2u);
  EXPECT_EQ(page.entries[0].key, "b");
}

TEST_F(WrapperTest, ReadOnlyStorageRefusesEveryChange) {
  ASSERT_OK(WriteObject(ctx_, memory_, "a", "1"));
  ReadOnlyStorage storage(memory_);
  EXPECT_THAT(storage.Put(ctx_, "b", {}), HasCode(Code::kReadOnly));
  EXPECT_THAT(storage.Copy(ctx_, "a", "b"), HasCode(Code::kReadOnly));
  std::vector<Status> each;
  const std::vector<std::string> keys = {"a"};
  EXPECT_THAT(storage.Delete(ctx_, keys, &each), HasCode(Code::kReadOnly));
  EXPECT_THAT(ReadObject(ctx_, storage, "a", 1), IsOkAndHolds("1"));
}

TEST_F(WrapperTest, MeteredStorageCountsCallsFailuresAndBytes) {
  MetricsRegistry metrics;
  ctx_.mutable_ctx().metrics = &metrics;
  MeteredStorage storage(memory_);
  ASSERT_OK(WriteObject(ctx_, storage, "a", "12345"));
  ASSERT_OK(ReadObject(ctx_, storage, "a", 10));
  EXPECT_THAT(storage.Stat(ctx_, "none"), HasCode(Code::kNotFound));
  EXPECT_EQ(metrics.Value("walrig_storage_calls_total{op=\"put\"}"), 1);
  EXPECT_EQ(metrics.Value("walrig_storage_calls_total{op=\"commit\"}"), 1);
  EXPECT_EQ(metrics.Value("walrig_storage_calls_total{op=\"stat\"}"), 1);
  EXPECT_EQ(metrics.Value("walrig_storage_failures_total{op=\"stat\"}"), 1);
  EXPECT_EQ(metrics.Value("walrig_storage_bytes_total{op=\"put\"}"), 5);
  EXPECT_EQ(metrics.Value("walrig_storage_bytes_total{op=\"get\"}"), 5);
}

TEST_F(WrapperTest, LoggedStorageNamesCallKeyAndOutcome) {
  LoggedStorage storage(memory_);
  ASSERT_OK(WriteObject(ctx_, storage, "a", "12345"));
  EXPECT_THAT(storage.Stat(ctx_, "none"), HasCode(Code::kNotFound));
  EXPECT_TRUE(ctx_.log().Has("commit 5 bytes of a (attempt 1): ok", LogLevel::kDebug));
  EXPECT_TRUE(ctx_.log().Has("stat none (attempt 1): none does not exist", LogLevel::kDebug));
}

TEST_F(WrapperTest, ThrottledStoragePaysForBothDirections) {
  TokenBucket bucket({.rate_bytes_per_s = 1000, .burst_bytes = 1});
  ThrottledStorage storage(memory_, &bucket, &bucket);
  ASSERT_OK(WriteObject(ctx_, storage, "a", std::string(5000, 'x')));
  const uint64_t after_put_ns = ctx_.clock().elapsed_ns();
  EXPECT_GE(after_put_ns, 4'900'000'000u);
  ASSERT_OK(ReadObject(ctx_, storage, "a", 10'000));
  EXPECT_GE(ctx_.clock().elapsed_ns() - after_put_ns, 4'900'000'000u);
}

TEST_F(WrapperTest, StackRetriesBelowThePrefixAndRefusesWritesOnTop) {
  auto driver = std::make_unique<FaultyStorage>(memory_);
  driver->Set({.fail_from = 1, .fail_times = 2, .failure = Unavailable("gone").Retryable()});
  MetricsRegistry metrics;
  ctx_.mutable_ctx().metrics = &metrics;
  auto storage = BuildStack(std::move(driver), {.prefix = "p"});
  ASSERT_OK(WriteObject(ctx_, *storage, "a", "1"));
  EXPECT_THAT(Exists(ctx_, memory_, "p/a"), IsOkAndHolds(true));
  EXPECT_EQ(metrics.Value("walrig_storage_calls_total{op=\"put\"}"), 3) << "attempts are what is counted";

  auto reader = BuildStack(std::make_unique<FaultyStorage>(memory_), {.read_only = true});
  EXPECT_THAT(WriteObject(ctx_, *reader, "b", "1"), HasCode(Code::kReadOnly));
}

}  // namespace
}  // namespace walrig::test
