#include "core/backup/composer.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "core/pipeline/tar_entry.h"

namespace walrig {
namespace {

// "/base/5" of "/base/5/1259"; empty for what does not lie in a database's directory.
std::string DatabaseDirectory(const std::string& member) {
  constexpr std::string_view kBase = "/base/";
  if (member.compare(0, kBase.size(), kBase) != 0) return {};
  const size_t slash = member.find('/', kBase.size());
  return slash == std::string::npos ? std::string() : member.substr(0, slash);
}

}  // namespace

TarPlanner::TarPlanner(const FileSet& files, const Options& options) : files_(files), options_(options) {
  if (options_.composer != TarComposer::kDatabase) return;
  std::map<std::string, uint32_t> numbers;
  groups_.resize(files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string directory = DatabaseDirectory(files.MemberName(files.entry(i)));
    if (directory.empty()) continue;
    groups_[i] = numbers.emplace(directory, static_cast<uint32_t>(numbers.size() + 1)).first->second;
  }
  order_.resize(files.size());
  std::iota(order_.begin(), order_.end(), 0u);
  std::stable_sort(order_.begin(), order_.end(), [this](uint32_t a, uint32_t b) { return groups_[a] < groups_[b]; });
}

std::optional<TarUnit> TarPlanner::Next() {
  std::lock_guard lock(mutex_);
  if (next_ >= files_.size()) return std::nullopt;
  TarUnit unit;
  unit.begin = unit.end = next_;
  unit.group = GroupOf(Index(next_));
  uint64_t tar_bytes = 0;
  while (next_ < files_.size() && GroupOf(Index(next_)) == unit.group) {
    const uint64_t size = files_.entry(Index(next_)).size_bytes;
    if (size > options_.unit_bytes) {
      if (unit.begin != unit.end) break;
      unit.big = true, unit.payload_bytes = size, unit.end = ++next_;
      break;
    }
    if (unit.begin != unit.end && tar_bytes + size > options_.unit_bytes) break;
    tar_bytes += size + kTarBlockBytes;
    unit.payload_bytes += size;
    unit.end = ++next_;
    if (unit.payload_bytes > options_.part_bytes_max) break;
  }
  return unit;
}

}  // namespace walrig
