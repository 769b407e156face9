#include "core/retention/execute.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/layout/backup_name.h"
#include "core/layout/paths.h"
#include "core/retention/guard.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

constexpr size_t kKeysPerCall = 1000;

RetentionBackup DescribeBackup(const BackupEntry& entry) {
  RetentionBackup backup;
  backup.name = entry.name;
  if (entry.sentinel && entry.sentinel->delta) backup.parent = entry.sentinel->delta->from;
  if (entry.metadata) {
    backup.permanent = entry.metadata->permanent;
  } else if (entry.metadata_status.code() == Code::kNotFound && entry.sentinel && entry.sentinel->version < 2) {
    // Backups from before metadata.json, and WAL-E's, cannot have been marked: only their creation can have said it.
    // Where there must be one, a lost metadata.json may have held the mark.
    backup.permanent = entry.sentinel->permanent;
  } else {
    backup.unknown_because = entry.metadata_status.ToString();
  }
  return backup;
}

Status DeleteBatch(const Context& ctx, Storage& storage, std::span<const std::string> keys, uint64_t* deleted) {
  WALRIG_TRY(ctx.Poll());
  std::vector<Status> each;
  WALRIG_TRY(storage.Delete(ctx, keys, &each));
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i < each.size() && !each[i].ok()) return std::move(each[i]).With("delete " + keys[i]);
    ++*deleted;
  }
  return OkStatus();
}

DeletionPlan PlanLeftover(const std::vector<ObjectInfo>& objects) {
  DeletionPlan plan;
  for (const ObjectInfo& object : objects) {
    plan.objects.push_back(object.key);
    plan.bytes += object.size_bytes;
  }
  return plan;
}

Result<DeletionPlan> Plan(const Context& ctx, const DeleteOptions& options, Storage& storage) {
  ListBackupsOptions read;
  read.sentinels = read.metadata = true;
  WALRIG_ASSIGN(std::vector<BackupEntry> entries, ListBackups(ctx, storage, read));
  std::vector<RetentionBackup> backups;
  for (const BackupEntry& entry : entries) backups.push_back(DescribeBackup(entry));
  if (options.everything) {
    WALRIG_ASSIGN(std::vector<ObjectInfo> objects, ListAll(ctx, storage, ""));
    return PlanDeleteEverything({.force = options.force}, backups, objects);
  }
  auto found = FindBackup(ctx, storage, options.target);
  if (!found.ok()) {
    // An interrupted deletion, or an interrupted backup: the folder is there and its sentinel is not.
    if (found.status().code() == Code::kNotFound && ParseBackupName(options.target.name).ok()) {
      WALRIG_ASSIGN(std::vector<ObjectInfo> rest, ListAll(ctx, storage, BackupFolder(options.target.name)));
      if (!rest.empty() && !options.force) WALRIG_TRY(RefuseWanted(ctx, storage, options.target.name, entries));
      if (!rest.empty()) return PlanLeftover(rest);
    }
    return std::move(found).status();
  }
  const BackupEntry target = std::move(found).value();
  if (!options.force) WALRIG_TRY(RefuseUnknownParents(entries, target.name));
  WALRIG_ASSIGN(std::vector<ObjectInfo> objects, ListAll(ctx, storage, kBackupsFolder));
  return PlanDeleteTarget({.name = target.name, .force = options.force}, backups, objects);
}

}  // namespace

Status ExecuteDeletion(const Context& ctx, Storage& storage, const DeletionPlan& plan, uint64_t* deleted) {
  for (const std::string& key : plan.sentinels) WALRIG_TRY(DeleteBatch(ctx, storage, {&key, 1}, deleted));
  const std::span<const std::string> rest(plan.objects);
  for (size_t from = 0; from < rest.size(); from += kKeysPerCall) {
    WALRIG_TRY(DeleteBatch(ctx, storage, rest.subspan(from, std::min(kKeysPerCall, rest.size() - from)), deleted));
  }
  return OkStatus();
}

Result<DeleteReport> DeleteBackups(const Context& ctx, const DeleteOptions& options, Storage& storage) {
  DeleteReport report;
  WALRIG_ASSIGN(report.plan, Plan(ctx, options, storage));
  for (Storage* const copy : options.copies) {
    for (const std::string& name : report.plan.backups) {
      if (!options.force) WALRIG_TRY(RefusePermanentIn(ctx, *copy, name));
    }
  }
  if (!options.confirm) return report;
  if (!options.everything && report.plan.backups.empty()) {
    WALRIG_ASSIGN(const bool finished, Exists(ctx, storage, SentinelKey(options.target.name)));
    if (finished) return Conflict(options.target.name + " was finished meanwhile: it is a backup now, and nothing was deleted");
  }
  WALRIG_TRY(ExecuteDeletion(ctx, storage, report.plan, &report.deleted));
  report.executed = true;
  return report;
}

}  // namespace walrig
