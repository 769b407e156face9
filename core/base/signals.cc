#include "core/base/signals.h"

#include <fmt/format.h>
#include <signal.h>

#include <atomic>
#include <cerrno>

#include "core/base/errno_status.h"

namespace walrig {
namespace {

// A handler can reach nothing but these. Constant initialisation: no guard that a handler could run into.
std::atomic<StopSource*> g_source{nullptr};
std::atomic<int> g_last_signal{0};
std::atomic<uint64_t> g_handled{0};  // bit n: signal n has our handler
static_assert(std::atomic<StopSource*>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void OnSignal(int signal) {
  g_last_signal.store(signal);
  if (StopSource* source = g_source.load(); source != nullptr) source->RequestStop();
}

}  // namespace

Status StopOnSignals(StopSource& source, std::initializer_list<int> signals) {
  g_source.store(&source);
  for (int signal : signals) {
    struct sigaction action = {};
    action.sa_handler = OnSignal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (signal < 1 || signal > 63 || ::sigaction(signal, &action, nullptr) != 0) {
      return ErrnoStatus(EINVAL, fmt::format("catch signal {}", signal));
    }
    g_handled.fetch_or(uint64_t{1} << signal);
  }
  return OkStatus();
}

int LastSignal() { return g_last_signal.load(); }

void RestoreSignals() {
  uint64_t handled = g_handled.exchange(0);
  for (int signal = 1; signal <= 63; ++signal) {
    if ((handled >> signal & 1) != 0) ::signal(signal, SIG_DFL);
  }
  g_source.store(nullptr);
  g_last_signal.store(0);
}

void IgnoreSignalsOfWrites() {
  for (const int signal : {SIGPIPE, SIGXFSZ}) ::signal(signal, SIG_IGN);
}

}  // namespace walrig
