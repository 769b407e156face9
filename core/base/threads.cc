#include "core/base/threads.h"

#include <signal.h>

#include <string>
#include <system_error>
#include <utility>

namespace walrig {

namespace {

// Signals of this thread blocked while it lives; a new thread inherits the mask.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Result<std::jthread> StartThread(std::function<void()> body) {
  const AllSignalsBlocked blocked;
  try {
    return std::jthread(std::move(body));
  } catch (const std::system_error& error) {
    return Unavailable(std::string("start a thread: ") + error.what())
        .Hint("check ulimit -u, the cgroup's pids.max and, for its stack, ulimit -v");
  }
}

}  // namespace walrig
