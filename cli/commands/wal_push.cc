// walrig wal-push: settings and options into core/wal/push.
#include <fmt/format.h>

#include "cli/commands/common.h"
#include "cli/output.h"
#include "cli/wiring.h"
#include "core/storage/failover.h"
#include "core/wal/push.h"

namespace walrig {
namespace {

constexpr CliOption kWalPushOptions[] = {
    {.name = "json", .help = "Print a report as JSON"},
    kTargetStorage,
};

Result<WalPushOptions> WalPushOptionsFrom(const Invocation& call) {
  const Settings& settings = call.settings;
  WalPushOptions options;
  options.path = call.Argument(0);
  options.pgdata = settings.Text("PGDATA");
  WALRIG_ASSIGN(options.segment_bytes, SegmentBytes(settings));
  WALRIG_ASSIGN(options.prevent_overwrite, settings.Bool("WALG_PREVENT_WAL_OVERWRITE"));
  WALRIG_ASSIGN(const std::string metadata, settings.Choice("WALG_UPLOAD_WAL_METADATA"));
  if (metadata == "bulk")
    LogWarning(call, "WALG_UPLOAD_WAL_METADATA=BULK is not supported by this version; none is written");
  options.individual_metadata = metadata == "individual";
  WALRIG_ASSIGN(options.compress_workers, PositiveSetting(settings, "WALRIG_WAL_WORKERS"));
  WALRIG_ASSIGN(const size_t concurrency, PositiveSetting(settings, "WALG_UPLOAD_CONCURRENCY"));
  WALRIG_ASSIGN(const uint64_t limit, settings.Number("TOTAL_BG_UPLOADED_LIMIT"));
  options.background_workers = concurrency - 1;
  options.background_files_max = limit <= 1 ? 0 : static_cast<size_t>(limit) - 1;
  WALRIG_ASSIGN(options.rename_ready, settings.Bool("PG_READY_RENAME"));
  return options;
}

// Into the first storage that lives; when that one fails meanwhile into the next, in this call: PostgreSQL would ask again
// only after a while, and the verdict on the first has to be corrected first.
Result<WalPushReport> PushToOne(Invocation& call, Wiring& wiring, const WalPushOptions& options, const Codec& codec,
                                const std::vector<const NamedStorage*>& alive) {
  for (size_t i = 0;; ++i) {
    std::vector<Storage*> others;
    for (size_t other = 0; other < alive.size(); ++other) {
      if (other != i && !alive[other]->failed()) others.push_back(alive[other]->storage.get());
    }
    Result<WalPushReport> report = WalPush(call.ctx, options, WalPushDeps{*alive[i]->storage, codec, wiring, std::move(others)});
    const bool last = i + 1 == alive.size();
    if (report.ok() || last || !alive[i]->failed() || report.status().code() == Code::kCancelled) return report;
    LogWarning(call, fmt::format("storage {} failed: {}; trying {}", alive[i]->name, report.status().ToString(), alive[i + 1]->name));
  }
}

Result<ExitCode> RunWalPush(Invocation& call) {
  WALRIG_ASSIGN(WalPushOptions options, WalPushOptionsFrom(call));
  Wiring wiring(call.settings, call.log);
  WALRIG_ASSIGN(options.archive_id, wiring.ArchiveId(TargetStorage(call)));
  WALRIG_ASSIGN(const Codec codec, wiring.WriteCodec(call.ctx));
  // Under the guard the name is looked for in all storages, and all get the archive's marker once; otherwise the first that
  // lives is enough.
  const bool every = options.prevent_overwrite || options.path.ends_with(".history") || !ArchiveIsNoted(options);
  WALRIG_ASSIGN(std::vector<NamedStorage> storages,
                wiring.OpenStorages(call.ctx, {.turbo = call.turbo, .one = !every, .target = TargetStorage(call)}));
  std::vector<const NamedStorage*> alive;
  for (const NamedStorage& one : storages) {
    if (one.storage != nullptr) alive.push_back(&one);
  }
  if (alive.empty()) return NoneReached(storages);
  WALRIG_ASSIGN(const WalPushReport report, PushToOne(call, wiring, options, codec, alive));
  if (call.Has("json")) {
    call.out.Json(Json{{"name", report.name},
                       {"already_archived", report.already_archived},
                       {"uncompressed_size", report.plain_bytes},
                       {"compressed_size", report.stored_bytes},
                       {"background_files", report.background_files}});
  }
  return ExitCode::kOk;
}

constexpr Command kWalPushCommand = {
    .name = "wal-push",
    .summary = "Archive a WAL file, as archive_command",
    .arguments = "PATH",
    .description = "In postgresql.conf: archive_command = 'walrig wal-push %p'",
    .options = kWalPushOptions,
    .arguments_min = 1,
    .arguments_max = 1,
    .hint = ArgumentHint::kFile,
    .run = RunWalPush,
};

}  // namespace

const Command& WalPushCommand() { return kWalPushCommand; }

}  // namespace walrig
