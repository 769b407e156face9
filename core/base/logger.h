// Logger: log lines as WAL-G writes them, or one JSON object a line, with secrets blotted out.
//
// Text: "INFO: 2026/11/23 10:11:12.123456 message" in local time (WAL-G, tracelog). JSON:
// {"time":"2026-11-23T10:11:12.123456Z","level":"info","area":"storage/fs","message":"..."}.
// Each message is one write() of one line; line breaks and control bytes inside a message are escaped, so that a
// hostile name cannot forge a line.
// THREADS: all methods from any thread. A line that cannot be written is lost: logging never fails a job.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "walrig/log.h"
#include "walrig/result.h"

namespace walrig {

class Logger final : public Log {
 public:
  struct Options {
    LogLevel level = LogLevel::kInfo;
    bool json = false;
    int fd = 2;              // borrowed; not used when `path` is set
    std::string path;        // Open() appends to this file, created with mode 0644
    Clock* clock = nullptr;  // borrowed, for the time of a line; null: the real clock
  };

  // Writes to options.fd; options.path is not looked at. Cannot fail: for the first log of a process.
  explicit Logger(const Options& options);
  // FAILS WITH: what opening options.path says.
  static Result<std::unique_ptr<Logger>> Open(const Options& options);

  bool Enabled(LogLevel level) const override { return level >= level_.load(std::memory_order_relaxed); }
  void Write(LogLevel level, std::string_view area, std::string_view text) override;

  void SetLevel(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  // From now on every occurrence of `secret` in a message is "***". One of less than 4 bytes is such an occurrence only
  // where it stands as a value, as in key=ab, "ab" or user:ab@host: else the letters of all words would go. An empty
  // one is ignored.
  void RegisterSecret(std::string secret);

 private:
  std::string Blotted(std::string_view text) const;  // REQUIRES: mutex_ is held

  std::atomic<LogLevel> level_;
  const bool json_;
  Clock* const clock_;
  Fd file_;       // owned, when opened by path
  const int fd_;  // where lines go
  std::mutex mutex_;
  std::vector<std::string> secrets_;  // guarded by mutex_; longest first
};

// Throws every message away. For places that must have a Log and none to give.
class NullLog final : public Log {
 public:
  bool Enabled(LogLevel) const override { return false; }
  void Write(LogLevel, std::string_view, std::string_view) override {}
};

}  // namespace walrig
