#include "core/backup/restore_plan.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "core/catalog/chain.h"
#include "core/catalog/object_reader.h"
#include "core/catalog/sealed.h"
#include "core/io/memory.h"
#include "core/layout/backup_name.h"
#include "core/layout/paths.h"
#include "core/pgdata/file_unwrap.h"
#include "core/pipeline/tar_reader.h"
#include "core/postgres/backup_label.h"
#include "core/postgres/data_dir.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

// pg_control has 8 KiB, a backup_label some hundred bytes, a tablespace_map a line a tablespace.
constexpr uint64_t kSmallTarBytesMax = 16u << 20;

void Warn(const Context& ctx, const std::string& text) { ctx.log->Write(LogLevel::kWarning, "backup-fetch", text); }

Status RefuseDelta(const Context& ctx, Storage& storage, const BackupEntry& entry) {
  if (!IsDelta(entry.name, *entry.sentinel)) return OkStatus();
  // A chain that is broken besides is worth saying first.
  WALRIG_ASSIGN(std::vector<std::string> chain, ChainOf(ctx, storage, entry));
  return NotSupported(fmt::format("{} is an increment of {}: restoring delta backups is not supported yet", entry.name,
                                  chain.size() > 1 ? chain[chain.size() - 2] : "another backup"))
      .Hint(chain.size() > 1 ? fmt::format("restore the full backup {} and let PostgreSQL replay WAL from there", chain[0])
                             : std::string("restore a full backup"));
}

// What kind of layout the backup has decides which tars it must have.
Status RequireTars(const RestorePlan& plan) {
  const BackupObjects& objects = plan.objects;
  if (objects.parts.empty()) {
    return Corruption(fmt::format("backup {} has no tar: {} holds none", plan.backup_name, TarFolderKey(plan.backup_name)));
  }
  for (const auto* list : {&objects.control, &objects.label}) {
    if (list->size() > 1) {
      return Corruption(fmt::format("backup {} has both {} and {}", plan.backup_name, (*list)[0].file_name,
                                    (*list)[1].file_name));
    }
  }
  if (plan.wale) return OkStatus();
  if (objects.control.empty()) {
    return Corruption(fmt::format("pg_control.tar of backup {} is missing in {}", plan.backup_name,
                                  TarFolderKey(plan.backup_name)));
  }
  const bool label_needed = plan.members->knows_files() && !plan.members->label_is_in_parts() &&
                            plan.sentinel.pg_version >= 90600;
  if (objects.label.empty() && label_needed) {
    return Corruption(fmt::format("backup_label.tar of backup {} is missing in {}", plan.backup_name,
                                  TarFolderKey(plan.backup_name)))
        .Hint("without backup_label PostgreSQL would recover from the wrong checkpoint");
  }
  return OkStatus();
}

// recovery.signal and recovery settings in postgresql.auto.conf came with 12; an older server does not start with them.
Status RequireRecoverySettings(const BackupFetchOptions& options, const RestorePlan& plan) {
  const int64_t version = plan.sentinel.pg_version;
  if (!options.recovery.requested() || version == 0 || version >= 120000) return OkStatus();
  return NotSupported(fmt::format("backup {} is of PostgreSQL {}, which reads its recovery settings from recovery.conf alone",
                                  plan.backup_name, version >= 100000 ? version / 10000 : version / 100))
      .Hint("restore without recovery options, and write recovery.conf yourself");
}

Status RequireDecoders(const Context& ctx, CodecProvider& codecs, const BackupObjects& objects) {
  std::set<std::string> asked;
  for (const auto* list : {&objects.parts, &objects.control, &objects.label}) {
    for (const TarObject& object : *list) {
      if (!asked.insert(object.extension).second) continue;
      auto compressor = codecs.ForExtension(ctx, object.extension);
      if (!compressor.ok()) return std::move(compressor).status().With("no decoder for " + object.key);
    }
  }
  return OkStatus();
}

std::set<std::string, std::less<>> Stems(const BackupObjects& objects) {
  std::set<std::string, std::less<>> stems;
  for (const auto* list : {&objects.parts, &objects.control, &objects.label}) {
    for (const TarObject& object : *list) stems.insert(object.stem);
  }
  return stems;
}

Status LoadFiles(const Context& ctx, const ObjectReader& reader, RestorePlan* plan) {
  const std::string key = FilesMetadataKey(plan->backup_name);
  const auto stems = Stems(plan->objects);
  if (plan->objects.has_files_metadata) {
    WALRIG_ASSIGN(std::unique_ptr<Source> source, reader.OpenDocument(ctx, kFilesMetadataName));
    return plan->members->LoadFiles(ctx, *source, stems, key);
  }
  if (!plan->sentinel.embedded_files_metadata.empty()) {
    MemorySource source(plan->sentinel.embedded_files_metadata);
    return plan->members->LoadFiles(ctx, source, stems, SentinelKey(plan->backup_name));
  }
  if (plan->sentinel.files_metadata_required()) {
    return Corruption(key + " is missing").Hint("without it nobody can say which files the backup must have");
  }
  if (plan->objects.has_manifest) return OkStatus();
  Warn(ctx, fmt::format("backup {} has no list of its files: what is missing in it cannot be known", plan->backup_name));
  return OkStatus();
}

