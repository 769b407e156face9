// wal-push and wal-fetch while the storage fails at each of its calls in turn.
#include <filesystem>

#include "core/wal/fetch.h"
#include "core/wal/push.h"
#include "tests/support/faulty_storage.h"
#include "tests/unit/core/wal/wal_fixture.h"

namespace walrig::test {
namespace {

constexpr uint64_t kCallsMax = 200;  // more storage calls than any push or fetch here needs

class WalCrashTest : public WalTest {
 protected:
  // Pushes with the n-th storage call failing, for n = 1, 2, ... until none failed. After a failure the segment is
  // absent or whole, and the same push with a healthy storage succeeds. Answers how many pushes failed.
  size_t FailEachCallOfAPush(bool prevent_overwrite, bool effect_first) {
    const std::string segment = MakeSegment(1, 3, 77);
    const std::string path = dir_.Write(kName, segment);
    const std::string key = std::string("wal_005/") + kName;
    size_t failures = 0;
    for (uint64_t n = 1; n < kCallsMax; ++n) {
      MemoryStorage memory;
      FaultyStorage faulty(memory);
      faulty.Set({.fail_from = n, .effect_first = effect_first});
      WalPushOptions options = PushOptions(path);
      options.prevent_overwrite = prevent_overwrite;
      const auto pushed = WalPush(ctx_, options, {.storage = faulty, .codec = {}, .codecs = codecs_});
      if (faulty.failed() == 0) {
        EXPECT_THAT(pushed, IsOk());
        return failures;
      }
      const auto stored = ReadObject(ctx_, memory, key, 64 << 20);
      if (stored.ok()) {
        EXPECT_EQ(*stored, segment) << "after call " << n;
      }
      if (pushed.ok()) {
        EXPECT_TRUE(stored.ok()) << "success without the segment, call " << n;
      } else {
        ++failures;
      }
      EXPECT_THAT(WalPush(ctx_, options, {.storage = memory, .codec = {}, .codecs = codecs_}), IsOk()) << "call " << n;
      EXPECT_EQ(ReadObject(ctx_, memory, key, 64 << 20).value(), segment);
    }
    ADD_FAILURE() << "a push needs more than " << kCallsMax << " calls";
    return failures;
  }
};

TEST_F(WalCrashTest, APushWhoseStorageFailsAnywhereLeavesTheSegmentWholeOrAbsent) {
  EXPECT_GE(FailEachCallOfAPush(false, false), 2u);
}

TEST_F(WalCrashTest, APushWhoseStorageFailsAfterTheDeedLeavesTheSegmentWholeOrAbsent) {
  EXPECT_GE(FailEachCallOfAPush(false, true), 2u);
}

TEST_F(WalCrashTest, AGuardedPushWhoseStorageFailsAnywhereLeavesTheSegmentWholeOrAbsent) {
  EXPECT_GE(FailEachCallOfAPush(true, false), 2u);
  EXPECT_GE(FailEachCallOfAPush(true, true), 2u);
}

TEST_F(WalCrashTest, AFetchWhoseStorageFailsAnywhereLeavesNoFileAndNeverSaysAbsent) {
  const std::string segment = MakeSegment(1, 3, 77);
  Store(std::string("wal_005/") + kName, segment);
  FaultyStorage faulty(storage_);
  for (uint64_t n = 1; n < kCallsMax; ++n) {
    faulty.Set({.fail_from = n});
    const WalFetchOptions options{
        .name = kName, .destination = dir_.File("out"), .preferred_extension = "", .segment_bytes = 0};
    const auto fetched = WalFetch(ctx_, options, {.storage = faulty, .codecs = codecs_});
    if (fetched.ok()) {
      EXPECT_EQ(dir_.Read("out"), segment);
      if (faulty.failed() == 0) {
        EXPECT_GE(n, 3u);
        return;
      }
      std::filesystem::remove(options.destination);
      continue;
    }
    EXPECT_NE(fetched.status().code(), Code::kNotFound) << "PostgreSQL would be told that WAL ends, call " << n;
    EXPECT_FALSE(std::filesystem::exists(options.destination)) << "call " << n;
  }
  FAIL() << "a fetch needs more than " << kCallsMax << " calls";
}

}  // namespace
}  // namespace walrig::test
