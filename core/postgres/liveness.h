// LivenessWatch: notices during a long backup that the server's session died, or that the user wants to stop.
//
// It owns a stop source of its own, whose token the job's workers use: it is set when the user's token is set, when a
// ping fails, or when the job says so. So one token tells every worker to end, whatever the reason.
//
// OWNS: one thread, joined by the destructor. THREADS: all methods from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "core/base/stop.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

class LivenessWatch {
 public:
  using Ping = std::function<Status(const Context&)>;

  // Pings every `interval_ms`; 0: never, only the user's stop is passed on. `ctx` must outlive the watch. `ping` is
  // called from the watch's thread and never while a Pause lives.
  static Result<std::unique_ptr<LivenessWatch>> Start(const Context& ctx, uint64_t interval_ms, Ping ping);
  ~LivenessWatch();
  LivenessWatch(const LivenessWatch&) = delete;
  LivenessWatch& operator=(const LivenessWatch&) = delete;

  // The context for the work that is watched.
  Context context() const;
  // Why the work was stopped: the failed ping, kCancelled for the user's stop, OK when it was not stopped.
  Status cause() const;

  // While it lives no ping runs: for whoever uses the session that the ping uses.
  class Pause {
   public:
    explicit Pause(LivenessWatch& watch) : lock_(watch.session_mutex_) {}

   private:
    std::unique_lock<std::mutex> lock_;
  };

 private:
  LivenessWatch(const Context& ctx, uint64_t interval_ms, Ping ping, std::unique_ptr<StopSource> stop,
                std::unique_ptr<StopSource> end);
  void Run();
  void Fail(Status why);

  const Context& ctx_;
  const uint64_t interval_ms_;
  const Ping ping_;
  const std::unique_ptr<StopSource> stop_;  // what context() carries
  const std::unique_ptr<StopSource> end_;   // wakes the thread when the watch is over
  std::mutex session_mutex_;                // held around a ping
  mutable std::mutex cause_mutex_;
  Status cause_;                            // guarded by cause_mutex_
  std::jthread thread_;
};

}  // namespace walrig
