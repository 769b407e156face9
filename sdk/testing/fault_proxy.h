// SPDX-License-Identifier: MIT-0
// FaultProxy: stands between a client and a server on loopback and does to their conversation what rules say.
//
// It speaks HTTP/1.1 without TLS, or passes plain TCP (kTcp: SSH, TLS) where a connection counts as one request. Each
// client connection has a thread and a connection of its own to the server. Every request is remembered, so that a
// test can count attempts: a driver makes one per call, and its owner repeats by its policy.
//
// OWNS: its threads and sockets; Stop, or the destructor, ends all of them.
// THREADS: all methods may be called from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sdk/testing/fault_rule.h"

namespace walrig::faults {

struct FaultProxyOptions {
  enum class Mode { kHttp, kTcp };
  Mode mode = Mode::kHttp;
  std::string upstream_host = "127.0.0.1";
  uint16_t upstream_port = 0;
  uint16_t listen_port = 0;  // 0: any
  // Called with each exchange at its end, from the connection's thread.
  std::function<void(const Exchange&)> on_exchange;
};

class FaultProxy {
 public:
  // FAILS WITH: kIoError (no port to listen on).
  static Result<std::unique_ptr<FaultProxy>> Start(FaultProxyOptions options);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  uint16_t port() const { return port_; }
  FaultScript& script() { return script_; }

  // All that came since the start or the last Forget. A request is entered when its head was read, so an attempt that
  // still hangs is counted.
  std::vector<Exchange> exchanges() const;
  size_t Attempts(std::string_view method, std::string_view target_part) const;
  void Forget();

  // Ends every connection and waits for the threads.
  void Stop();

 private:
  friend class ProxyConnection;
  explicit FaultProxy(FaultProxyOptions options) : options_(std::move(options)) {}
  void Listen();
  void JoinFinished();

  size_t Enter(const Exchange& exchange);
  void Leave(size_t number, const Exchange& exchange);

  const FaultProxyOptions options_;
  FaultScript script_;
  uint16_t port_ = 0;
  int listen_fd_ = -1, stop_fd_ = -1;
  mutable std::mutex mutex_;
  std::vector<Exchange> exchanges_;  // guarded by mutex_
  size_t forgotten_ = 0;             // guarded by mutex_: exchanges that Forget took away
  struct Worker {
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> finished;
  };
  std::vector<Worker> workers_;  // of the listening thread alone
  std::thread listener_;
};

}  // namespace walrig::faults
