// Log, Clock and Metrics: the three small interfaces that every call may need and none may own.
//
// Implementations are in core/base (logger, clock) and core/metrics; a plugin gets its own behind the C ABI.
// THREADS: all methods may be called from any thread at any time. None of them fails.
#pragma once

#include <cstdint>
#include <string_view>

namespace walrig {

enum class LogLevel : int32_t { kTrace = 0, kDebug = 1, kInfo = 2, kWarning = 3, kError = 4 };

class Log {
 public:
  virtual ~Log() = default;
  // Cheap; ask before building an expensive message.
  virtual bool Enabled(LogLevel level) const = 0;
  // `area` names the room or plugin that speaks ("storage/fs"); may be empty. UTF-8, no line break at the end.
  // Registered secrets are blotted out by the implementation.
  virtual void Write(LogLevel level, std::string_view area, std::string_view text) = 0;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t WallNs() const = 0;        // nanoseconds since 1970-01-01 UTC
  virtual uint64_t MonotonicNs() const = 0;  // CLOCK_MONOTONIC
  // Sleeps, or returns early when `stop_fd` (may be -1) becomes readable. A fake clock only moves its hands.
  virtual void SleepNs(uint64_t ns, int stop_fd) = 0;
};

class Metrics {
 public:
  virtual ~Metrics() = default;
  virtual void Add(std::string_view name, double value) = 0;
};

}  // namespace walrig