Status LoadDocuments(const Context& ctx, const ObjectReader& reader, RestorePlan* plan) {
  plan->members = std::make_unique<MemberTable>();
  WALRIG_TRY(LoadFiles(ctx, reader, plan));
  if (!plan->members->incremented_file().empty()) {
    return Corruption(fmt::format("backup {} claims to be full, but '{}' is stored as an increment", plan->backup_name,
                                  Printable(plan->members->incremented_file())));
  }
  if (std::string tar = plan->members->MissingTar(); !tar.empty()) {
    return Corruption(fmt::format("{}{} is missing; {} lists files in it", TarFolderKey(plan->backup_name), tar,
                                  kFilesMetadataName));
  }
  if (!plan->objects.has_manifest) {
    const bool promised = plan->proof && plan->proof->manifest;
    return promised ? Corruption(ManifestKey(plan->backup_name) + " is missing") : OkStatus();
  }
  WALRIG_ASSIGN(std::unique_ptr<Source> source, reader.OpenDocument(ctx, kManifestName));
  return plan->members->LoadManifest(ctx, *source).With(ManifestKey(plan->backup_name));
}

Status Prove(const Context& ctx, BackupFetchDeps& deps, BackupEntry& entry, RestorePlan* plan) {
  WALRIG_ASSIGN(ProvenBackup proven, ProveBackup(ctx, deps.storage, deps.codecs, entry, &plan->objects));
  plan->proof = std::move(proven.proof);
  plan->seal = std::move(proven.seal);
  plan->sentinel = proven.sentinel ? *std::move(proven.sentinel) : *std::move(entry.sentinel);
  if (proven.seal_is_lost) {
    Warn(ctx, fmt::format("{} is missing: nothing proves that backup {} holds all that was stored", SealKey(plan->backup_name),
                          plan->backup_name));
  }
  return OkStatus();
}

Status ReadSmallTar(const Context& ctx, const ObjectReader& reader, const TarObject& object, RestorePlan* plan) {
  WALRIG_ASSIGN(std::unique_ptr<Source> source, reader.OpenTar(ctx, object));
  TarReader tar(*source);
  uint64_t total_bytes = 0;
  for (;;) {
    auto entry = tar.Next(ctx);
    if (!entry.ok()) return std::move(entry).status().With(object.key);
    if (!entry->has_value()) return OkStatus();
    SmallMember member;
    auto name = NormalizeMemberName((*entry)->name);
    if (!name.ok()) return std::move(name).status().With(object.key);
    member.name = std::move(name).value();
    member.entry = std::move(**entry);
    if (member.entry.type != TarEntry::Type::kFile) {
      return Corruption(fmt::format("{}: '{}' is no plain file", object.key, Printable(member.name)));
    }
    for (;;) {
      auto view = tar.BodyView(ctx);
      if (!view.ok()) return std::move(view).status().With(object.key);
      if (view->empty()) break;
      total_bytes += view->size();
      if (total_bytes > kSmallTarBytesMax) return TooLarge(object.key + " is larger than any control or label file");
      member.body.append(AsText(*view));
    }
    plan->special.push_back(std::move(member));
  }
}

Status CheckControl(const Context& ctx, const TarObject& object, RestorePlan* plan) {
  const SmallMember* member = plan->Special(kControlFilePath);
  if (member == nullptr) return Corruption(fmt::format("{} holds no {}", object.key, kControlFilePath));
  auto control = ParseControlFile(AsBytes(member->body));
  if (!control.ok() && control.status().code() == Code::kNotSupported) {
    Warn(ctx, fmt::format("{}: {}", object.key, control.status().message()));
    return OkStatus();
  }
  if (!control.ok()) return std::move(control).status().With(fmt::format("{} in {}", kControlFilePath, object.key));
  const auto& wanted = plan->sentinel.system_identifier;
  if (wanted && *wanted != 0 && *wanted != control->system_identifier) {
    return Corruption(fmt::format("{} is of cluster {}, the backup of {}", object.key, control->system_identifier, *wanted));
  }
  plan->control = *control;
  return OkStatus();
}

Status CheckLabel(const TarObject& object, const RestorePlan& plan) {
  const SmallMember* member = plan.Special(kBackupLabelName);
  if (member == nullptr) return Corruption(fmt::format("{} holds no {}", object.key, kBackupLabelName));
  auto label = ParseBackupLabel(member->body);
  if (!label.ok()) return std::move(label).status().With(object.key);
  if (plan.sentinel.start_lsn && label->start != *plan.sentinel.start_lsn) {
    return Corruption(fmt::format("{} begins at {}, the backup at {}", object.key, FormatLsn(label->start),
                                  FormatLsn(*plan.sentinel.start_lsn)));
  }
  return OkStatus();
}

