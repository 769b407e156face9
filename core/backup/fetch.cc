#include "core/backup/fetch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "core/backup/recovery.h"
#include "core/backup/restore_plan.h"
#include "core/backup/restore_target.h"
#include "core/base/errno_status.h"
#include "core/base/string_util.h"
#include "core/catalog/object_reader.h"
#include "core/layout/paths.h"
#include "core/pgdata/file_unwrap.h"
#include "core/pgdata/finish.h"
#include "core/pipeline/tar_reader.h"
#include "core/pipeline/worker_pool.h"
#include "core/postgres/data_dir.h"
#include "core/postgres/relation_file.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

constexpr size_t kMissingNamesShown = 5;

// One restore under way: what all workers share.
struct Restore {
  const BackupFetchOptions& options;
  BackupFetchDeps& deps;
  RestorePlan& plan;
  TreeWriter& tree;
  const ObjectReader& reader;
  std::atomic<uint64_t> files{0}, directories{0}, plain_bytes{0}, skipped{0};
};

// A tablespace's link lies in the tar of a base backup over the replication protocol; ours is made already.
bool IsTablespaceLink(const RestorePlan& plan, std::string_view name) {
  const std::string head = fmt::format("{}/", kTablespaceDirName);
  return StartsWith(name, head) && plan.tablespaces.Find(name.substr(head.size())) != nullptr;
}

Status RestoreFile(const Context& ctx, Restore& job, const std::string& name, uint32_t mode, TarReader& tar) {
  const size_t index = job.plan.members->Find(name);
  MemberTable::Facts facts;
  if (index != MemberTable::kUnknown) facts = job.plan.members->FactsOf(index);
  if (!job.options.verify_manifest) facts.in_manifest = false;
  WALRIG_ASSIGN(MemberCheck check, MemberCheck::New(facts));
  // Not under its own name before everything else is durable.
  WALRIG_ASSIGN(TreeFile file, job.tree.CreateFile(name == kControlFilePath ? kControlFileWaiting : name, mode));
  for (;;) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(ByteSpan piece, tar.BodyView(ctx));
    if (piece.empty()) break;
    WALRIG_TRY(file.Write(piece));
    check.Update(piece);
    if (job.deps.progress != nullptr) job.deps.progress->AddBytes(piece.size());
  }
  WALRIG_TRY(check.Finish(name));
  job.plain_bytes += file.bytes();
  ++job.files;
  if (job.deps.progress != nullptr) job.deps.progress->AddFiles(1);
  if (index != MemberTable::kUnknown) job.plan.members->Claim(index);
  return file.Close();
}

// Whether a file of a part is to be written at all.
bool IsWanted(const Context& ctx, Restore& job, const std::string& name) {
  if (job.plan.IsReplaced(name)) return false;
  if (!job.plan.members->knows_files()) return true;
  const size_t index = job.plan.members->Find(name);
  const bool known = index != MemberTable::kUnknown;
  if (known && (job.plan.members->FactsOf(index).listed || job.plan.members->FactsOf(index).in_manifest)) return true;
  if (name == kControlFilePath || name == kBackupLabelName || name == kTablespaceMapName) return true;
  ++job.skipped;
  ctx.log->Write(LogLevel::kWarning, "backup-fetch",
                 fmt::format("'{}' is in a tar and not in {}: left out", Printable(name), kFilesMetadataName));
  return false;
}

void ClaimName(RestorePlan& plan, std::string_view name) {
  const size_t index = plan.members->Find(name);
  if (index != MemberTable::kUnknown) plan.members->Claim(index);
}

Status RestoreMember(const Context& ctx, Restore& job, const TarEntry& entry, TarReader& tar) {
  WALRIG_ASSIGN(std::string name, NormalizeMemberName(entry.name));
  switch (entry.type) {
    case TarEntry::Type::kFile:
      return IsWanted(ctx, job, name) ? RestoreFile(ctx, job, name, entry.mode, tar) : OkStatus();
    case TarEntry::Type::kDirectory:
      WALRIG_TRY(job.tree.MakeDirectory(name, entry.mode));
      ++job.directories;
      ClaimName(job.plan, name);
      return OkStatus();
    case TarEntry::Type::kSymlink:
      if (!IsTablespaceLink(job.plan, name)) WALRIG_TRY(job.tree.MakeSymlink(name, entry.link));
      ClaimName(job.plan, name);
      return OkStatus();
    default:
      return Corruption(fmt::format("'{}' is a hard link, device or other thing (type '{}') that no data directory holds",
                                    Printable(name), entry.type_flag));
  }
}

