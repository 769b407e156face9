#include "core/postgres/liveness.h"

#include <poll.h>

#include <algorithm>

#include "core/base/exception_status.h"
#include "core/base/threads.h"

namespace walrig {

LivenessWatch::LivenessWatch(const Context& ctx, uint64_t interval_ms, Ping ping, std::unique_ptr<StopSource> stop,
                             std::unique_ptr<StopSource> end)
    : ctx_(ctx), interval_ms_(interval_ms), ping_(std::move(ping)), stop_(std::move(stop)), end_(std::move(end)) {}

Result<std::unique_ptr<LivenessWatch>> LivenessWatch::Start(const Context& ctx, uint64_t interval_ms, Ping ping) {
  WALRIG_ASSIGN(auto stop, StopSource::New());
  WALRIG_ASSIGN(auto end, StopSource::New());
  std::unique_ptr<LivenessWatch> watch(
      new LivenessWatch(ctx, interval_ms, std::move(ping), std::move(stop), std::move(end)));
  WALRIG_ASSIGN(watch->thread_, StartThread([self = watch.get()] { self->Run(); }));
  return watch;
}

LivenessWatch::~LivenessWatch() {
  end_->RequestStop();
  if (thread_.joinable()) thread_.join();
}

Context LivenessWatch::context() const {
  Context watched = ctx_;
  watched.stop = stop_->token();
  return watched;
}

Status LivenessWatch::cause() const {
  std::lock_guard lock(cause_mutex_);
  return cause_;
}

void LivenessWatch::Fail(Status why) {
  {
    std::lock_guard lock(cause_mutex_);
    if (cause_.ok()) cause_ = std::move(why);
  }
  stop_->RequestStop();
}

void LivenessWatch::Run() {
  const uint64_t interval_ns = interval_ms_ * 1'000'000;
  uint64_t next_ns = ctx_.clock->MonotonicNs() + interval_ns;
  while (!end_->requested()) {
    if (ctx_.stop.requested()) return Fail(Cancelled());
    const uint64_t now = ctx_.clock->MonotonicNs();
    if (interval_ms_ != 0 && now >= next_ns) {
      // A session in use is alive, or its user will notice.
      if (std::unique_lock session(session_mutex_, std::try_to_lock); session.owns_lock()) {
        Status status = Guarded("asking the server", [&] { return ping_(ctx_); });  // the user's own stop must end a ping that hangs
        if (!status.ok() && !ctx_.stop.requested()) return Fail(std::move(status).With("alive check"));
      }
      next_ns = ctx_.clock->MonotonicNs() + interval_ns;
      continue;
    }
    const uint64_t wait_ms = interval_ms_ == 0 ? 1000 : std::min<uint64_t>(1000, (next_ns - now) / 1'000'000 + 1);
    pollfd fds[2] = {{end_->token().fd(), POLLIN, 0}, {ctx_.stop.fd(), POLLIN, 0}};
    poll(fds, ctx_.stop.fd() >= 0 ? 2 : 1, static_cast<int>(wait_ms));
  }
}

}  // namespace walrig
