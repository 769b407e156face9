// walrig backup-fetch: settings and options into core/backup/fetch.
#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands/common.h"
#include "cli/commands/restore_command.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/wiring.h"
#include "core/backup/fetch.h"
#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "core/plugin/search_path.h"

namespace walrig {
namespace {

constexpr uint64_t kSpecBytesMax = 1u << 20;

constexpr CliOption kBackupFetchOptions[] = {
    {.name = "target-user-data",
     .kind = OptionKind::kValue,
     .value_name = "JSON",
     .help = "Restore the backup with this user data instead of one by name"},
    {.name = "target-time",
     .kind = OptionKind::kValue,
     .value_name = "TIME",
     .help = "Restore the newest backup that was finished at or before TIME (RFC 3339)"},
    {.name = "restore-spec",
     .kind = OptionKind::kValue,
     .value_name = "FILE",
     .help = "JSON file of tablespace locations, as WAL-G's"},
    {.name = "tablespace-mapping",
     .kind = OptionKind::kList,
     .value_name = "OLD=NEW",
     .help = "Put the tablespace that was at OLD (a path or an OID) to NEW"},
    {.name = "recovery-target-time",
     .kind = OptionKind::kValue,
     .value_name = "TIME",
     .help = "Recover up to this time"},
    {.name = "recovery-target-lsn",
     .kind = OptionKind::kValue,
     .value_name = "LSN",
     .help = "Recover up to this place in WAL"},
    {.name = "recovery-target-xid",
     .kind = OptionKind::kValue,
     .value_name = "XID",
     .help = "Recover up to this transaction"},
    {.name = "recovery-target-name",
     .kind = OptionKind::kValue,
     .value_name = "NAME",
     .help = "Recover up to this named restore point"},
    {.name = "recovery-target-timeline",
     .kind = OptionKind::kValue,
     .value_name = "TIMELINE",
     .help = "Follow this timeline: latest, current or a number"},
    {.name = "recovery-target-immediate", .help = "Recover only until the data are consistent"},
    {.name = "target-action",
     .kind = OptionKind::kValue,
     .value_name = "ACTION",
     .help = "What the server does when it has reached the target",
     .choices = "pause|promote|shutdown"},
    {.name = "mask", .kind = OptionKind::kValue, .value_name = "GLOB", .help = "Not supported in this version"},
    {.name = "restore-only",
     .kind = OptionKind::kValue,
     .value_name = "NAMES",
     .help = "Not supported in this version"},
    {.name = "reverse-unpack", .help = "Accepted for WAL-G's sake; matters only for delta backups"},
    {.name = "skip-redundant-tars", .help = "Accepted for WAL-G's sake; matters only for delta backups"},
    {.name = "json", .help = "Print a report as JSON"},
    kTargetStorage,
};

Result<BackupSelector> SelectorFrom(const Invocation& call) {
  BackupSelector selector;
  selector.name = call.Argument(1);
  std::string user_data = call.Text("target-user-data");
  const std::string time = call.Text("target-time");
  // The setting only fills a gap; it does not contradict a name.
  if (user_data.empty() && selector.name.empty() && time.empty())
    user_data = call.settings.Text("WALG_FETCH_TARGET_USER_DATA");
  if (!user_data.empty()) {
    WALRIG_ASSIGN(selector.user_data, ParseUserData(user_data, "--target-user-data"));
  }
  if (!time.empty()) {
    WALRIG_ASSIGN(selector.target_time_ns, ParseRfc3339(time));
  }
  return selector;
}

Result<RecoveryOptions> RecoveryFrom(const Invocation& call) {
  RecoveryOptions recovery;
  recovery.target_time = call.Text("recovery-target-time");
  recovery.target_lsn = call.Text("recovery-target-lsn");
  recovery.target_xid = call.Text("recovery-target-xid");
  recovery.target_name = call.Text("recovery-target-name");
  recovery.target_timeline = call.Text("recovery-target-timeline");
  recovery.target_immediate = call.Has("recovery-target-immediate");
  recovery.target_action = call.Text("target-action");
  return recovery;
}

// After the storage was opened, when it is known what its plugin read.
Result<std::string> RestoreCommandFor(const Invocation& call, const Wiring& wiring) {
  WALRIG_ASSIGN(RestoreCommandText text, RestoreCommand(call.settings, {.executable = ExecutablePath(),
                                                                       .origins = wiring.origins(),
                                                                       .environment = environ}));
  for (const std::string& warning : text.warnings) LogWarning(call, warning);
  return std::move(text.command);
}

Result<BackupFetchOptions> BackupFetchOptionsFrom(const Invocation& call) {
  BackupFetchOptions options;
  options.target_directory = call.Argument(0);
  WALRIG_ASSIGN(options.selector, SelectorFrom(call));
  WALRIG_ASSIGN(options.workers, PositiveSetting(call.settings, "WALG_DOWNLOAD_CONCURRENCY"));
  WALRIG_ASSIGN(const bool no_fsync, call.settings.Bool("WALG_TAR_DISABLE_FSYNC"));
  options.fsync = !no_fsync;
  options.tablespace_mapping = call.List("tablespace-mapping");
  WALRIG_ASSIGN(options.recovery, RecoveryFrom(call));
  const std::string spec = call.Text("restore-spec");
  if (!spec.empty()) {
    WALRIG_ASSIGN(options.restore_spec_text, ReadWholeFile(spec, kSpecBytesMax));
  }
  return options;
}

Status RefuseUnsupported(const Invocation& call) {
  for (const std::string_view option : {"mask", "restore-only"}) {
    if (!call.Has(option)) continue;
    return NotSupported(fmt::format("--{}: restoring only some files is not supported by this version", option));
  }
  return OkStatus();
}

Json ReportJson(const BackupFetchReport& report) {
  Json tablespaces = Json::object();
  for (const auto& [oid, location] : report.tablespaces) tablespaces[oid] = location;
  return Json{{"backup_name", report.backup_name},
              {"files", report.files},
              {"directories", report.directories},
              {"uncompressed_size", report.plain_bytes},
              {"compressed_size", report.stored_bytes},
              {"objects", report.objects},
              {"manifest_checked", report.manifest_checked},
              {"objects_checked", report.objects_checked},
              {"elapsed_ns", report.elapsed_ns},
              {"sync_ns", report.sync_ns},
              {"tablespaces", tablespaces}};
}

// Everything of the command but its usage. What fails here before BackupFetch wrote nothing.
struct PreparedFetch {
  BackupFetchOptions options;
  std::unique_ptr<Wiring> wiring;
  std::unique_ptr<Storage> storage;
};

Result<PreparedFetch> PrepareFetch(Invocation& call, BackupFetchOptions options) {
  PreparedFetch fetch{std::move(options), std::make_unique<Wiring>(call.settings, call.log), nullptr};
  WALRIG_TRY(fetch.wiring->PrepareCipher(call.ctx));
  WALRIG_ASSIGN(fetch.storage, fetch.wiring->OpenStorage(
                                   call.ctx, {.read_only = true, .turbo = call.turbo, .target = TargetStorage(call)}));
  if (fetch.options.recovery.requested()) {
    WALRIG_ASSIGN(fetch.options.recovery.restore_command, RestoreCommandFor(call, *fetch.wiring));
  }
  return fetch;
}

Result<ExitCode> RunBackupFetch(Invocation& call) {
  const auto nothing_written = [&call](Status status) {
    return std::move(status).With(fmt::format("nothing was written into {}", call.Argument(0)));
  };
  if (Status refused = RefuseUnsupported(call); !refused.ok()) return nothing_written(std::move(refused));
  Result<BackupFetchOptions> options = BackupFetchOptionsFrom(call);
  if (!options.ok()) return nothing_written(std::move(options).status());
  const int criteria = static_cast<int>(!options->selector.name.empty()) +
                       static_cast<int>(options->selector.user_data.has_value()) +
                       static_cast<int>(options->selector.target_time_ns.has_value());
  if (criteria != 1)
    return UsageError(call, "backup-fetch needs exactly one of: a name, LATEST, --target-user-data, --target-time");
  Result<PreparedFetch> fetch = PrepareFetch(call, *std::move(options));
  if (!fetch.ok()) return nothing_written(std::move(fetch).status());
  ProgressLine progress(call.ctx, call.settings);
  BackupFetchDeps deps{*fetch->storage, *fetch->wiring, &progress.counters()};
  WALRIG_ASSIGN(const BackupFetchReport report, BackupFetch(progress.context(), fetch->options, deps));
  progress.Stop();
  if (!fetch->options.recovery.requested()) {
    LogInfo(call, "before this cluster is started it needs WAL: set restore_command and create recovery.signal, or "
                  "restore with one of --recovery-target-*");
  }
  if (!call.Has("json")) return ExitCode::kOk;
  call.out.Json(ReportJson(report));
  if (Status told = call.out.Finish(); !told.ok()) {
    return std::move(told).With(fmt::format("{} was restored into {} whole, and the report is lost", report.backup_name,
                                            fetch->options.target_directory));
  }
  return ExitCode::kOk;
}

constexpr Command kBackupFetchCommand = {
    .name = "backup-fetch",
    .summary = "Restore a backup into an empty directory",
    .arguments = "PGDATA [NAME|LATEST]",
    .description =
        "PGDATA must be absent or empty. With any --recovery-target-* option recovery.signal and a restore_command\n"
        "that calls walrig are written too, so that the server recovers to the target when it is started.",
    .options = kBackupFetchOptions,
    .arguments_min = 1,
    .arguments_max = 2,
    .hint = ArgumentHint::kDirectory,
    .run = RunBackupFetch,
};

}  // namespace

const Command& BackupFetchCommand() { return kBackupFetchCommand; }

}  // namespace walrig