Status RestoreTar(const Context& ctx, Restore& job, const WorkerPool& pool, const TarObject& object) {
  WALRIG_ASSIGN(std::unique_ptr<Source> source, job.reader.OpenTar(ctx, object));
  TarReader tar(*source);
  while (!pool.failed()) {
    WALRIG_TRY(ctx.Poll());
    auto entry = tar.Next(ctx);
    if (!entry.ok()) return std::move(entry).status();
    if (!entry->has_value()) break;
    WALRIG_TRY(RestoreMember(ctx, job, **entry, tar));
  }
  return OkStatus();
}

Status RestoreParts(const Context& ctx, Restore& job) {
  const auto& parts = job.plan.objects.parts;
  WorkerPool pool(std::clamp<size_t>(job.options.workers, 1, parts.size()));
  for (const TarObject& object : parts) {
    pool.Submit([&ctx, &job, &pool, &object]() -> Status {
      Status status = RestoreTar(ctx, job, pool, object);
      if (status.ok() || status.message().find(object.key) != std::string_view::npos) return status;
      return std::move(status).With(object.key);
    });
  }
  return pool.Wait();
}

// pg_control.tar and backup_label.tar, whose members have been in memory since the plan was made.
Status RestoreSpecial(Restore& job) {
  for (const SmallMember& member : job.plan.special) {
    const bool control = member.name == kControlFilePath;
    if (member.name == kTablespaceMapName && job.plan.tablespaces_moved) {
      // PostgreSQL would make links to the old places from it; ours are right.
      ClaimName(job.plan, member.name);
      continue;
    }
    const size_t index = job.plan.members->Find(member.name);
    MemberTable::Facts facts;
    if (index != MemberTable::kUnknown) facts = job.plan.members->FactsOf(index);
    if (!job.options.verify_manifest) facts.in_manifest = false;
    WALRIG_ASSIGN(MemberCheck check, MemberCheck::New(facts));
    check.Update(AsBytes(member.body));
    WALRIG_TRY(check.Finish(member.name));
    WALRIG_TRY(job.tree.WriteFile(control ? kControlFileWaiting : member.name, member.entry.mode, member.body));
    if (index != MemberTable::kUnknown) job.plan.members->Claim(index);
    job.plain_bytes += member.body.size();
    ++job.files;
  }
  return OkStatus();
}

Status DropMovedTablespaceMap(Restore& job) {
  if (!job.plan.tablespaces_moved) return OkStatus();
  Status status = job.tree.RemoveFile(std::string(kTablespaceMapName));
  return status.code() == Code::kNotFound ? OkStatus() : status;
}

Result<std::vector<std::string>> MissingNames(const Context& ctx, Restore& job) {
  const MemberTable& members = *job.plan.members;
  if (job.plan.objects.has_files_metadata) {
    WALRIG_ASSIGN(std::unique_ptr<Source> source, job.reader.OpenDocument(ctx, kFilesMetadataName));
    WALRIG_ASSIGN(std::vector<std::string> names, members.UnclaimedFiles(ctx, *source, kMissingNamesShown));
    if (!names.empty()) return names;
  }
  if (!members.knows_manifest()) return std::vector<std::string>();
  WALRIG_ASSIGN(std::unique_ptr<Source> source, job.reader.OpenDocument(ctx, kManifestName));
  return members.UnclaimedManifest(ctx, *source, kMissingNamesShown);
}

Status MissingFiles(const Context& ctx, Restore& job) {
  WALRIG_ASSIGN(std::vector<std::string> names, MissingNames(ctx, job));
  std::string shown;
  for (const std::string& name : names) shown += fmt::format("{}'{}'", shown.empty() ? ": " : ", ", Printable(name));
  return Corruption(fmt::format("{} files of backup {} were in no tar of {}{}", job.plan.members->unclaimed(),
                                job.plan.backup_name, TarFolderKey(job.plan.backup_name), shown));
}

// Every promised file was met, and what PostgreSQL cannot do without is there.
Status CheckWhole(const Context& ctx, Restore& job) {
  RestorePlan& plan = job.plan;
  if (plan.objects.has_manifest) ClaimName(plan, kManifestName);  // written from its own object
  if (plan.members->unclaimed() > 0) return MissingFiles(ctx, job);
  if (!job.tree.ReadFile(kControlFileWaiting, 1).ok()) {
    return Corruption(fmt::format("{} is in no tar of backup {}", kControlFilePath, plan.backup_name));
  }
  const bool label_needed = plan.sentinel.pg_version >= 90600 && !plan.wale;
  if (label_needed && !job.tree.ReadFile(std::string(kBackupLabelName), 1).ok()) {
    return Corruption(fmt::format("{} is in no tar of backup {}", kBackupLabelName, plan.backup_name))
        .Hint("without backup_label PostgreSQL would recover from the wrong checkpoint");
  }
  return OkStatus();
}

