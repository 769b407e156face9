#include "plugins/common/http/lane.h"

#include <algorithm>

#include "walrig/sdk/call.h"
#include "walrig/sdk/guard.h"

namespace walrig {
namespace {

constexpr uint64_t kNsPerMs = 1'000'000;
constexpr uint64_t kAwayNs = 500 * kNsPerMs;
constexpr size_t kIdleHandlesMax = 4;

void LockShare(CURL*, curl_lock_data data, curl_lock_access, void* locks) {
  static_cast<std::mutex*>(locks)[data].lock();
}
void UnlockShare(CURL*, curl_lock_data data, void* locks) { static_cast<std::mutex*>(locks)[data].unlock(); }

}  // namespace

Result<std::unique_ptr<Lane>> Lane::New(const HttpOptions& options, CURLSH* share, curl_slist* resolve) {
  std::unique_ptr<Lane> lane(new Lane(options, share, resolve));
  lane->idle_.reserve(kIdleHandlesMax);  // Remove runs in destructors
  lane->multi_ = curl_multi_init();
  if (lane->multi_ == nullptr) return OutOfMemory("libcurl");
  return lane;
}

Lane::~Lane() {
  for (CURL* easy : idle_) curl_easy_cleanup(easy);
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
}

Status Lane::Add(Exchange& exchange) {
  CURL* easy = nullptr;
  if (idle_.empty()) {
    easy = curl_easy_init();
  } else {
    easy = idle_.back();
    idle_.pop_back();
  }
  if (easy == nullptr) return OutOfMemory("libcurl");
  curl_easy_reset(easy);
  Status status = exchange.Prepare(easy, options_);
  if (resolve_ != nullptr) static_cast<void>(curl_easy_setopt(easy, CURLOPT_RESOLVE, resolve_));
  static_cast<void>(curl_easy_setopt(easy, CURLOPT_SHARE, share_));
  if (status.ok() && curl_multi_add_handle(multi_, easy) != CURLM_OK) status = Internal("libcurl takes no request");
  if (!status.ok()) {
    curl_easy_cleanup(easy);
    return status;
  }
  running_.push_back(&exchange);
  return OkStatus();
}

void Lane::Remove(Exchange& exchange) noexcept {
  const auto at = std::find(running_.begin(), running_.end(), &exchange);
  if (at == running_.end()) return;
  running_.erase(at);
  CURL* easy = exchange.easy();
  curl_multi_remove_handle(multi_, easy);
  bool kept = false;
  if (idle_.size() < kIdleHandlesMax) {
    curl_easy_reset(easy);
    sdk::GuardSilently([&] {
      idle_.push_back(easy);
      kept = true;
    });
  }
  if (!kept) curl_easy_cleanup(easy);
}

void Lane::Collect() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    char* exchange = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
    if (exchange != nullptr) reinterpret_cast<Exchange*>(exchange)->End(code);
  }
}

void Lane::LookForStalls(const Context& ctx, uint64_t entered_ns) {
  const uint64_t now = ctx.clock->MonotonicNs();
  // The time in which the caller was elsewhere says nothing about the server; that of our own waiting does.
  const uint64_t away = stepped_ns_ != 0 && entered_ns > stepped_ns_ + kAwayNs ? entered_ns - stepped_ns_ : 0;
  for (Exchange* exchange : running_) {
    if (exchange->done()) continue;
    if (exchange->progress_ns == 0 || exchange->moved() != exchange->seen_moved) {
      exchange->seen_moved = exchange->moved();
      exchange->progress_ns = now;
    } else {
      exchange->progress_ns = std::min(now, exchange->progress_ns + away);
    }
    if (exchange->stall_ns() != 0 && now - exchange->progress_ns > exchange->stall_ns()) {
      exchange->Fail(Timeout("the server moved no byte for " +
                             std::to_string(exchange->stall_ns() / kNsPerMs) + " ms").Retryable());
    }
  }
  stepped_ns_ = now;
}

Status Lane::Wait(const Context& ctx) {
  uint64_t wait_ms = 1000;
  if (ctx.deadline_ns != 0) {
    const uint64_t now = ctx.clock->MonotonicNs();
    wait_ms = ctx.deadline_ns <= now ? 0 : std::min<uint64_t>(wait_ms, (ctx.deadline_ns - now) / kNsPerMs + 1);
  }
  for (const Exchange* exchange : running_) {
    if (exchange->stall_ns() != 0) wait_ms = std::min<uint64_t>(wait_ms, exchange->stall_ns() / kNsPerMs / 4 + 1);
  }
  curl_waitfd extra{ctx.stop.fd(), CURL_WAIT_POLLIN, 0};
  const bool stoppable = ctx.stop.fd() >= 0;
  if (curl_multi_poll(multi_, stoppable ? &extra : nullptr, stoppable ? 1 : 0, static_cast<int>(wait_ms), nullptr) !=
      CURLM_OK) {
    return Internal("libcurl cannot wait");
  }
  if (stoppable && extra.revents != 0) return Cancelled();
  return ctx.Poll();
}

Status Lane::Step(const Context& ctx, bool wait) {
  const uint64_t entered_ns = ctx.clock->MonotonicNs();
  if (wait) {
    WALRIG_TRY(Wait(ctx));
  } else {
    WALRIG_TRY(sdk::PollStop(ctx));
  }
  int running = 0;
  if (curl_multi_perform(multi_, &running) != CURLM_OK) return Internal("libcurl cannot go on");
  Collect();
  LookForStalls(ctx, entered_ns);
  return OkStatus();
}

HttpClient::Shared::~Shared() {
  idle.clear();
  if (share != nullptr) curl_share_cleanup(share);
  curl_slist_free_all(resolve);
}

Status HttpClient::Shared::Open() {
  idle.reserve(options.idle_lanes_max);  // GiveBack runs in destructors
  share = curl_share_init();
  if (share == nullptr) return OutOfMemory("libcurl");
  curl_share_setopt(share, CURLSHOPT_LOCKFUNC, &LockShare);
  curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, &UnlockShare);
  curl_share_setopt(share, CURLSHOPT_USERDATA, locks.data());
  curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
  curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  for (const std::string& entry : options.resolve) resolve = curl_slist_append(resolve, entry.c_str());
  return OkStatus();
}

Result<std::unique_ptr<Lane>> HttpClient::Shared::Borrow() {
  {
    const std::lock_guard lock(mutex);
    if (!idle.empty()) {
      std::unique_ptr<Lane> lane = std::move(idle.back());
      idle.pop_back();
      return lane;
    }
  }
  return Lane::New(options, share, resolve);
}

void HttpClient::Shared::GiveBack(std::unique_ptr<Lane> lane) noexcept {
  const std::lock_guard lock(mutex);
  if (lane == nullptr || idle.size() >= options.idle_lanes_max) return;
  // Out of memory it is closed instead of kept.
  sdk::GuardSilently([&] { idle.push_back(std::move(lane)); });
}

}  // namespace walrig
