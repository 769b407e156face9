// Lane: a multi handle of libcurl with its connections, used by one owner at a time; and Shared, what all lanes of a
// client have in common. Internal to plugins/common/http.
//
// libcurl cannot share connections between threads, so each operation borrows a lane: the one that was given back last,
// whose connections are the warmest.
// THREADS: Shared any; a Lane one at a time.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "plugins/common/http/client.h"
#include "plugins/common/http/exchange.h"

namespace walrig {

class Lane {
 public:
  static Result<std::unique_ptr<Lane>> New(const HttpOptions& options, CURLSH* share, curl_slist* resolve);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // `exchange` must stay where it is until Remove.
  Status Add(Exchange& exchange);
  // Ends it if it is running (then its connection is closed), and takes its handle back.
  void Remove(Exchange& exchange) noexcept;
  // Moves what can be moved; with `wait`, sleeps at most a second until something can. Exchanges that ended, or stalled,
  // are done() afterwards. FAILS WITH: kCancelled, kTimeout (ctx's deadline).
  Status Step(const Context& ctx, bool wait);
  // Steps until `exchange` is done or `until` says so.
  template <typename Until>
  Status StepUntil(const Context& ctx, Exchange& exchange, Until until) {
    WALRIG_TRY(Step(ctx, false));
    while (!exchange.done() && !until()) WALRIG_TRY(Step(ctx, true));
    return OkStatus();
  }

 private:
  Lane(const HttpOptions& options, CURLSH* share, curl_slist* resolve) : options_(options), share_(share), resolve_(resolve) {}
  Status Wait(const Context& ctx);
  void Collect();
  void LookForStalls(const Context& ctx, uint64_t entered_ns);

  const HttpOptions& options_;
  CURLSH* const share_;
  curl_slist* const resolve_;
  CURLM* multi_ = nullptr;
  std::vector<CURL*> idle_;
  std::vector<Exchange*> running_;
  uint64_t stepped_ns_ = 0;  // when the last step ended
};

struct HttpClient::Shared {
  explicit Shared(HttpOptions o) : options(std::move(o)) {}
  ~Shared();
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  Status Open();
  Result<std::unique_ptr<Lane>> Borrow();
  void GiveBack(std::unique_ptr<Lane> lane) noexcept;

  const HttpOptions options;
  CURLSH* share = nullptr;
  curl_slist* resolve = nullptr;
  std::array<std::mutex, CURL_LOCK_DATA_LAST> locks;  // libcurl's, by kind of data
  std::mutex mutex;
  std::vector<std::unique_ptr<Lane>> idle;  // guarded by mutex
};

}  // namespace walrig
