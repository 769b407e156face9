// walrig backup-push: settings and options into core/backup/push.
#include <fmt/format.h>

#include "cli/commands/common.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/version.h"
#include "cli/wiring.h"
#include "core/backup/push.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

constexpr CliOption kBackupPushOptions[] = {
    {.name = "permanent", .letter = 'p', .help = "Mark the backup as permanent: delete keeps it"},
    {.name = "full", .letter = 'f', .help = "Make a full backup, whatever WALG_DELTA_MAX_STEPS says"},
    {.name = "verify",
     .letter = 'v',
     .kind = OptionKind::kOptionalValue,
     .value_name = "HOW",
     .help = "Verify page checksums; strict ends with exit code 3 when a page is corrupt",
     .choices = "warn|strict|off",
     .implied = "warn"},
    {.name = "store-all-corrupt",
     .letter = 's',
     .help = "Record every corrupt block, not only the first ten of a file"},
    {.name = "rating-composer",
     .letter = 'r',
     .help = "Accepted for WAL-G's sake; parts are put together as by default"},
    {.name = "copy-composer", .letter = 'c', .help = "Accepted for WAL-G's sake; parts are put together as by default"},
    {.name = "database-composer", .letter = 'b', .help = "Put the files of one database together"},
    {.name = "delta-from-name",
     .kind = OptionKind::kValue,
     .value_name = "NAME",
     .help = "Not supported in this version"},
    {.name = "delta-from-user-data",
     .kind = OptionKind::kValue,
     .value_name = "JSON",
     .help = "Not supported in this version"},
    {.name = "add-user-data",
     .kind = OptionKind::kValue,
     .value_name = "JSON",
     .help = "Keep this JSON text with the backup"},
    {.name = "without-files-metadata", .help = "Write no files_metadata.json"},
    {.name = "json", .help = "Print a report as JSON"},
    kTargetStorage,
};

Result<PageVerify> VerifyFrom(const Invocation& call) {
  WALRIG_ASSIGN(const std::string setting, call.settings.Choice("WALRIG_VERIFY"));
  const std::string how = call.Text("verify", setting);
  if (how == "off") return PageVerify::kOff;
  return how == "strict" ? PageVerify::kStrict : PageVerify::kOn;
}

Result<TarComposer> ComposerFrom(const Invocation& call) {
  WALRIG_ASSIGN(const bool copy, call.settings.Bool("WALG_USE_COPY_COMPOSER"));
  WALRIG_ASSIGN(const bool database, call.settings.Bool("WALG_USE_DATABASE_COMPOSER"));
  WALRIG_ASSIGN(const bool rating, call.settings.Bool("WALG_USE_RATING_COMPOSER"));
  if (copy || call.Has("copy-composer")) return TarComposer::kCopy;
  if (database || call.Has("database-composer")) return TarComposer::kDatabase;
  if (rating || call.Has("rating-composer")) return TarComposer::kRating;
  return TarComposer::kRegular;
}

Result<ManifestChecksum> ChecksumFrom(const Settings& settings) {
  WALRIG_ASSIGN(const std::string choice, settings.Choice("WALRIG_MANIFEST_CHECKSUMS"));
  return choice == "sha256" ? ManifestChecksum::kSha256 : ManifestChecksum::kCrc32c;
}

uint64_t ToMs(int64_t ns) { return static_cast<uint64_t>(ns) / 1'000'000; }

Status FillLimits(const Invocation& call, BackupPushOptions* options) {
  const Settings& settings = call.settings;
  WALRIG_ASSIGN(options->tar_size_threshold_bytes, settings.Size("WALG_TAR_SIZE_THRESHOLD"));
  WALRIG_ASSIGN(options->workers, PositiveSetting(settings, "WALG_UPLOAD_DISK_CONCURRENCY"));
  WALRIG_ASSIGN(options->upload_queue, PositiveSetting(settings, "WALG_UPLOAD_QUEUE"));
  WALRIG_ASSIGN(options->disk_rate_bytes_per_s, RateSetting(settings, "WALG_DISK_RATE_LIMIT", call.log));
  WALRIG_ASSIGN(const int64_t alive_ns, settings.DurationNs("WALG_ALIVE_CHECK_INTERVAL"));
  WALRIG_ASSIGN(const int64_t stop_ns, settings.DurationNs("WALG_STOP_BACKUP_TIMEOUT"));
  options->alive_check_interval_ms = ToMs(alive_ns);
  options->stop_backup_timeout_ms = ToMs(stop_ns);
  WALRIG_ASSIGN(options->wal_segment_bytes, SegmentBytes(settings));
  if (!call.turbo) return OkStatus();
  options->disk_rate_bytes_per_s = 0;
  options->workers = std::max<size_t>(options->workers, 4);
  return OkStatus();
}

