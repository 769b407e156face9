// MetricsRegistry: named numbers that only grow, for one process.
//
// A name is a Prometheus name with optional labels: walrig_storage_bytes_total{op="get"}.
// THREADS: all methods from any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "walrig/log.h"

namespace walrig {

class MetricsRegistry final : public Metrics {
 public:
  // Adds `value` to the counter, which starts at 0. A value that is negative or not a number is ignored: counters
  // never fall. So is a new name beyond kNamesMax, so that a name built from hostile input cannot eat the memory.
  void Add(std::string_view name, double value) override;

  // 0 for a name that was never added to.
  double Value(std::string_view name) const;
  // A copy, in byte order of the names.
  std::map<std::string, double> Snapshot() const;

  static constexpr size_t kNamesMax = 4096;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, double, std::less<>> values_;  // guarded by mutex_
};

}  // namespace walrig
