// TokenCache<T>: something that expires (credentials, a bearer token), fetched once for all threads and renewed before it
// expires.
//
// T has `int64_t expires_ns` (wall clock; kNeverExpires). Threads that find a valid token never wait: near its end one
// thread renews, the others take the old one meanwhile. Without a valid one all wait for the one that fetches. A failed
// renewal keeps the old token while it is valid. The next try comes half a minute after the last at the earliest, unless
// the token ends or is refused before.
//
// One fetch is one attempt; its error goes to the caller as it is. THREADS: any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/sdk/call.h"

namespace walrig {

inline constexpr int64_t kNeverExpires = INT64_MAX;

template <typename T>
class TokenCache {
 public:
  using Fetch = std::function<Result<T>(const Context&)>;
  // `renew_before_ns`: how long before its end a token is renewed.
  explicit TokenCache(Fetch fetch, int64_t renew_before_ns = 300'000'000'000)
      : fetch_(std::move(fetch)), renew_before_ns_(renew_before_ns) {}

  // FAILS WITH: what fetch says; kCancelled, kTimeout.
  Result<std::shared_ptr<const T>> Get(const Context& ctx) {
    std::unique_lock lock(mutex_);
    while (true) {
      const int64_t now = ctx.clock->WallNs();
      const bool valid = token_ != nullptr && Before(now, token_->expires_ns, kSkewNs);
      const bool fresh = valid && (Before(now, token_->expires_ns, renew_before_ns_) || now < next_try_ns_);
      if (fresh || (valid && fetching_)) return token_;
      if (!fetching_) return Renew(ctx, lock, valid);
      // Stops are looked for often enough; a condition variable knows no descriptor.
      changed_.wait_for(lock, std::chrono::milliseconds(200));
      WALRIG_TRY(sdk::PollStop(ctx));
    }
  }

  // What Get gave last and was not refused, or null. Fetches nothing.
  std::shared_ptr<const T> Present() {
    const std::lock_guard lock(mutex_);
    return token_;
  }

  // The server refused `used`: the next Get fetches anew, unless somebody did already.
  void Refused(const std::shared_ptr<const T>& used) {
    const std::lock_guard lock(mutex_);
    if (token_ == used) token_.reset();
  }

 private:
  static constexpr int64_t kSkewNs = 10'000'000'000;
  static constexpr int64_t kPauseNs = 30'000'000'000;
  static bool Before(int64_t now, int64_t end, int64_t margin) { return end == kNeverExpires || now < end - margin; }

  Result<std::shared_ptr<const T>> Renew(const Context& ctx, std::unique_lock<std::mutex>& lock, bool valid) {
    fetching_ = true;
    lock.unlock();
    Result<T> fetched = fetch_(ctx);
    lock.lock();
    fetching_ = false;
    changed_.notify_all();
    if (fetched.ok()) {
      token_ = std::make_shared<const T>(std::move(fetched).value());
      // One that comes near its end already (a source that keeps its own cache) is not asked for with every request.
      next_try_ns_ = ctx.clock->WallNs() + kPauseNs;
      return token_;
    }
    if (!valid || token_ == nullptr) return fetched.status();
    next_try_ns_ = ctx.clock->WallNs() + kPauseNs;
    if (ctx.log != nullptr) {
      ctx.log->Write(LogLevel::kWarning, "http/token",
                     "credentials could not be renewed yet: " + std::string(fetched.status().message()));
    }
    return token_;
  }

  const Fetch fetch_;
  const int64_t renew_before_ns_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const T> token_;  // guarded by mutex_, as all below
  bool fetching_ = false;
  int64_t next_try_ns_ = 0;
};

}  // namespace walrig
