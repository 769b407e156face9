#include "core/backup/storage_check.h"

#include <fmt/format.h>

#include <optional>

#include "core/base/fd.h"
#include "core/catalog/backups.h"
#include "core/catalog/leftovers.h"
#include "core/layout/backup_name.h"
#include "core/layout/claim.h"
#include "core/layout/paths.h"
#include "core/pgdata/placement.h"

namespace walrig {
namespace {

void Warn(const Context& ctx, std::string_view text) { ctx.log->Write(LogLevel::kWarning, "backup", text); }

// What cannot be listed is no reason not to take a backup.
Status SayLeftovers(const Context& ctx, Storage& storage) {
  const Result<Leftovers> leftovers = FindLeftovers(ctx, storage, kLeftoverAgeNs);
  if (leftovers.status().code() == Code::kCancelled) return leftovers.status();
  if (!leftovers.ok())
    ctx.log->Write(LogLevel::kInfo, "backup", "what interrupted runs left was not looked for: " + leftovers.status().ToString());
  else if (!leftovers->empty())
    Warn(ctx, DescribeLeftovers(*leftovers));
  return OkStatus();
}

}  // namespace

Status CheckStorage(const Context& ctx, const BackupPushOptions& options, const BackupPushDeps& deps,
                    const std::string& data_directory, uint64_t system_identifier) {
  for (const std::string& directory : options.storage_directories)
    WALRIG_TRY(CheckOutsideCluster(data_directory, directory));
  WALRIG_TRY(CheckSameCluster(ctx, deps.storage, system_identifier, options.allow_other_cluster));
  for (Storage* const other : deps.archives) {
    const Status same = CheckSameCluster(ctx, *other, system_identifier, options.allow_other_cluster);
    if (same.code() == Code::kPreconditionFailed || same.code() == Code::kCancelled) return same;
    if (!same.ok()) Warn(ctx, "another storage could not be asked whose backups it holds: " + same.ToString());
  }
  return SayLeftovers(ctx, deps.storage);
}

Status CheckSameCluster(const Context& ctx, Storage& storage, uint64_t system_identifier, bool allowed) {
  BackupSelector latest;
  latest.name = std::string(kLatest);
  const Result<BackupEntry> entry = FindBackup(ctx, storage, latest);
  // kConfig: its folder does not exist yet (SSH), and the first object makes it.
  if (entry.status().code() == Code::kNotFound || entry.status().code() == Code::kConfig) return OkStatus();
  if (!entry.ok()) return entry.status();
  std::optional<uint64_t> other;
  if (entry->sentinel) other = entry->sentinel->system_identifier;
  if (!other && entry->metadata) other = entry->metadata->system_identifier;
  if (!other || *other == 0 || *other == system_identifier) return OkStatus();
  const std::string text = fmt::format("the latest backup in the storage, {}, is of another cluster: its system identifier is {}, "
                                       "that of this one is {}",
                                       entry->name, *other, system_identifier);
  if (!allowed)
    return PreconditionFailed(text).Hint(
        "two clusters under one prefix overwrite each other's WAL: give each a prefix of its own. After pg_upgrade, or for a "
        "new cluster in the place of the old one, set WALRIG_ALLOW_OTHER_CLUSTER=true for one backup");
  ctx.log->Write(LogLevel::kWarning, "backup", text + "; WALRIG_ALLOW_OTHER_CLUSTER allows it");
  return OkStatus();
}

Status CheckNotPacked(const FileSet& files, const std::string& claim_text) {
  for (size_t i = 0; i < files.size(); ++i) {
    const FileEntry& entry = files.entry(i);
    if (files.BaseName(entry) != kClaimName || entry.kind != FileKind::kFile) continue;
    const std::string path = files.Path(entry);
    const Result<std::string> text = ReadWholeFile(path, kClaimBytesMax);
    if (!text.ok() || *text != claim_text) continue;
    return InvalidArgument(fmt::format("the storage lies in the cluster that is backed up: {} is an object of it", path))
        .Hint("each backup would hold all earlier ones: give the storage a directory outside of the data directory and its "
              "tablespaces, better on another machine");
  }
  return OkStatus();
}

}  // namespace walrig
