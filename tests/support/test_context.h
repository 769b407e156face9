// TestContext: a Context with a fake clock, a log that remembers, and a stop that the test can request.
#pragma once

#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/stop.h"
#include "tests/support/fake_clock.h"
#include "walrig/context.h"

namespace walrig::test {

// Keeps every message. THREADS: any.
class MemoryLog final : public Log {
 public:
  struct Line {
    LogLevel level;
    std::string area;
    std::string text;
  };
  bool Enabled(LogLevel) const override { return true; }
  void Write(LogLevel level, std::string_view area, std::string_view text) override {
    std::lock_guard lock(mutex_);
    lines_.push_back({level, std::string(area), std::string(text)});
  }
  std::vector<Line> lines() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }
  // Whether a message of at least this level holds the text.
  bool Has(std::string_view text, LogLevel level = LogLevel::kTrace) const {
    std::lock_guard lock(mutex_);
    for (const Line& line : lines_) {
      if (line.level >= level && line.text.find(text) != std::string::npos) return true;
    }
    return false;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;  // guarded by mutex_
};

// The fake clock by default; UseRealClock() for what must really wait. Must outlive the contexts that it gave.
class TestContext {
 public:
  TestContext() {
    Result<std::unique_ptr<StopSource>> made = StopSource::New();
    if (!made.ok()) std::abort();
    stop_ = std::move(made).value();
    context_.stop = stop_->token();
    context_.log = &log_;
    context_.clock = &clock_;
  }
  TestContext(const TestContext&) = delete;
  TestContext& operator=(const TestContext&) = delete;

  const Context& ctx() const { return context_; }
  operator const Context&() const { return context_; }
  Context& mutable_ctx() { return context_; }
  MemoryLog& log() { return log_; }
  FakeClock& clock() { return clock_; }
  StopSource& stop() { return *stop_; }
  void UseRealClock() { context_.clock = &RealClock(); }

 private:
  MemoryLog log_;
  FakeClock clock_;
  std::unique_ptr<StopSource> stop_;
  Context context_;
};

}  // namespace walrig::test