Result<BackupPushOptions> BackupPushOptionsFrom(const Invocation& call) {
  const Settings& settings = call.settings;
  BackupPushOptions options;
  options.data_directory = call.Argument(0);
  options.walrig_version = kWalrigVersion;
  options.permanent = call.Has("permanent");
  options.user_data = call.Text("add-user-data", settings.Text("WALG_SENTINEL_USER_DATA"));
  if (!options.user_data.empty()) WALRIG_TRY(ParseUserData(options.user_data, "--add-user-data").status());
  WALRIG_ASSIGN(const bool no_files, settings.Bool("WALG_WITHOUT_FILES_METADATA"));
  options.without_files_metadata = no_files || call.Has("without-files-metadata");
  WALRIG_ASSIGN(options.without_database_names, settings.Bool("WALG_DISABLE_PARTIAL_RESTORE"));
  WALRIG_ASSIGN(options.composer, ComposerFrom(call));
  WALRIG_ASSIGN(options.verify, VerifyFrom(call));
  WALRIG_ASSIGN(const bool all_corrupt, settings.Bool("WALG_STORE_ALL_CORRUPT_BLOCKS"));
  options.store_all_corrupt_blocks = all_corrupt || call.Has("store-all-corrupt");
  WALRIG_ASSIGN(options.manifest_checksum, ChecksumFrom(settings));
  WALRIG_ASSIGN(const std::string archive, settings.Choice("WALRIG_WAL_ARCHIVE"));
  options.wal_archive = archive == "elsewhere" ? WalArchive::kElsewhere : WalArchive::kStorage;
  WALRIG_ASSIGN(options.allow_other_cluster, settings.Bool("WALRIG_ALLOW_OTHER_CLUSTER"));
  WALRIG_ASSIGN(const uint64_t steps, settings.Number("WALG_DELTA_MAX_STEPS"));
  const bool full = call.Has("full");
  options.delta_steps_max = full ? 0 : static_cast<uint32_t>(std::min<uint64_t>(steps, UINT32_MAX));
  WALRIG_TRY(FillLimits(call, &options));
  return options;
}

// What this version cannot do is said before the server is put into backup mode.
Status RefuseDeltaParent(const Invocation& call) {
  for (const std::string_view setting : {"WALG_DELTA_FROM_NAME", "WALG_DELTA_FROM_USER_DATA"}) {
    if (call.settings.Has(setting) && !call.Has("full")) {
      LogWarning(call, fmt::format("{} is set; this version makes no delta backups, so this one is full", setting));
    }
  }
  for (const std::string_view option : {"delta-from-name", "delta-from-user-data"}) {
    if (!call.Has(option)) continue;
    return NotSupported(fmt::format("--{}: delta backups are not supported by this version", option))
        .Hint("leave it out for a full backup");
  }
  return OkStatus();
}

Json ReportJson(const BackupPushReport& report) {
  return Json{{"backup_name", report.name},
              {"files", report.files},
              {"parts", report.parts},
              {"uncompressed_size", report.uncompressed_bytes},
              {"compressed_size", report.compressed_bytes},
              {"pages_verified", report.pages_verified},
              {"corrupt_pages", report.findings}};
}

// With failover storages wal-push may write to another one than this backup goes to, and wal-fetch looks into all: all get
// the archive's marker.
Result<std::vector<NamedStorage>> Archives(Invocation& call, Wiring& wiring) {
  if (!call.settings.FindExplicit("WALG_FAILOVER_STORAGES").has_value()) return std::vector<NamedStorage>();
  return wiring.OpenStorages(call.ctx, {.turbo = call.turbo});
}

Result<ExitCode> RunBackupPush(Invocation& call) {
  WALRIG_TRY(RefuseDeltaParent(call));
  WALRIG_ASSIGN(BackupPushOptions options, BackupPushOptionsFrom(call));
  Wiring wiring(call.settings, call.log);
  WALRIG_ASSIGN(options.storage_directories, wiring.StorageDirectories());
  WALRIG_ASSIGN(const Codec codec, wiring.WriteCodec(call.ctx));
  WALRIG_ASSIGN(const auto storage, wiring.OpenStorage(call.ctx, {.turbo = call.turbo, .one = true, .target = TargetStorage(call)}));
  ConnectOptions connect;
  connect.data_directory = options.data_directory;
  WALRIG_ASSIGN(const auto server, ConnectBackupServer(call.ctx, connect));
  ProgressLine progress(call.ctx, call.settings);
  WALRIG_ASSIGN(const std::vector<NamedStorage> archives, Archives(call, wiring));
  BackupPushDeps deps{*storage, codec, *server, &progress.counters()};
  for (const NamedStorage& one : archives)
    if (one.storage != nullptr) deps.archives.push_back(one.storage.get());
  WALRIG_ASSIGN(const BackupPushReport report, BackupPush(progress.context(), options, deps));
  progress.Stop();
  if (call.Has("json")) call.out.Json(ReportJson(report));
  if (options.verify == PageVerify::kStrict && report.findings > 0) return ExitCode::kFindings;
  return ExitCode::kOk;
}

constexpr Command kBackupPushCommand = {
    .name = "backup-push",
    .summary = "Make a full backup of a running server",
    .arguments = "[PGDATA]",
    .description =
        "PGDATA is the data directory of the server that PGHOST, PGPORT and so on lead to. Page checksums are\n"
        "verified while reading when the cluster has them; corrupt pages are warned of and recorded.",
    .options = kBackupPushOptions,
    .arguments_min = 0,
    .arguments_max = 1,
    .hint = ArgumentHint::kDirectory,
    .run = RunBackupPush,
};

}  // namespace

const Command& BackupPushCommand() { return kBackupPushCommand; }

}  // namespace walrig
