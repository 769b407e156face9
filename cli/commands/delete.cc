// walrig delete: options into core/retention/execute.
#include <fmt/format.h>

#include "cli/commands/common.h"
#include "cli/output.h"
#include "cli/usage.h"
#include "cli/wiring.h"
#include "core/base/string_util.h"
#include "core/catalog/chain.h"
#include "core/retention/execute.h"
#include "core/retention/garbage.h"

namespace walrig {
namespace {

constexpr CliOption kConfirm = {.name = "confirm", .help = "Delete; without it only the plan is shown"};
constexpr CliOption kDryRun = {.name = "dry-run", .help = "Show only the plan, even with --confirm"};
constexpr CliOption kDeleteJson = {.name = "json", .help = "Print the plan as JSON"};
constexpr CliOption kSentinelTime = {.name = "use-sentinel-time",
                                     .help = "Accepted for WAL-G's sake; matters for retain and before"};

constexpr CliOption kEverythingOptions[] = {kConfirm, kDryRun, kDeleteJson, kSentinelTime, kTargetStorage};
constexpr CliOption kTargetOptions[] = {
    kConfirm,
    kDryRun,
    kDeleteJson,
    kSentinelTime,
    {.name = "target-user-data",
     .kind = OptionKind::kValue,
     .value_name = "JSON",
     .help = "Delete the backup with this user data instead of one by name"},
    {.name = "force", .help = "Delete permanent backups too"},
    kTargetStorage,
};

constexpr CliOption kGarbageOptions[] = {
    kConfirm,
    kDryRun,
    kDeleteJson,
    kSentinelTime,
    {.name = "older-than",
     .kind = OptionKind::kValue,
     .value_name = "AGE",
     .help = "Of what nobody knows the writer of: only what has nothing younger; 24h by default"},
    kTargetStorage,
};

// Whether the deletion is one from all failover storages.
bool IsSeveral(const Invocation& call) {
  const std::string target = ToLower(TargetStorage(call));
  return (target.empty() || target == "all") && call.settings.FindExplicit("WALG_FAILOVER_STORAGES").has_value();
}

void LogPlan(const Invocation& call, const DeletionPlan& plan) {
  const std::string target = TargetStorage(call);
  const std::string where = IsSeveral(call) ? "all" : target.empty() ? "default" : target;
  for (const auto* keys : {&plan.sentinels, &plan.objects}) {
    for (const std::string& key : *keys) {
      LogInfo(call, fmt::format("Object marked for deletion: {} storage={}", Printable(key, 1000), where));
    }
  }
}

Json ReportJson(const DeleteReport& report) {
  Json objects = Json::array();
  for (const auto* keys : {&report.plan.sentinels, &report.plan.objects}) {
    for (const std::string& key : *keys) objects.push_back(key);
  }
  return Json{{"executed", report.executed},
              {"deleted_objects", report.deleted},
              {"backups", report.plan.backups},
              {"size", report.plan.bytes},
              {"objects", objects}};
}

Result<ExitCode> Delete(Invocation& call, DeleteOptions options, Wiring& wiring, Storage& storage) {
  std::vector<NamedStorage> copies;
  if (IsSeveral(call)) {
    WALRIG_ASSIGN(copies, wiring.OpenStorages(call.ctx, {.read_only = true, .turbo = call.turbo}));
  }
  for (const NamedStorage& copy : copies) {
    if (copy.storage != nullptr) options.copies.push_back(copy.storage.get());
  }
  WALRIG_ASSIGN(const DeleteReport report, DeleteBackups(call.ctx, options, storage));
  if (call.Has("json")) {
    call.out.Json(ReportJson(report));
    return ExitCode::kOk;
  }
  if (!report.executed) LogPlan(call, report.plan);
  const size_t objects = report.plan.sentinels.size() + report.plan.objects.size();
  const std::string what =
      fmt::format("{} backups, {} objects, {}", report.plan.backups.size(), objects, FormatBytes(report.plan.bytes));
  LogInfo(call, report.executed ? fmt::format("deleted {}", what)
                                : fmt::format("dry run, would delete {}; run again with --confirm", what));
  return ExitCode::kOk;
}

bool Confirmed(const Invocation& call) { return call.Has("confirm") && !call.Has("dry-run"); }

// A plan may leave out what a storage holds that cannot be reached, with a warning. A deletion may not: nobody saw
// whether that storage's backups need what would go.
StorageUse StorageOf(const Invocation& call) {
  const bool confirmed = Confirmed(call);
  return {.read_only = !confirmed, .turbo = call.turbo, .all = confirmed, .target = TargetStorage(call)};
}

Result<ExitCode> RunEverything(Invocation& call) {
  const std::string modifier = call.Argument(0);
  if (!modifier.empty() && modifier != "FORCE") return UsageError(call, "delete everything takes only FORCE");
  Wiring wiring(call.settings, call.log);
  WALRIG_ASSIGN(const auto storage, wiring.OpenStorage(call.ctx, StorageOf(call)));
  const DeleteOptions options{
      .everything = true, .target = {}, .force = modifier == "FORCE", .confirm = Confirmed(call)};
  return Delete(call, options, wiring, *storage);
}

// FIND_FULL: the full backup below the named one, and with it all its deltas.
Status FindFull(const Context& ctx, Storage& storage, BackupSelector* selector) {
  WALRIG_ASSIGN(const BackupEntry entry, FindBackup(ctx, storage, *selector));
  if (!entry.sentinel.has_value()) return entry.sentinel_status;
  WALRIG_ASSIGN(const std::vector<std::string> chain, ChainOf(ctx, storage, entry));
  *selector = BackupSelector();
  selector->name = chain.front();
  return OkStatus();
}

Result<ExitCode> RunTarget(Invocation& call) {
  std::vector<std::string> words = call.arguments;
  const bool find_full = !words.empty() && words[0] == "FIND_FULL";
  if (find_full) words.erase(words.begin());
  if (words.size() > 1 || words.empty() != call.Has("target-user-data")) {
    return UsageError(call, "delete target needs a name or --target-user-data, after FIND_FULL if that is wanted");
  }
  DeleteOptions options;
  options.force = call.Has("force");
  options.confirm = Confirmed(call);
  if (!words.empty()) options.target.name = words[0];
  if (call.Has("target-user-data")) {
    WALRIG_ASSIGN(options.target.user_data, ParseUserData(call.Text("target-user-data"), "--target-user-data"));
  }
  Wiring wiring(call.settings, call.log);
  WALRIG_ASSIGN(const auto storage, wiring.OpenStorage(call.ctx, StorageOf(call)));
  if (find_full) WALRIG_TRY(FindFull(call.ctx, *storage, &options.target));
  return Delete(call, options, wiring, *storage);
}

Json GarbageJson(const DeleteGarbageReport& report, const std::string& storage) {
  Json backups = Json::array(), uploads = Json::array(), kept = Json::array();
  for (const LeftoverBackup& backup : report.found.backups)
    backups.push_back({{"backup_name", backup.name}, {"objects", backup.keys.size()}, {"size", backup.bytes}});
  for (const UnfinishedUpload& upload : report.found.uploads) {
    uploads.push_back({{"name", upload.key}});
    if (upload.size_bytes != kUnknownSize) uploads.back()["size"] = upload.size_bytes;
  }
  for (const KeptGarbage& one : report.kept) kept.push_back({{"backup_name", one.name}, {"why", one.why}});
  return Json{{"storage_name", storage},
              {"executed", report.executed},
              {"deleted_objects", report.deleted_objects},
              {"removed_uploads", report.removed_uploads},
              {"size", report.found.bytes()},
              {"backups", backups},
              {"uploads", uploads},
              {"kept", kept}};
}

void LogGarbage(const Invocation& call, const DeleteGarbageReport& report, const std::string& storage) {
  for (const KeptGarbage& one : report.kept)
    LogWarning(call, fmt::format("kept: what is left of {} in storage {}: {}", one.name, storage, one.why));
  for (const LeftoverBackup& backup : report.found.backups)
    LogInfo(call, fmt::format("Unfinished backup marked for deletion: {} ({} objects, {}) storage={}", backup.name,
                              backup.keys.size(), FormatBytes(backup.bytes), storage));
  for (const UnfinishedUpload& upload : report.found.uploads)
    LogInfo(call, fmt::format("Unfinished upload marked for deletion: {} ({}) storage={}", Printable(upload.key, 1000),
                              upload.size_bytes == kUnknownSize ? "unknown size" : FormatBytes(upload.size_bytes), storage));
  const std::string what = fmt::format("{} unfinished backups, {} unfinished uploads, {}", report.found.backups.size(),
                                       report.found.uploads.size(), FormatBytes(report.found.bytes()));
  LogInfo(call, report.executed ? fmt::format("storage {}: deleted {}", storage, what)
                                : fmt::format("dry run, storage {}: would delete {}; run again with --confirm", storage, what));
}

// Each storage by itself: a backup is written into one, with its sentinel, and what a broken-off transfer left in
// another is garbage there.
Result<ExitCode> RunGarbage(Invocation& call) {
  const std::string kind = call.Argument(0);
  if (kind != "BACKUPS") {
    return UsageError(call, "delete garbage needs BACKUPS: what interrupted runs of backup-push left; outdated WAL (ARCHIVES) "
                            "is not deleted by this version");
  }
  DeleteGarbageOptions options;
  options.confirm = Confirmed(call);
  Result<int64_t> age = ParseGoDuration(call.Text("older-than", "24h"));
  if (!age.ok()) return std::move(age).status().With("--older-than");
  if (*age < 0) return InvalidArgument("--older-than: a negative age");
  options.age_ns = *age;
  Wiring wiring(call.settings, call.log);
  WALRIG_ASSIGN(const std::vector<NamedStorage> storages,
                wiring.OpenStorages(call.ctx, {.read_only = !options.confirm, .turbo = call.turbo, .target = TargetStorage(call)}));
  Json array = Json::array();
  for (const NamedStorage& one : storages) {
    if (one.storage == nullptr) continue;
    Result<DeleteGarbageReport> report = DeleteGarbage(call.ctx, options, *one.storage);
    if (!report.ok()) return std::move(report).status().With("storage " + one.name);
    if (call.Has("json"))
      array.push_back(GarbageJson(*report, one.name));
    else
      LogGarbage(call, *report, one.name);
  }
  if (call.Has("json")) call.out.Json(array);
  return ExitCode::kOk;
}

Result<ExitCode> RunDeleteAlone(Invocation& call) {
  const std::string form = call.Argument(0);
  if (form.empty()) {
    call.out.Write(CommandHelp(DeleteCommands()[0]));
    return ExitCode::kOk;
  }
  for (const std::string_view later : {"retain", "before"}) {
    if (form == later) return UsageError(call, fmt::format("delete {} is not supported by this version", form));
  }
  return UsageError(call, fmt::format("delete {}: no such form", Printable(form)));
}

constexpr Command kDeleteCommands[] = {
    {
        .name = "delete",
        .summary = "Delete backups; see delete everything, delete target and delete garbage",
        .arguments = "FORM",
        .arguments_min = 0,
        .arguments_max = 1000,
        .hidden = true,
        .needs_settings = false,
        .run = RunDeleteAlone,
    },
    {
        .name = "delete everything",
        .summary = "Delete all that is under the prefix; only shows the plan without --confirm",
        .arguments = "[FORCE]",
        .description = "Refused while a permanent backup is there, unless FORCE is given.",
        .options = kEverythingOptions,
        .arguments_max = 1,
        .run = RunEverything,
    },
    {
        .name = "delete target",
        .summary = "Delete one backup and its deltas; only shows the plan without --confirm",
        .arguments = "[FIND_FULL] NAME",
        .description = "A permanent backup is kept unless --force is given (WAL-G deletes it). WAL is not touched.",
        .options = kTargetOptions,
        .arguments_max = 2,
        .hint = ArgumentHint::kBackupName,
        .run = RunTarget,
    },
    {
        .name = "delete garbage",
        .summary = "Delete what interrupted runs of backup-push left; only shows it without --confirm",
        .arguments = "BACKUPS",
        .description = "Folders of backups without a sentinel and uploads without an end: of runs whose process is gone, seen on\n"
                       "its own machine, and of others when nothing of them is younger than --older-than.",
        .options = kGarbageOptions,
        .arguments_max = 1,
        .run = RunGarbage,
    },
};

}  // namespace

std::span<const Command> DeleteCommands() { return kDeleteCommands; }

}  // namespace walrig