Status WriteDocuments(const Context& ctx, Restore& job, const std::optional<RecoverySettings>& recovery) {
  if (job.plan.objects.has_manifest) {
    WALRIG_ASSIGN(std::unique_ptr<Source> source, job.reader.OpenDocument(ctx, kManifestName));
    const std::string_view dropped = job.plan.tablespaces_moved ? kTablespaceMapName : std::string_view();
    WALRIG_TRY(WriteManifest(ctx, *source, job.plan.members->manifest_info(), dropped, job.tree));
  }
  return recovery ? WriteRecoveryFiles(job.tree, *recovery) : OkStatus();
}

// Backups over the replication protocol have no entry for the data directory itself; PostgreSQL starts in 0700 or 0750
// only, and a cluster with group access shows it in its directories.
Status GiveRootMode(TreeWriter& tree) {
  if (tree.root_mode_known()) return OkStatus();
  WALRIG_ASSIGN(Fd global, tree.OpenDirectory("global"));
  struct stat info{};
  if (fstat(global.get(), &info) != 0) return ErrnoStatus(errno, "stat global");
  return tree.MakeDirectory("", (info.st_mode & 0777u) == 0750u ? 0750 : 0700);
}

// From here on the directory becomes whole: content, then its durability, then the name that lets PostgreSQL start.
Status Finish(const Context& ctx, const BackupFetchOptions& options, TreeWriter& tree, int64_t* sync_ns) {
  const auto begin_ns = static_cast<int64_t>(ctx.clock->MonotonicNs());
  WALRIG_TRY(GiveRootMode(tree));
  if (options.fsync) {
    auto synced = SyncTrees(ctx, tree.RootPaths(), options.workers);
    if (!synced.ok()) return std::move(synced).status().With("making the restore durable");
  }
  WALRIG_TRY(tree.ApplyDeferredModes(options.fsync));
  WALRIG_TRY(tree.RemoveFile(kRestoreMarker));
  if (options.fsync) {
    WALRIG_ASSIGN(Fd root, tree.OpenDirectory(""));
    WALRIG_TRY(FsyncDirFd(root.get(), "target directory"));
  }
  WALRIG_TRY(PublishControlFile(tree, options.fsync));
  *sync_ns = static_cast<int64_t>(ctx.clock->MonotonicNs()) - begin_ns;
  return OkStatus();
}

Status RestoreContent(const Context& ctx, Restore& job, const std::optional<RecoverySettings>& recovery) {
  WALRIG_TRY(RestoreParts(ctx, job));
  WALRIG_TRY(RestoreSpecial(job));
  WALRIG_TRY(CheckWhole(ctx, job));
  WALRIG_TRY(DropMovedTablespaceMap(job));
  return WriteDocuments(ctx, job, recovery);
}

BackupFetchReport MakeReport(const Restore& job) {
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

}  // namespace

Result<BackupFetchReport> BackupFetch(const Context& ctx, const BackupFetchOptions& given, BackupFetchDeps& deps) {
  const auto begin_ns = static_cast<int64_t>(ctx.clock->MonotonicNs());
  BackupFetchOptions options = given;
  WALRIG_ASSIGN(options.target_directory, AbsoluteTarget(given.target_directory));
  std::optional<RecoverySettings> recovery;
  if (options.recovery.requested()) {
    WALRIG_ASSIGN(recovery, RecoverySettingsOf(options.recovery));
  }
  WALRIG_ASSIGN(RestorePlan plan, PlanRestore(ctx, options, deps));
  WALRIG_TRY(CheckTarget(options.target_directory, plan, options.check_space));

  const auto total_bytes = static_cast<uint64_t>(std::max<int64_t>(plan.sentinel.uncompressed_bytes, 0));
  if (deps.progress != nullptr) deps.progress->SetTotal(total_bytes, plan.members->listed_files());
  WALRIG_ASSIGN(std::unique_ptr<TreeWriter> tree, PrepareTarget(options.target_directory, plan, options.fsync));
  ObjectReader reader(deps.storage, deps.codecs, plan.backup_name, plan.proof ? &*plan.proof : nullptr, deps.progress,
                      plan.seal ? &*plan.seal : nullptr);
  Restore job{options, deps, plan, *tree, reader};
  int64_t sync_ns = 0;
  Status status = RestoreContent(ctx, job, recovery);
  if (status.ok()) status = Finish(ctx, options, *tree, &sync_ns);
  if (!status.ok()) {
    return std::move(status).Hint(fmt::format("what was restored into {} is not whole and cannot be started: remove it{}",
                                              options.target_directory,
                                              plan.tablespaces.tablespaces().empty() ? "" : ", and its tablespaces' directories"));
  }
  BackupFetchReport report = MakeReport(job);
  report.sync_ns = sync_ns;
  report.elapsed_ns = static_cast<int64_t>(ctx.clock->MonotonicNs()) - begin_ns;
  return report;
}

}  // namespace walrig
