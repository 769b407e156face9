#include "core/verify/backup_verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <optional>
#include <utility>

#include "core/catalog/object_reader.h"
#include "core/catalog/sealed.h"
#include "core/io/memory.h"
#include "core/layout/paths.h"
#include "core/pgdata/member_table.h"
#include "core/pipeline/worker_pool.h"
#include "core/postgres/data_dir.h"
#include "core/storage/objects.h"
#include "core/verify/damage.h"
#include "core/verify/record.h"
#include "core/verify/required.h"
#include "core/verify/tar_check.h"
#include "core/verify/wal_check.h"

namespace walrig {
namespace {

constexpr size_t kNamesShown = 5;

Status LoadProofInto(const Context& ctx, BackupVerifyDeps& deps, const BackupEntry& entry, BackupUnderTest& backup) {
  auto proven = ProveBackup(ctx, deps.storage, deps.codecs, entry, &backup.objects);
  if (!proven.ok()) return NoteDamage(backup.record, backup.name, proven.status());
  backup.proof = std::move(proven->proof);
  backup.seal = std::move(proven->seal);
  if (proven->sentinel) backup.sentinel = *std::move(proven->sentinel);
  if (proven->seal_is_lost) backup.record.Add(SealKey(backup.name), "missing: the backup was sealed");
  if (!backup.proof) return OkStatus();
  backup.record.result().hashes_checked = true;
  return NoteDamage(backup.record, ProofKey(backup.name), CompareWithProof(*backup.proof, backup.objects));
}

Status LoadFilesInto(const Context& ctx, const ObjectReader& reader, BackupUnderTest& backup) {
  std::set<std::string, std::less<>> stems;
  for (const auto* list : {&backup.objects.parts, &backup.objects.control, &backup.objects.label}) {
    for (const TarObject& object : *list) stems.insert(object.stem);
  }
  if (backup.objects.has_files_metadata) {
    auto source = reader.OpenDocument(ctx, kFilesMetadataName);
    if (!source.ok()) return std::move(source).status();
    return backup.members.LoadFiles(ctx, **source, stems, kFilesMetadataName);
  }
  if (!backup.sentinel.embedded_files_metadata.empty()) {
    MemorySource source(backup.sentinel.embedded_files_metadata);
    return backup.members.LoadFiles(ctx, source, stems, SentinelKey(backup.name));
  }
  return backup.sentinel.files_metadata_required() ? Corruption("missing") : OkStatus();
}

Status LoadManifestInto(const Context& ctx, const ObjectReader& reader, BackupUnderTest& backup) {
  if (!backup.objects.has_manifest) {
    return backup.proof && backup.proof->manifest ? Corruption("missing") : OkStatus();
  }
  WALRIG_ASSIGN(std::unique_ptr<Source> source, reader.OpenDocument(ctx, kManifestName));
  return backup.members.LoadManifest(ctx, *source);
}

Status LoadDocuments(const Context& ctx, const ObjectReader& reader, BackupUnderTest& backup) {
  WALRIG_TRY(NoteDamage(backup.record, FilesMetadataKey(backup.name), LoadFilesInto(ctx, reader, backup)));
  WALRIG_TRY(NoteDamage(backup.record, ManifestKey(backup.name), LoadManifestInto(ctx, reader, backup)));
  backup.record.result().files_checked = backup.members.knows_files();
  backup.record.result().manifest_checked = backup.members.knows_manifest();
  if (std::string tar = backup.members.MissingTar(); !tar.empty()) {
    backup.record.Add(TarFolderKey(backup.name) + tar, "missing, and files are listed in it");
  }
  if (!backup.members.incremented_file().empty()) {
    backup.record.Add(backup.name, "a full backup that holds an increment: " + backup.members.incremented_file());
  }
  return OkStatus();
}

Status CheckTars(const Context& ctx, const BackupVerifyOptions& options, const ObjectReader& reader,
                 BackupUnderTest& backup, const std::vector<TarObject>& tars, ProgressCounters* progress) {
  WorkerPool pool(std::clamp<size_t>(options.workers, 1, std::max<size_t>(tars.size(), 1)));
  for (const TarObject& object : tars) {
    pool.Submit([&, progress]() -> Status {
      Status status = CheckTar(ctx, reader, object, backup, progress);
      backup.record.AddObject(object.size_bytes);
      return NoteDamage(backup.record, object.key, status);
    });
  }
  return pool.Wait();
}

Status CheckMissing(const Context& ctx, const ObjectReader& reader, BackupUnderTest& backup) {
  MemberTable& members = backup.members;
  if (backup.objects.has_manifest) {
    const size_t own = members.Find(kManifestName);
    if (own != MemberTable::kUnknown) members.Claim(own);
  }
  const uint64_t missing = members.unclaimed();
  if (missing == 0) return OkStatus();
  std::vector<std::string> names;
  if (backup.objects.has_files_metadata && members.knows_files()) {
    WALRIG_ASSIGN(std::unique_ptr<Source> source, reader.OpenDocument(ctx, kFilesMetadataName));
    WALRIG_ASSIGN(names, members.UnclaimedFiles(ctx, *source, kNamesShown));
  }
  if (names.empty() && members.knows_manifest()) {
    WALRIG_ASSIGN(std::unique_ptr<Source> source, reader.OpenDocument(ctx, kManifestName));
    WALRIG_ASSIGN(names, members.UnclaimedManifest(ctx, *source, kNamesShown));
  }
  for (const std::string& name : names) backup.record.Add(name, "in no tar");
  if (missing > names.size()) {
    backup.record.Add(backup.name, fmt::format("{} more files are in no tar", missing - names.size()));
  }
  return OkStatus();
}

Status VerifyContent(const Context& ctx, const BackupVerifyOptions& options, BackupVerifyDeps& deps,
                     const BackupEntry& entry, BackupUnderTest& backup) {
  WALRIG_ASSIGN(backup.objects, ListBackupObjects(ctx, deps.storage, backup.name));
  WALRIG_TRY(LoadProofInto(ctx, deps, entry, backup));
  for (const std::string& key : backup.objects.foreign) {
    ctx.log->Write(LogLevel::kWarning, "backup-verify", key + " is not a tar of a backup: ignored");
  }
  for (const std::string& key : backup.objects.unlisted) {
    ctx.log->Write(LogLevel::kWarning, "backup-verify", fmt::format("{} is not listed in {}: left out", key, kProofName));
  }
  ObjectReader reader(deps.storage, deps.codecs, backup.name, backup.proof ? &*backup.proof : nullptr, deps.progress,
                      backup.seal ? &*backup.seal : nullptr);
  WALRIG_TRY(LoadDocuments(ctx, reader, backup));
  CheckRequiredTars(backup);
  if (deps.progress != nullptr) {
    const auto total = static_cast<uint64_t>(std::max<int64_t>(backup.sentinel.uncompressed_bytes, 0));
    deps.progress->SetTotal(total, backup.members.listed_files());
  }
  // pg_control first: it says whether pages carry checksums, and how large a WAL segment is.
  WALRIG_TRY(CheckTars(ctx, options, reader, backup, backup.objects.control, deps.progress));
  WALRIG_TRY(CheckTars(ctx, options, reader, backup, backup.objects.label, deps.progress));
  WALRIG_TRY(CheckTars(ctx, options, reader, backup, backup.objects.parts, deps.progress));
  WALRIG_TRY(NoteDamage(backup.record, backup.name, CheckMissing(ctx, reader, backup)));
  // Kept in another place on purpose: what is not here says nothing about the backup.
  backup.record.result().wal_elsewhere = backup.proof && backup.proof->wal_elsewhere;
  if (!options.check_wal || backup.record.result().wal_elsewhere) return OkStatus();
  return CheckWal(ctx, {deps.storage, deps.codecs, options.preferred_extension, options.workers}, backup);
}

// All of a backup may be missing because a mount, a bucket went away meanwhile: then its sentinel is gone as well.
Status CheckStillThere(const Context& ctx, Storage& storage, const std::string& sentinel_key) {
  WALRIG_ASSIGN(const bool there, Exists(ctx, storage, sentinel_key));
  if (there) return OkStatus();
  return Unavailable(sentinel_key + " has gone while the backup was read")
      .Hint("the backup was deleted meanwhile, or its storage went away");
}

Result<BackupVerifyResult> VerifyOne(const Context& ctx, const BackupVerifyOptions& options, BackupVerifyDeps& deps,
                                     BackupEntry entry) {
  BackupUnderTest backup(entry.name, options.findings_max);
  if (!entry.sentinel) {
    WALRIG_TRY(NoteDamage(backup.record, entry.sentinel_key, entry.sentinel_status));
    WALRIG_TRY(CheckStillThere(ctx, deps.storage, entry.sentinel_key));
    return backup.record.Take();
  }
  backup.sentinel = *std::move(entry.sentinel);
  if (backup.sentinel.is_delta()) {
    backup.record.result().not_verified = "an increment: delta backups cannot be verified yet";
    return backup.record.Take();
  }
  if (entry.metadata_status.code() != Code::kNotFound || backup.sentinel.version >= 2) {
    WALRIG_TRY(NoteDamage(backup.record, MetadataKey(entry.name), entry.metadata_status));
  }
  const std::string sentinel_key = entry.sentinel_key;
  WALRIG_TRY(VerifyContent(ctx, options, deps, entry, backup));
  if (backup.record.result().findings_count > 0) WALRIG_TRY(CheckStillThere(ctx, deps.storage, sentinel_key));
  return backup.record.Take();
}

}  // namespace

Status BackupVerify(const Context& ctx, const BackupVerifyOptions& options, BackupVerifyDeps& deps, BackupVerifyReport* report) {
  std::vector<BackupEntry> entries;
  if (options.all) {
    ListBackupsOptions read;
    read.sentinels = read.metadata = true;
    WALRIG_ASSIGN(entries, ListBackups(ctx, deps.storage, read));
  } else {
    WALRIG_ASSIGN(BackupEntry entry, FindBackup(ctx, deps.storage, options.selector));
    entries.push_back(std::move(entry));
  }
  for (BackupEntry& entry : entries) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(BackupVerifyResult result, VerifyOne(ctx, options, deps, std::move(entry)));
    report->backups.push_back(std::move(result));
  }
  return OkStatus();
}

}  // namespace walrig
