#include "core/catalog/chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/layout/backup_name.h"

namespace walrig {

bool IsDelta(const std::string& backup_name, const Sentinel& sentinel) {
  if (sentinel.is_delta()) return true;
  auto name = ParseBackupName(backup_name);
  return name.ok() && name->parent.has_value();
}

Result<std::vector<std::string>> ChainOf(const Context& ctx, Storage& storage, const BackupEntry& entry) {
  std::vector<std::string> chain{entry.name};
  std::set<std::string> seen{entry.name};
  Sentinel sentinel = *entry.sentinel;
  while (IsDelta(chain.back(), sentinel)) {
    WALRIG_TRY(ctx.Poll());
    const std::string& child = chain.back();
    if (!sentinel.delta || sentinel.delta->from.empty()) {
      return Corruption(fmt::format("{} is an increment, but its sentinel does not say of which backup", child));
    }
    const std::string parent = sentinel.delta->from;
    if (!seen.insert(parent).second) {
      return Corruption(fmt::format("the chain of {} is a cycle: {} names {} as its parent", entry.name, child, parent));
    }
    auto loaded = LoadSentinel(ctx, storage, parent);
    if (loaded.status().code() == Code::kNotFound) {
      return Corruption(fmt::format("the chain of {} is broken: {}, the parent of {}, is missing", entry.name, parent, child));
    }
    if (!loaded.ok()) {
      return std::move(loaded).status().With(fmt::format("the chain of {} is broken at {}, the parent of {}", entry.name,
                                                         parent, child));
    }
    sentinel = std::move(loaded).value();
    chain.push_back(parent);
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

}  // namespace walrig
