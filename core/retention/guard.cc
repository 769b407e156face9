#include "core/retention/guard.h"

#include <fmt/format.h>

#include "core/layout/backup_name.h"

namespace walrig {

Status RefuseUnknownParents(const std::vector<BackupEntry>& entries, const std::string& target) {
  for (const BackupEntry& entry : entries) {
    if (entry.sentinel || entry.name == target) continue;
    auto name = ParseBackupName(entry.name);
    if (name.ok() && !name->parent) continue;
    return PreconditionFailed(fmt::format("whether {} needs {} cannot be told: {}", entry.name, target,
                                          entry.sentinel_status.message()))
        .Hint("delete that backup first, or say FORCE");
  }
  return OkStatus();
}

Status RefusePermanentIn(const Context& ctx, Storage& storage, const std::string& name) {
  const Result<BackupMetadata> metadata = LoadMetadata(ctx, storage, name);
  if (metadata.status().code() == Code::kNotFound || (metadata.ok() && !metadata->permanent)) return OkStatus();
  if (!metadata.ok() && metadata.status().code() != Code::kCorruption) return metadata.status();
  return PreconditionFailed(metadata.ok() ? name + " is marked permanent"
                                          : fmt::format("whether {} is permanent cannot be told: {}", name, metadata.status().message()))
      .Hint("to delete it all the same: delete everything FORCE, delete target NAME --force");
}

Status RefuseWanted(const Context& ctx, Storage& storage, const std::string& name, const std::vector<BackupEntry>& entries) {
  WALRIG_TRY(RefusePermanentIn(ctx, storage, name));
  for (const BackupEntry& entry : entries) {
    if (!entry.sentinel || !entry.sentinel->delta || entry.sentinel->delta->from != name) continue;
    return PreconditionFailed(fmt::format("{} has no sentinel, and {} needs it", name, entry.name))
        .Hint("bring its sentinel back, or say --force; its deltas are of no use then");
  }
  return RefuseUnknownParents(entries, name);
}

}  // namespace walrig
