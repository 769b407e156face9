#include "core/backup/commit.h"

#include <fmt/format.h>

#include "core/catalog/backup_objects.h"
#include "core/catalog/object_reader.h"
#include "core/layout/paths.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

// What a put says that failed may be untrue: its first attempt had its effect, and the second found it.
Status SettleSentinel(const Context& ctx, Storage& storage, const BackupCommit& backup, Status failure) {
  if (failure.code() != Code::kAlreadyExists && !failure.outcome_unknown()) return failure;
  const std::string key = SentinelKey(backup.name);
  Result<bool> ours = HoldsText(ctx, storage, key, backup.sentinel_text);
  if (!ours.ok()) {
    return std::move(failure).With(
        fmt::format("whether the backup is there could not be found out ({})", ours.status().message()));
  }
  if (!*ours) return failure;
  ctx.log->Write(LogLevel::kInfo, "backup",
                 fmt::format("{} is stored, although the storage said: {}", key, failure.message()));
  return OkStatus();
}

}  // namespace

Status CheckStored(const Context& ctx, Storage& storage, const NameClaim& claim, const BackupCommit& backup) {
  WALRIG_TRY(claim.Check(ctx));
  if (!storage.capabilities().list_your_writes) return OkStatus();
  WALRIG_ASSIGN(BackupObjects stored, ListBackupObjects(ctx, storage, backup.name));
  WALRIG_TRY(CompareWithProof(backup.proof, stored));
  if (!stored.has_proof || !stored.has_manifest)
    return Corruption(fmt::format("{} or {} of backup {} is missing", kProofName, kManifestName, backup.name));
  if (backup.proof.sealed && !stored.has_seal) return Corruption(SealKey(backup.name) + " is missing");
  if (stored.parts.size() + stored.control.size() + stored.label.size() == backup.tars) return OkStatus();
  return Conflict(fmt::format("{} holds tars that this backup did not write", TarFolderKey(backup.name)));
}

Status StoreSentinel(const Context& ctx, Storage& storage, NameClaim& claim, const BackupCommit& backup) {
  Status status = WriteObject(ctx, storage, SentinelKey(backup.name), backup.sentinel_text, NewObject(storage));
  if (!status.ok()) status = SettleSentinel(ctx, storage, backup, std::move(status));
  if (!status.ok()) return std::move(status).With("storing the sentinel");
  // A run that claimed the name before the sentinel was there is deleting our parts; one that comes later sees it.
  Status claimed = claim.Check(ctx);
  if (claimed.code() == Code::kConflict) return claimed;
  if (claimed.ok()) claimed = claim.Remove(ctx);
  if (!claimed.ok())
    ctx.log->Write(LogLevel::kWarning, "backup",
                   fmt::format("{} may be left, which harms nobody: {}", claim.key(), claimed.ToString()));
  return OkStatus();
}

}  // namespace walrig
