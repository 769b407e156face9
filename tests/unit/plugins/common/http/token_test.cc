#include "plugins/common/http/token.h"

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

struct Token {
  int number = 0;
  int64_t expires_ns = kNeverExpires;
};
constexpr int64_t kMinuteNs = 60'000'000'000;

TEST(TokenCache, FetchesOnceForAllThreads) {
  test::TestContext context;
  std::atomic<int> fetched{0};
  TokenCache<Token> cache([&](const Context&) -> Result<Token> { return Token{++fetched, kNeverExpires}; });
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { EXPECT_TRUE(cache.Get(context).ok()); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(fetched, 1);
}

TEST(TokenCache, RenewsBeforeTheEndAndKeepsTheOldOneWhenThatFails) {
  test::TestContext context;
  const int64_t start = context.ctx().clock->WallNs();
  int fetched = 0;
  TokenCache<Token> cache([&](const Context&) -> Result<Token> {
    if (++fetched == 2) return Unavailable("not now");
    return Token{fetched, start + 10 * kMinuteNs};
  });
  EXPECT_EQ((*cache.Get(context))->number, 1);
  EXPECT_EQ((*cache.Get(context))->number, 1);
  context.clock().Advance(6 * kMinuteNs);
  EXPECT_EQ((*cache.Get(context))->number, 1);
  EXPECT_EQ(fetched, 2);
  EXPECT_EQ((*cache.Get(context))->number, 1);
  EXPECT_EQ(fetched, 2);
  context.clock().Advance(kMinuteNs);
  EXPECT_EQ((*cache.Get(context))->number, 3);
}

TEST(TokenCache, FetchesAnewWhatTheServerRefused) {
  test::TestContext context;
  int fetched = 0;
  TokenCache<Token> cache([&](const Context&) -> Result<Token> { return Token{++fetched, kNeverExpires}; });
  const auto first = *cache.Get(context);
  cache.Refused(first);
  const auto second = *cache.Get(context);
  EXPECT_EQ(second->number, 2);
  cache.Refused(first);
  EXPECT_EQ((*cache.Get(context))->number, 2);
}

// Some sources hand out what has only minutes left, again and again.
TEST(TokenCache, AsksTwiceAMinuteAtMostWhileWhatItGetsIsNearItsEnd) {
  test::TestContext context;
  const int64_t end = context.ctx().clock->WallNs() + 2 * kMinuteNs;
  int fetched = 0;
  TokenCache<Token> cache([&](const Context&) -> Result<Token> { return Token{++fetched, end}; });
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(cache.Get(context).ok());
  EXPECT_EQ(fetched, 1);
  context.clock().Advance(kMinuteNs);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(cache.Get(context).ok());
  EXPECT_EQ(fetched, 2);
}

TEST(TokenCache, TellsTheErrorWhenThereIsNoToken) {
  test::TestContext context;
  TokenCache<Token> cache([](const Context&) -> Result<Token> { return Unavailable("no"); });
  EXPECT_THAT(cache.Get(context), test::HasCode(Code::kUnavailable));
}

}  // namespace
}  // namespace walrig
