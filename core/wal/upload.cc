#include "core/wal/upload.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <optional>

#include "core/base/json.h"
#include "core/base/time_format.h"
#include "core/layout/paths.h"
#include "core/pipeline/upload.h"
#include "core/storage/objects.h"
#include "core/wal/overwrite_check.h"
#include "core/wal/timeline_conflict.h"

namespace walrig {
namespace {

Status Refusal(const Context& ctx, Storage& storage, const LocalWalFile& file, const WalPushDeps& deps) {
  if (file.kind.kind == WalFileKind::kHistory) return TimelineTaken(ctx, storage, deps.codecs, file, deps.codec.Extension());
  return Conflict(fmt::format("WAL file '{}' already archived, contents differ, unable to overwrite", file.path))
      .Hint(
          "another cluster writes to this archive, or this one was restored and promoted without a new timeline: give "
          "each cluster a prefix of its own");
}

// {"<wal>":{"created_time":<mtime>,"date_fmt":...}}: WAL-G pg/wal_metadata_uploader.go, INDIVIDUAL.
Status StoreMetadata(const Context& ctx, const LocalWalFile& file, Storage& storage) {
  Json entry;
  entry["created_time"] = FormatRfc3339Nano(file.mtime_ns);
  entry["date_fmt"] = "%Y-%m-%dT%H:%M:%S.%fZ";
  Json document;
  document[file.name] = std::move(entry);
  return WriteObject(ctx, storage, WalKey(file.name, "json"), DumpJson(document));
}

// The attempt that stored the file may have failed before it stored the metadata.
Result<WalUpload> AlreadyArchived(const Context& ctx, const LocalWalFile& file, const WalPushOptions& options,
                                  Storage& storage) {
  if (options.individual_metadata) {
    WALRIG_ASSIGN(const bool stored, Exists(ctx, storage, WalKey(file.name, "json")));
    if (!stored) WALRIG_TRY(StoreMetadata(ctx, file, storage));
  }
  return WalUpload{.already_archived = true, .stats = {}};
}

// WAL that recovery cannot read is archived all the same: refusing it would end archiving and fill pg_wal, and no later segment
// would be stored. But somebody must hear of it while the backup that makes up for it can still be taken.
Status TellDamage(const Context& ctx, const LocalWalFile& file) {
  std::optional<WalBreak> early_end;
  const Status first = CheckRecords(ctx, file, &early_end);
  if (early_end) {
    ctx.log->Write(LogLevel::kWarning, "wal", fmt::format("the WAL in {} ends at {}, before the segment does ({})", file.path,
                                                          FormatLsn(early_end->at), early_end->why));
  }
  if (first.code() != Code::kCorruption) return first;
  WALRIG_TRY(CheckUnchanged(file));
  // Once more from the disk: it may be memory that is bad.
  (void)posix_fadvise(file.fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  const Status second = CheckRecords(ctx, file, &early_end);
  if (second.ok()) {
    ctx.log->Write(LogLevel::kWarning, "wal", fmt::format("{}; read a second time it was right: check memory and disk", first.message()));
    return OkStatus();
  }
  if (second.code() != Code::kCorruption) return second;
  ctx.log->Write(LogLevel::kError, "wal",
                 Status(Code::kCorruption, fmt::format("{}; it is archived as it is, and no recovery gets beyond that place",
                                                       second.message()))
                     .Hint("take a new backup now, and check memory and disk of this server")
                     .ToString());
  return OkStatus();
}

// Other content under this name in another storage would mix two histories for whoever fetches. One that cannot be asked
// must not keep WAL from being archived.
Status CheckOthers(const Context& ctx, const LocalWalFile& file, const WalPushDeps& deps) {
  for (Storage* const other : deps.others) {
    const Result<ArchivedContent> content = CompareWithArchive(ctx, *other, deps.codecs, file, deps.codec.Extension());
    if (content.ok() && *content == ArchivedContent::kDifferent) return Refusal(ctx, *other, file, deps);
    if (content.ok()) continue;
    if (content.status().code() == Code::kCancelled) return content.status();
    ctx.log->Write(LogLevel::kWarning, "wal", "not compared with another storage: " + content.status().ToString());
  }
  return OkStatus();
}

Result<ObjectStats> Put(const Context& ctx, const LocalWalFile& file, size_t workers, bool only_if_absent,
                        const WalPushDeps& deps) {
  PutEncodedOptions put{.put = {}, .workers = workers};
  put.put.only_if_absent = only_if_absent;
  put.before_commit = [&file] { return CheckUnchanged(file); };
  const FileRange range{.fd = file.fd.get(), .offset = 0, .length = file.size_bytes, .name = file.path};
  return PutEncodedFile(ctx, deps.storage, WalKey(file.name, deps.codec.Extension()), deps.codec, range, put);
}

// Replaces what is archived under the name, unless it is another cluster's.
Result<ObjectStats> PutOverOwn(const Context& ctx, const LocalWalFile& file, size_t workers, const WalPushDeps& deps) {
  if (file.system_identifier == 0) return Put(ctx, file, workers, false, deps);
  if (deps.storage.capabilities().put_if_absent) {
    auto stats = Put(ctx, file, workers, true, deps);
    const Code code = stats.status().code();
    if (code != Code::kAlreadyExists && code != Code::kNotSupported) return stats;
  }
  WALRIG_TRY(CheckSameCluster(ctx, deps.storage, deps.codecs, file, deps.codec.Extension()));
  return Put(ctx, file, workers, false, deps);
}

}  // namespace

Result<WalUpload> UploadWalFile(const Context& ctx, const LocalWalFile& file, size_t workers,
                                const WalPushOptions& options, const WalPushDeps& deps) {
  const bool guarded = options.prevent_overwrite || file.kind.kind == WalFileKind::kHistory;
  const auto compare = [&] {
    return CompareWithArchive(ctx, deps.storage, deps.codecs, file, deps.codec.Extension());
  };
  if (guarded) {
    WALRIG_ASSIGN(const ArchivedContent content, compare());
    if (content == ArchivedContent::kDifferent) return Refusal(ctx, deps.storage, file, deps);
    if (content == ArchivedContent::kEqual) return AlreadyArchived(ctx, file, options, deps.storage);
    WALRIG_TRY(CheckOthers(ctx, file, deps));
  }
  WALRIG_TRY(TellDamage(ctx, file));
  // Somebody may archive the same name between the comparison and the commit: the storage decides who was first.
  const bool exclusive = guarded && deps.storage.capabilities().put_if_absent;
  auto stats = guarded ? Put(ctx, file, workers, exclusive, deps) : PutOverOwn(ctx, file, workers, deps);
  if (exclusive && stats.status().code() == Code::kAlreadyExists) {
    WALRIG_ASSIGN(const ArchivedContent content, compare());
    if (content != ArchivedContent::kEqual) return Refusal(ctx, deps.storage, file, deps);
    return AlreadyArchived(ctx, file, options, deps.storage);
  }
  if (!stats.ok()) return std::move(stats).status();
  if (options.individual_metadata) WALRIG_TRY(StoreMetadata(ctx, file, deps.storage));
  return WalUpload{.already_archived = false, .stats = std::move(stats).value()};
}

}  // namespace walrig
