#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

#include "core/base/exception_status.h"
#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/base/threads.h"

namespace walrig {
namespace {

constexpr std::string_view kWipe = "\r\033[K";

bool Wanted(const Settings& settings) {
  const Result<std::string> choice = settings.Choice("WALRIG_PROGRESS");
  if (!choice.ok() || *choice == "never") return false;
  return *choice == "always" || isatty(STDERR_FILENO) == 1;
}

void Draw(std::string_view text) {
  WriteAll(STDERR_FILENO, AsBytes(text), "write to standard error")
      .Ignore("a progress line is no reason to fail a job");
}

// What is to take longer is no estimate yet.
constexpr double kLeftMaxS = 365.0 * 86'400;

}  // namespace

std::string ProgressText(uint64_t done, uint64_t total, uint64_t elapsed_ns) {
  const double seconds = static_cast<double>(elapsed_ns) / 1e9;
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string text = FormatBytes(done);
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    text += fmt::format(" of {} ({}%)", FormatBytes(total), static_cast<int>(share * 100));
  }
  text += fmt::format(", {}/s", FormatBytes(static_cast<uint64_t>(rate)));
  const double left_s = total > done && rate > 0 ? static_cast<double>(total - done) / rate : 0;
  if (left_s > 0 && left_s < kLeftMaxS) {
    text += fmt::format(", {} left", FormatDuration(static_cast<int64_t>(left_s) * 1'000'000'000));
  }
  return text;
}

struct ProgressLine::Impl : public Log {
  explicit Impl(const Context& outer) : inner(*outer.log), context(outer) {
    context.log = this;
    begun_ns = outer.clock->MonotonicNs();
  }

  bool Enabled(LogLevel level) const override { return inner.Enabled(level); }
  void Write(LogLevel level, std::string_view area, std::string_view text) override {
    const std::lock_guard lock(mutex);
    if (drawn && inner.Enabled(level)) Wipe();
    inner.Write(level, area, text);
  }

  void Wipe() {
    Draw(kWipe);
    drawn = false;
  }

  void Run() {
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, std::chrono::milliseconds(500), [this] { return stopping; })) {
      const uint64_t elapsed_ns = context.clock->MonotonicNs() - begun_ns;
      Draw(fmt::format("{}{}", kWipe, ProgressText(counters.bytes_done(), counters.bytes_total(), elapsed_ns)));
      drawn = true;
    }
    if (drawn) Wipe();
  }

  Log& inner;
  Context context;
  ProgressCounters counters;
  uint64_t begun_ns = 0;
  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;  // guarded by mutex
  bool drawn = false;     // guarded by mutex
  std::jthread thread;
};

ProgressLine::ProgressLine(const Context& ctx, const Settings& settings) : impl_(std::make_unique<Impl>(ctx)) {
  if (!Wanted(settings)) return;
  Result<std::jthread> thread = StartThread([impl = impl_.get()] {
    Guarded("the progress line", [impl] { return impl->Run(), OkStatus(); }).Ignore("a failed progress line must not fail the job");
  });
  if (thread.ok()) impl_->thread = std::move(*thread);  // without a thread there is no line
}

ProgressLine::~ProgressLine() { Stop(); }

const Context& ProgressLine::context() const { return impl_->context; }
ProgressCounters& ProgressLine::counters() { return impl_->counters; }

void ProgressLine::Stop() {
  if (!impl_->thread.joinable()) return;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  impl_->thread.join();
}

}  // namespace walrig
