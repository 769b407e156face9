#include "core/backup/restore_content.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/string_util.h"
#include "core/layout/paths.h"
#include "core/pgdata/finish.h"
#include "core/pgdata/restored_mode.h"
#include "core/pipeline/tar_reader.h"
#include "core/pipeline/worker_pool.h"
#include "core/postgres/data_dir.h"
#include "core/postgres/recovery_conf.h"

namespace walrig {
namespace {

constexpr size_t kMissingNamesShown = 5;
constexpr size_t kLinksKept = 1000;

void WarnOfMember(const Context& ctx, const std::string& text) { ctx.log->Write(LogLevel::kWarning, "backup-fetch", text); }

// A tablespace's link lies in the tar of a base backup over the replication protocol; ours is made already.
bool IsTablespaceLink(const RestorePlan& plan, std::string_view name) {
  const std::string head = fmt::format("{}/", kTablespaceDirName);
  return StartsWith(name, head) && plan.tablespaces.Find(name.substr(head.size())) != nullptr;
}

// Whether the file was another's than the server's in the directory that was backed up.
bool IsForeign(const RestorePlan& plan, const TarEntry& entry) {
  const SmallMember* control = plan.Special(kControlFilePath);
  return control != nullptr && control->entry.uid != 0 && control->entry.uid != entry.uid;
}

Status RestoreFile(const Context& ctx, RestoreJob& job, const std::string& name, const TarEntry& entry, TarReader& tar) {
  const size_t index = job.plan.members->Find(name);
  MemberTable::Facts facts;
  if (index != MemberTable::kUnknown) facts = job.plan.members->FactsOf(index);
  if (!job.options.verify_manifest) facts.in_manifest = false;
  WALRIG_ASSIGN(MemberCheck check, MemberCheck::New(facts));
  const uint32_t mode = RestoredFileMode(name, entry.mode, IsForeign(job.plan, entry));
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
bool IsWanted(const Context& ctx, RestoreJob& job, const std::string& name) {
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

Status RestoreLink(const Context& ctx, RestoreJob& job, const std::string& name, const std::string& target) {
  if (LinkHidesData(name)) {
    return Corruption(fmt::format("'{}' is a symbolic link to '{}' in the backup, which does not hold what the link led to",
                                  Printable(name), Printable(target)))
        .Hint("the server kept a part of its data behind this link: only a backup that walrig takes now has it");
  }
  if (PartOfDataDir(name) == DataDirPart::kRebuilt) {
    WarnOfMember(ctx, fmt::format("'{}' is a symbolic link to '{}' in the backup: a directory takes its place", Printable(name),
                          Printable(target)));
    return job.tree.EnsureDirectory(name);
  }
  // WAL-G stores the link's own name in the place of where it leads.
  if (target == name.substr(name.rfind('/') + 1) || target == "/" + name) {
    WarnOfMember(ctx, fmt::format("'{}' is a symbolic link, and the backup does not say where it led: left out", Printable(name)));
    return OkStatus();
  }
  WALRIG_TRY(job.tree.MakeSymlink(name, target));
  std::lock_guard lock(job.mutex);
  if (job.links.size() < kLinksKept) job.links.emplace_back(name, target);
  return OkStatus();
}

Status RestoreMember(const Context& ctx, RestoreJob& job, const TarEntry& entry, TarReader& tar) {
  WALRIG_ASSIGN(std::string name, NormalizeMemberName(entry.name));
  switch (entry.type) {
    case TarEntry::Type::kFile:
      return IsWanted(ctx, job, name) ? RestoreFile(ctx, job, name, entry, tar) : OkStatus();
    case TarEntry::Type::kDirectory:
      WALRIG_TRY(job.tree.MakeDirectory(name, entry.mode));
      ++job.directories;
      ClaimName(job.plan, name);
      return OkStatus();
    case TarEntry::Type::kSymlink:
      ClaimName(job.plan, name);
      if (job.plan.IsReplaced(name) || IsTablespaceLink(job.plan, name)) return OkStatus();
      return RestoreLink(ctx, job, name, entry.link);
    default:
      return Corruption(fmt::format("'{}' is a hard link, device or other thing (type '{}') that no data directory holds",
                                    Printable(name), entry.type_flag));
  }
}

Status RestoreTar(const Context& ctx, RestoreJob& job, const WorkerPool& pool, const TarObject& object) {
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

Status RestoreParts(const Context& ctx, RestoreJob& job) {
  const auto& parts = job.plan.objects.parts;
  WorkerPool pool(std::max<size_t>(1, std::min(job.options.workers, parts.size())));
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
Status RestoreSpecial(RestoreJob& job) {
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
    // Of the labels the tar says no mode of their own: they are made by the backup.
    WALRIG_TRY(control ? job.tree.WriteFile(kControlFileWaiting, RestoredFileMode(member.name, member.entry.mode, false),
                                            member.body)
                       : job.tree.WriteOwnFile(member.name, member.body));
    if (index != MemberTable::kUnknown) job.plan.members->Claim(index);
    job.plain_bytes += member.body.size();
    ++job.files;
  }
  return OkStatus();
}

Status DropMovedTablespaceMap(RestoreJob& job) {
  if (!job.plan.tablespaces_moved) return OkStatus();
  Status status = job.tree.RemoveFile(std::string(kTablespaceMapName));
  return status.code() == Code::kNotFound ? OkStatus() : status;
}

Result<std::vector<std::string>> MissingNames(const Context& ctx, RestoreJob& job) {
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

Status MissingFiles(const Context& ctx, RestoreJob& job) {
  WALRIG_ASSIGN(std::vector<std::string> names, MissingNames(ctx, job));
  std::string shown;
  for (const std::string& name : names) shown += fmt::format("{}'{}'", shown.empty() ? ": " : ", ", Printable(name));
  return Corruption(fmt::format("{} files of backup {} were in no tar of {}{}", job.plan.members->unclaimed(),
                                job.plan.backup_name, TarFolderKey(job.plan.backup_name), shown));
}

// Every promised file was met, and what PostgreSQL cannot do without is there.
Status CheckWhole(const Context& ctx, RestoreJob& job) {
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


Status MakeRequiredDirectories(RestoreJob& job) {
  // A backup of WAL-G has no entry for one that was a symbolic link.
  for (const std::string_view name : RequiredEmptyDirectories()) WALRIG_TRY(job.tree.EnsureDirectory(std::string(name)));
  return OkStatus();
}

}  // namespace

Status RestoreContent(const Context& ctx, RestoreJob& job) {
  WALRIG_TRY(RestoreParts(ctx, job));
  WALRIG_TRY(RestoreSpecial(job));
  WALRIG_TRY(CheckWhole(ctx, job));
  WALRIG_TRY(DropMovedTablespaceMap(job));
  return MakeRequiredDirectories(job);
}

void TellOfDeadLinks(const Context& ctx, const std::string& target, RestoreJob& job) {
  std::lock_guard lock(job.mutex);
  for (const auto& [name, leads_to] : job.links) {
    struct stat info{};
    if (stat(fmt::format("{}/{}", target, name).c_str(), &info) == 0) continue;
    WarnOfMember(ctx, fmt::format("'{}' is a symbolic link to '{}', which is not there on this machine", Printable(name),
                          Printable(leads_to)));
  }
}

}  // namespace walrig
