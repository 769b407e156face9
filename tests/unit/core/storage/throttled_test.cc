// The network limit as the stack applies it: to every storage, both directions, all streams together.
#include "core/storage/throttled.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "core/io/throttle.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "core/storage/stack.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

TEST(ThrottledStorageTest, HoldsTheRateWithinATenthOverAnyFiveSeconds) {
  test::TestContext context;
  constexpr uint64_t kRate = 10'000'000;
  TokenBucket bucket({.rate_bytes_per_s = kRate});
  MemoryStorage memory;
  ThrottledStorage storage(memory, &bucket, &bucket);
  std::vector<std::pair<double, uint64_t>> passed;  // seconds, bytes so far
  const uint64_t begin_ns = context.clock().MonotonicNs();
  ASSERT_OK_AND_ASSIGN(const auto sink, storage.Put(context.ctx(), "a", {}));
  const std::string piece(64 * 1024, 'x');
  uint64_t bytes = 0;
  for (double now = 0; now < 20; now = static_cast<double>(context.clock().MonotonicNs() - begin_ns) / 1e9) {
    ASSERT_OK(sink->Write(context.ctx(), AsBytes(piece)));
    bytes += piece.size();
    passed.emplace_back(static_cast<double>(context.clock().MonotonicNs() - begin_ns) / 1e9, bytes);
  }
  size_t windows = 0;
  for (size_t from = 0, to = 0; from < passed.size(); ++from) {
    while (to < passed.size() && passed[to].first < passed[from].first + 5) ++to;
    if (to == passed.size()) break;
    const double rate = static_cast<double>(passed[to].second - passed[from].second) / (passed[to].first - passed[from].first);
    ASSERT_GT(rate, 0.9 * kRate);
    ASSERT_LT(rate, 1.1 * kRate);
    ++windows;
  }
  EXPECT_GT(windows, 100u);
}

// Real time: four streams up and four down share one limit of two storages.
TEST(ThrottledStorageTest, AllStreamsOfAllStoragesShareOneLimitInRealTime) {
  test::TestContext context;
  context.UseRealClock();
  constexpr uint64_t kRate = 20'000'000;
  TokenBucket bucket({.rate_bytes_per_s = kRate});
  MemoryStorage first_memory, second_memory;
  ASSERT_OK(WriteObject(context.ctx(), second_memory, "down", std::string(30'000'000, 'x')));
  const auto first = BuildStack(std::make_unique<StorageWrapper>(first_memory), {.download = &bucket, .upload = &bucket});
  const auto second = BuildStack(std::make_unique<StorageWrapper>(second_memory), {.download = &bucket, .upload = &bucket});
  std::atomic<uint64_t> bytes{0};
  std::atomic<bool> stop{false};
  {
    std::vector<std::jthread> threads;
    const uint64_t begin_ns = context.ctx().clock->MonotonicNs();
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        auto sink = first->Put(context.ctx(), "up" + std::to_string(i), {});
        const std::string piece(100'000, 'x');
        while (sink.ok() && !stop && (*sink)->Write(context.ctx(), AsBytes(piece)).ok()) bytes += piece.size();
      });
      threads.emplace_back([&] {
        auto source = second->Get(context.ctx(), "down", {});
        Buffer buffer(1 << 17);
        while (source.ok() && !stop) {
          const auto got = (*source)->Read(context.ctx(), buffer.span());
          if (!got.ok() || *got == 0) break;
          bytes += *got;
        }
      });
    }
    context.ctx().clock->SleepNs(5'000'000'000, context.ctx().stop.fd());
    const double seconds = static_cast<double>(context.ctx().clock->MonotonicNs() - begin_ns) / 1e9;
    const double rate = static_cast<double>(bytes) / seconds;
    stop = true;
    EXPECT_GT(rate, 0.9 * kRate);
    EXPECT_LT(rate, 1.1 * kRate);
  }
}

}  // namespace
}  // namespace walrig
