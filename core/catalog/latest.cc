#include "core/catalog/latest.h"

#include <algorithm>
#include <tuple>

namespace walrig {
namespace {

// By which the clocks of a server and of its storage may differ.
constexpr int64_t kClocksApartNs = 300'000'000'000;

int64_t StartTimeNs(const BackupEntry& entry) { return entry.sentinel ? entry.sentinel->start_time_ns : 0; }

}  // namespace

std::vector<size_t> MayBeNewer(const std::vector<BackupEntry>& entries) {
  const BackupEntry& last = entries.back();
  const int64_t finish_ns = std::min(FinishTimeNs(last), last.modified_ns);
  const int64_t start_ns = StartTimeNs(last);
  const int64_t took_ns = start_ns != 0 && start_ns < FinishTimeNs(last) ? FinishTimeNs(last) - start_ns : 0;
  std::vector<size_t> found;
  for (size_t i = 0; i + 1 < entries.size(); ++i) {
    const bool time_known = entries[i].modified_ns != 0 && last.modified_ns != 0;
    if (!time_known || entries[i].modified_ns >= finish_ns - std::max(took_ns, kClocksApartNs)) found.push_back(i);
  }
  return found;
}

size_t NewestOf(const std::vector<BackupEntry>& entries) {
  size_t newest = entries.size() - 1;
  const auto rank = [&entries](size_t i) {
    return std::make_tuple(FinishTimeNs(entries[i]), entries[i].modified_ns, entries[i].name);
  };
  for (const size_t i : MayBeNewer(entries)) {
    if (rank(i) > rank(newest)) newest = i;
  }
  return newest;
}

}  // namespace walrig
