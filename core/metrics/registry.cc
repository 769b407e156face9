#include "core/metrics/registry.h"

namespace walrig {

void MetricsRegistry::Add(std::string_view name, double value) {
  if (!(value >= 0)) return;
  std::lock_guard lock(mutex_);
  auto place = values_.find(name);
  if (place == values_.end()) {
    if (values_.size() >= kNamesMax) return;
    place = values_.emplace(name, 0.0).first;
  }
  place->second += value;
}

double MetricsRegistry::Value(std::string_view name) const {
  std::lock_guard lock(mutex_);
  auto place = values_.find(name);
  return place == values_.end() ? 0.0 : place->second;
}

std::map<std::string, double> MetricsRegistry::Snapshot() const {
  std::lock_guard lock(mutex_);
  return {values_.begin(), values_.end()};
}

}  // namespace walrig