Status ReadSpecialTars(const Context& ctx, const ObjectReader& reader, RestorePlan* plan) {
  for (const TarObject& object : plan->objects.control) {
    WALRIG_TRY(ReadSmallTar(ctx, reader, object, plan));
    WALRIG_TRY(CheckControl(ctx, object, plan));
  }
  for (const TarObject& object : plan->objects.label) {
    WALRIG_TRY(ReadSmallTar(ctx, reader, object, plan));
    WALRIG_TRY(CheckLabel(object, *plan));
  }
  std::set<std::string> names;
  for (const SmallMember& member : plan->special) {
    if (!names.insert(member.name).second) {
      return Corruption(fmt::format("'{}' occurs twice in the tars of backup {}", Printable(member.name),
                                    plan->backup_name));
    }
  }
  return OkStatus();
}

}  // namespace

const SmallMember* RestorePlan::Special(std::string_view name) const {
  for (const SmallMember& member : special) {
    if (member.name == name) return &member;
  }
  return nullptr;
}

bool RestorePlan::IsReplaced(std::string_view name) const {
  if (name == kManifestName) return objects.has_manifest;
  // A stale label of an earlier backup may lie in the data directory, and with it in the parts.
  if (name == kBackupLabelName || name == kTablespaceMapName) return !objects.label.empty();
  return name == kControlFilePath && !objects.control.empty();
}

Status PlanTablespaces(const Sentinel& sentinel, const BackupFetchOptions& options, const std::string& target,
                       RestorePlan* plan) {
  if (sentinel.tablespaces) plan->tablespaces = *sentinel.tablespaces;
  const TablespaceSpec original = plan->tablespaces;
  if (!options.restore_spec_text.empty()) {
    WALRIG_ASSIGN(TablespaceSpec spec, TablespaceSpec::Parse(options.restore_spec_text, "restore spec"));
    for (const Tablespace& tablespace : original.tablespaces()) {
      if (spec.Find(tablespace.name) != nullptr) continue;
      return InvalidArgument(fmt::format("the restore spec lacks tablespace {}, which lay at {}", tablespace.name,
                                         tablespace.location));
    }
    plan->tablespaces = TablespaceSpec(target);
    for (const Tablespace& tablespace : original.tablespaces()) {
      WALRIG_TRY(plan->tablespaces.Add(tablespace.name, spec.Find(tablespace.name)->location));
    }
    plan->tablespaces_moved = !original.empty();
  }
  for (const std::string& mapping : options.tablespace_mapping) {
    WALRIG_TRY(plan->tablespaces.Remap(mapping));
    plan->tablespaces_moved = true;
  }
  // Links always lie below the target, whatever base_prefix a document says.
  plan->tablespaces.set_base_prefix(target);
  if (plan->tablespaces.empty()) return OkStatus();
  return plan->tablespaces.CheckPlaces(target).Hint("move them with --tablespace-mapping OLD=NEW or --restore-spec FILE");
}

Result<RestorePlan> PlanRestore(const Context& ctx, const BackupFetchOptions& options, BackupFetchDeps& deps) {
  RestorePlan plan;
  WALRIG_ASSIGN(BackupEntry entry, FindBackup(ctx, deps.storage, options.selector));
  plan.backup_name = entry.name;
  ctx.log->Write(LogLevel::kInfo, "backup-fetch",
                 fmt::format("taking backup {}, finished {}: {}", entry.name, FormatRfc3339Seconds(FinishTimeNs(entry)),
                             entry.chosen_because));
  if (!entry.sentinel) return std::move(entry.sentinel_status).With("backup " + entry.name);
  WALRIG_TRY(RefuseDelta(ctx, deps.storage, entry));
  WALRIG_ASSIGN(plan.objects, ListBackupObjects(ctx, deps.storage, plan.backup_name));
  WALRIG_TRY(Prove(ctx, deps, entry, &plan));
  auto wale_name = ParseBackupName(plan.backup_name);
  plan.wale = wale_name.ok() && !wale_name->wale_offset.empty();
  WALRIG_TRY(RequireRecoverySettings(options, plan));
  WALRIG_TRY(PlanTablespaces(plan.sentinel, options, options.target_directory, &plan));

  for (const std::string& key : plan.objects.foreign) Warn(ctx, fmt::format("{} is not a tar of a backup: ignored", key));
  for (const std::string& key : plan.objects.unlisted) Warn(ctx, fmt::format("{} is not listed in {}: left out", key, kProofName));
  WALRIG_TRY(RequireDecoders(ctx, deps.codecs, plan.objects));
  const Proof* proof = plan.proof ? &*plan.proof : nullptr;
  if (proof != nullptr) WALRIG_TRY(CompareWithProof(*proof, plan.objects));
  ObjectReader reader(deps.storage, deps.codecs, plan.backup_name, proof, nullptr,
                      plan.seal ? &*plan.seal : nullptr);
  WALRIG_TRY(LoadDocuments(ctx, reader, &plan));
  WALRIG_TRY(RequireTars(plan));
  WALRIG_TRY(ReadSpecialTars(ctx, reader, &plan));
  return plan;
}

}  // namespace walrig
