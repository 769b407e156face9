#include "core/retention/garbage.h"

#include <utility>

#include "core/catalog/backups.h"
#include "core/retention/guard.h"
#include "core/storage/objects.h"
#include "core/storage/unfinished.h"

namespace walrig {
namespace {

// Moves what must stay out of `found`.
Status KeepWanted(const Context& ctx, Storage& storage, DeleteGarbageReport* report) {
  if (report->found.backups.empty()) return OkStatus();
  WALRIG_ASSIGN(const std::vector<BackupEntry> entries, ListBackups(ctx, storage, {.sentinels = true}));
  std::vector<LeftoverBackup> going;
  for (LeftoverBackup& backup : report->found.backups) {
    // A claim goes when the sentinel is there: where it still lies there never was a backup that anybody could want.
    const bool never_finished = backup.writer == ProcessState::kGone;
    const Status wanted = never_finished ? OkStatus() : RefuseWanted(ctx, storage, backup.name, entries);
    if (!wanted.ok() && wanted.code() != Code::kPreconditionFailed) return wanted;
    if (wanted.ok())
      going.push_back(std::move(backup));
    else
      report->kept.push_back({backup.name, std::string(wanted.message())});
  }
  report->found.backups = std::move(going);
  return OkStatus();
}

}  // namespace

Result<DeleteGarbageReport> DeleteGarbage(const Context& ctx, const DeleteGarbageOptions& options, Storage& storage) {
  DeleteGarbageReport report;
  WALRIG_ASSIGN(report.found, FindLeftovers(ctx, storage, options.age_ns));
  WALRIG_TRY(KeepWanted(ctx, storage, &report));
  if (!options.confirm) return report;
  for (const LeftoverBackup& backup : report.found.backups) {
    WALRIG_ASSIGN(const bool left, IsStillLeft(ctx, storage, backup));
    if (!left) {
      report.kept.push_back({backup.name, "it was finished or taken over meanwhile"});
      continue;
    }
    WALRIG_TRY(DeleteAll(ctx, storage, backup.keys).With("deleting what is left of " + backup.name));
    report.deleted_objects += backup.keys.size();
  }
  if (!report.found.uploads.empty()) {
    WALRIG_ASSIGN(report.removed_uploads, RemoveUnfinished(ctx, storage, report.found.uploads));
  }
  report.executed = true;
  return report;
}

}  // namespace walrig
