#include "core/backup/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/backup/recovery.h"
#include "core/backup/restore_content.h"
#include "core/backup/restore_owner.h"
#include "core/backup/restore_plan.h"
#include "core/backup/restore_target.h"
#include "core/backup/restored_config.h"
#include "core/catalog/object_reader.h"
#include "core/layout/paths.h"
#include "core/pgdata/file_unwrap.h"
#include "core/pgdata/finish.h"
#include "core/postgres/data_dir.h"

namespace walrig {
namespace {

Status WriteDocuments(const Context& ctx, RestoreJob& job, const std::optional<RecoverySettings>& recovery) {
  if (job.plan.objects.has_manifest) {
    WALRIG_ASSIGN(std::unique_ptr<Source> source, job.reader.OpenDocument(ctx, kManifestName));
    const std::string_view dropped = job.plan.tablespaces_moved ? kTablespaceMapName : std::string_view();
    WALRIG_TRY(WriteManifest(ctx, *source, job.plan.members->manifest_info(), dropped, job.tree));
  }
  return recovery ? WriteRecoveryFiles(ctx, job.tree, *recovery) : OkStatus();
}

// From here on the directory becomes whole: content, then its durability, then the name that lets PostgreSQL start.
Status Finish(const Context& ctx, const BackupFetchOptions& options, TreeWriter& tree, int64_t* sync_ns) {
  const auto begin_ns = static_cast<int64_t>(ctx.clock->MonotonicNs());
  WALRIG_TRY(tree.FinishModes());
  if (options.fsync) {
    auto synced = SyncTrees(ctx, tree.RootPaths(), options.workers);
    if (!synced.ok()) return std::move(synced).status().With("making the restore durable");
  }
  WALRIG_TRY(tree.RemoveFile(kRestoreMarker));
  if (options.fsync) {
    WALRIG_ASSIGN(Fd root, tree.OpenDirectory(""));
    WALRIG_TRY(FsyncDirFd(root.get(), "target directory"));
  }
  WALRIG_TRY(PublishControlFile(tree, options.fsync));
  *sync_ns = static_cast<int64_t>(ctx.clock->MonotonicNs()) - begin_ns;
  return OkStatus();
}

BackupFetchReport MakeReport(const RestoreJob& job) {
  BackupFetchReport report;
  const RestorePlan& plan = job.plan;
  report.backup_name = plan.backup_name;
  report.files = job.files;
  report.directories = job.directories;
  report.plain_bytes = job.plain_bytes;
  report.objects = plan.objects.parts.size() + plan.objects.control.size() + plan.objects.label.size();
  report.stored_bytes = plan.objects.stored_bytes;
  report.manifest_checked = plan.members->knows_manifest() && job.options.verify_manifest;
  report.objects_checked = plan.proof.has_value();
  report.skipped_files = job.skipped;
  for (const Tablespace& tablespace : plan.tablespaces.tablespaces()) {
    report.tablespaces.emplace_back(tablespace.name, tablespace.location);
  }
  return report;
}

// What the operator must know of a restore that ended early: whether there is something to remove, and that it is of no use.
Status TellWhatIsLeft(Status status, const std::string& target, const RestorePlan* plan) {
  if (plan == nullptr) return std::move(status).With(fmt::format("nothing was written into {}", target));
  const bool spaces = !plan->tablespaces.empty();
  return std::move(status)
      .With(fmt::format("files were written into {}{}, which is not whole and cannot be used", target,
                        spaces ? " and the directories of its tablespaces" : ""))
      .Hint(fmt::format("remove what was restored into {}{}, and restore again", target,
                        spaces ? " and into the directories of its tablespaces" : ""));
}

Status Restore(const Context& ctx, RestoreJob& job, const std::optional<RecoverySettings>& recovery, int64_t* sync_ns) {
  WALRIG_TRY(RestoreContent(ctx, job));
  WALRIG_TRY(WriteDocuments(ctx, job, recovery));
  return Finish(ctx, job.options, job.tree, sync_ns);
}

// Everything before the first byte. `written` when that was reached.
Result<std::unique_ptr<TreeWriter>> Prepare(const Context& ctx, const BackupFetchOptions& options, const RestorePlan& plan,
                                            bool* written) {
  WALRIG_TRY(CheckTarget(options.target_directory, plan, options.check_space));
  WALRIG_ASSIGN(const std::optional<TreeOwner> owner, OwnerOfRestore(ctx, options.target_directory, plan));
  auto tree = PrepareTarget(options.target_directory, plan, owner, options.fsync);
  *written = HoldsUnfinishedRestore(options.target_directory);
  if (!tree.ok() || !owner) return tree;
  for (const std::string& root : (*tree)->RootPaths()) {
    const std::string closed = ClosedDirectoryAbove(root, *owner);
    if (closed.empty()) continue;
    ctx.log->Write(LogLevel::kWarning, "backup-fetch",
                   fmt::format("user {} may not enter {}, and cannot start a server in {}", UserText(owner->uid), closed, root));
  }
  return tree;
}

}  // namespace

Result<BackupFetchReport> BackupFetch(const Context& ctx, const BackupFetchOptions& given, BackupFetchDeps& deps) {
  const auto begin_ns = static_cast<int64_t>(ctx.clock->MonotonicNs());
  BackupFetchOptions options = given;
  auto absolute = AbsoluteTarget(given.target_directory);
  if (!absolute.ok()) return TellWhatIsLeft(std::move(absolute).status(), given.target_directory, nullptr);
  const std::string& target = options.target_directory = *std::move(absolute);
  std::optional<RecoverySettings> recovery;
  if (options.recovery.requested()) {
    auto settings = RecoverySettingsOf(options.recovery);
    if (!settings.ok()) return TellWhatIsLeft(std::move(settings).status(), target, nullptr);
    recovery = *std::move(settings);
  }
  auto planned = PlanRestore(ctx, options, deps);
  if (!planned.ok()) return TellWhatIsLeft(std::move(planned).status(), target, nullptr);
  RestorePlan& plan = *planned;
  bool written = false;
  auto tree = Prepare(ctx, options, plan, &written);
  if (!tree.ok()) return TellWhatIsLeft(std::move(tree).status(), target, written ? &plan : nullptr);

  const auto total_bytes = static_cast<uint64_t>(std::max<int64_t>(plan.sentinel.uncompressed_bytes, 0));
  if (deps.progress != nullptr) deps.progress->SetTotal(total_bytes, plan.members->listed_files());
  ObjectReader reader(deps.storage, deps.codecs, plan.backup_name, plan.proof ? &*plan.proof : nullptr, deps.progress,
                      plan.seal ? &*plan.seal : nullptr);
  RestoreJob job{options, deps, plan, **tree, reader};
  int64_t sync_ns = 0;
  if (Status status = Restore(ctx, job, recovery, &sync_ns); !status.ok()) {
    return TellWhatIsLeft(std::move(status), target, &plan);
  }
  TellOfDeadLinks(ctx, target, job);
  TellOfConfiguration(ctx, target);
  BackupFetchReport report = MakeReport(job);
  report.sync_ns = sync_ns;
  report.elapsed_ns = static_cast<int64_t>(ctx.clock->MonotonicNs()) - begin_ns;
  return report;
}

}  // namespace walrig
