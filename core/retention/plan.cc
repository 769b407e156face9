#include "core/retention/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/layout/paths.h"

namespace walrig {
namespace {

Status RefusePermanent(const std::vector<RetentionBackup>& backups, const std::set<std::string>& going,
                       std::string_view what) {
  for (const RetentionBackup& backup : backups) {
    if (going.count(backup.name) == 0) continue;
    if (!backup.permanent) {
      return PreconditionFailed(fmt::format("{}: whether {} is permanent cannot be told: {}", what, backup.name,
                                            backup.unknown_because))
          .Hint("repair its metadata.json, or override it: delete everything FORCE, delete target NAME --force");
    }
    if (*backup.permanent) {
      return PreconditionFailed(fmt::format("{}: {} is permanent", what, backup.name))
          .Hint("it was kept on purpose; to delete it all the same: delete everything FORCE, delete target NAME --force");
    }
  }
  return OkStatus();
}

// How many ancestors a backup has; a cycle counts once around.
size_t DepthOf(const std::string& name, const std::map<std::string, std::string>& parents) {
  std::set<std::string> seen;
  std::string at = name;
  while (seen.insert(at).second) {
    auto it = parents.find(at);
    if (it == parents.end() || it->second.empty()) break;
    at = it->second;
  }
  return seen.size();
}

// Which backup an object belongs to; "" for none. Folders have the backup's name, sentinels its name as a head.
std::string OwnerOf(const ObjectInfo& object) {
  if (auto name = BackupOfKey(object.key)) return *name;
  if (!object.key.starts_with(kBackupsFolder)) return {};
  // Beside the sentinel: "<backup>_backup_...", as WAL-G takes it.
  const std::string_view rest = std::string_view(object.key).substr(kBackupsFolder.size());
  const size_t cut = rest.find("_backup");
  return cut == std::string_view::npos ? std::string() : std::string(rest.substr(0, cut));
}

DeletionPlan MakePlan(const std::set<std::string>* going, const std::vector<RetentionBackup>& backups,
                      const std::vector<ObjectInfo>& objects) {
  std::map<std::string, std::string> parents;
  for (const RetentionBackup& backup : backups) parents[backup.name] = backup.parent;
  DeletionPlan plan;
  std::vector<std::pair<size_t, std::string>> sentinels;
  for (const ObjectInfo& object : objects) {
    if (object.is_prefix) continue;
    if (going != nullptr && going->count(OwnerOf(object)) == 0) continue;
    plan.bytes += object.size_bytes;
    if (auto name = BackupOfSentinelKey(object.key)) {
      sentinels.emplace_back(DepthOf(*name, parents), object.key);
      plan.backups.push_back(*name);
    } else {
      plan.objects.push_back(object.key);
    }
  }
  // Children first: a parent without its children is a backup, the other way round it is not.
  std::stable_sort(sentinels.begin(), sentinels.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (auto& [depth, key] : sentinels) plan.sentinels.push_back(std::move(key));
  return plan;
}

}  // namespace

Result<DeletionPlan> PlanDeleteEverything(const DeleteEverything& rule, const std::vector<RetentionBackup>& backups,
                                          const std::vector<ObjectInfo>& objects) {
  if (!rule.force) {
    std::set<std::string> all;
    for (const RetentionBackup& backup : backups) all.insert(backup.name);
    WALRIG_TRY(RefusePermanent(backups, all, "delete everything"));
  }
  return MakePlan(nullptr, backups, objects);
}

Result<DeletionPlan> PlanDeleteTarget(const DeleteTarget& rule, const std::vector<RetentionBackup>& backups,
                                      const std::vector<ObjectInfo>& objects) {
  std::set<std::string> going;
  for (const RetentionBackup& backup : backups) {
    if (backup.name == rule.name) going.insert(rule.name);
  }
  if (going.empty()) return NotFound(fmt::format("backup '{}' does not exist", rule.name));
  for (bool grown = true; grown;) {
    grown = false;
    for (const RetentionBackup& backup : backups) {
      if (going.count(backup.parent) != 0 && going.insert(backup.name).second) grown = true;
    }
  }
  if (!rule.force) WALRIG_TRY(RefusePermanent(backups, going, "delete target " + rule.name));
  return MakePlan(&going, backups, objects);
}

}  // namespace walrig
