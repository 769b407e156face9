// walrig st copy, transfer: options into core/st/transfer.
#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands/common.h"
#include "cli/commands/st_common.h"
#include "core/base/logger.h"
#include "core/base/string_util.h"
#include "core/config/load.h"
#include "core/st/copy.h"
#include "core/st/transfer.h"

namespace walrig {
namespace {

Result<ExitCode> Told(Invocation& call, const TransferReport& report) {
  for (const std::string& failure : report.failures) LogWarning(call, "not moved: " + Printable(failure, 2000));
  LogInfo(call, fmt::format("{} objects ({}), {} already there, {} failed", report.moved, FormatBytes(report.bytes),
                            report.skipped, report.failed));
  if (report.failed > 0) return IoError(fmt::format("{} objects or backups were not moved", report.failed));
  return ExitCode::kOk;
}

Result<uint64_t> NumberOption(const Invocation& call, std::string_view name, uint64_t fallback) {
  if (!call.Has(name)) return fallback;
  Result<uint64_t> number = ParseUint(call.Text(name));
  if (!number.ok()) return std::move(number).status().With("--" + std::string(name));
  return number;
}

Result<TransferOptions> StMoveOptionsFrom(const Invocation& call) {
  TransferOptions options{.overwrite = call.Has("overwrite"), .preserve = call.Has("preserve"),
                          .fail_fast = call.Has("fail-fast")};
  WALRIG_ASSIGN(const uint64_t concurrency, NumberOption(call, "concurrency", 10));
  if (concurrency == 0) return InvalidArgument("--concurrency: at least 1 is needed");
  options.concurrency = static_cast<size_t>(std::min<uint64_t>(concurrency, 256));
  WALRIG_ASSIGN(options.objects_max, NumberOption(call, "max-files", UINT64_MAX));
  WALRIG_ASSIGN(options.backups_max, NumberOption(call, "max-backups", UINT64_MAX));
  WALRIG_ASSIGN(const uint64_t checks, NumberOption(call, "appearance-checks", 3));
  options.appearance_checks = static_cast<uint32_t>(std::min<uint64_t>(checks, 1'000'000));
  WALRIG_ASSIGN(options.appearance_interval_ns, ParseGoDuration(call.Text("appearance-checks-interval", "1s")));
  return options;
}

using Transfer = Result<TransferReport> (*)(const Invocation&, Storage&, Storage&, const TransferOptions&);

Result<ExitCode> RunTransfer(Invocation& call, Transfer transfer) {
  const std::string from = call.Text("source");
  const std::string to = call.Text("target", "default");
  if (from.empty()) return UsageError(call, "st transfer needs --source");
  if (to.empty()) return UsageError(call, kTargetIsEmpty);
  if (ToLower(from) == ToLower(to) || from == "all" || to == "all") {
    return UsageError(call, "st transfer needs two different storages, each by its name");
  }
  WALRIG_ASSIGN(const TransferOptions options, StMoveOptionsFrom(call));
  Wiring wiring(call.settings, call.log);
  WALRIG_ASSIGN(const auto source,
                wiring.OpenStorage(call.ctx, {.read_only = options.preserve, .turbo = call.turbo, .target = from}));
  WALRIG_ASSIGN(const auto target, wiring.OpenStorage(call.ctx, {.turbo = call.turbo, .target = to}));
  WALRIG_ASSIGN(const TransferReport report, transfer(call, *source, *target, options));
  return Told(call, report);
}

Result<ExitCode> RunFiles(Invocation& call) {
  return RunTransfer(call, [](const Invocation& inner, Storage& from, Storage& to, const TransferOptions& options) {
    return TransferObjects(inner.ctx, from, to, inner.Argument(0), options);
  });
}

Result<ExitCode> RunWals(Invocation& call) {
  return RunTransfer(call, [](const Invocation& inner, Storage& from, Storage& to, const TransferOptions& options) {
    return TransferObjects(inner.ctx, from, to, "wal_005/", options);
  });
}

Result<ExitCode> RunBackups(Invocation& call) {
  return RunTransfer(call, [](const Invocation& inner, Storage& from, Storage& to, const TransferOptions& options) {
    return TransferBackups(inner.ctx, from, to, inner.Argument(0), options);
  });
}

// The settings of one file, which the environment only adds to: what it holds would be that of both. Where the storage is
// must stand in the file.
Result<Settings> SettingsOf(Invocation& call, const std::string& path) {
  LoadReport report;
  WALRIG_ASSIGN(const Settings own,
                LoadSettings({.flags = {}, .config_path = path, .environment = nullptr, .home = {}, .other_home = nullptr}, &report));
  std::vector<const char*> environment;
  for (const char* const* each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string name = std::string(*each).substr(0, std::string_view(*each).find('='));
    const bool place = name.ends_with("_PREFIX") || name == "WALRIG_STORAGE" || name == "WALG_CONFIG_PATH" ||
                       name == "WALG_FAILOVER_STORAGES";
    if (!place && !own.FindExplicit(name).has_value()) environment.push_back(*each);
  }
  environment.push_back(nullptr);
  WALRIG_ASSIGN(Settings settings,
                LoadSettings({.flags = {}, .config_path = path, .environment = environment.data(), .home = {}, .other_home = nullptr}, &report));
  for (const std::string& warning : report.warnings) LogWarning(call, warning);
  for (const std::string& secret : settings.SecretValues()) call.log.RegisterSecret(secret);
  return settings;
}

// The cipher of one side, when the command line asks for it.
Result<Cipher*> CipherFor(Invocation& call, Wiring& wiring, std::string_view option, std::string_view side) {
  if (!call.Has(option)) return nullptr;
  WALRIG_TRY(wiring.PrepareCipher(call.ctx));
  if (wiring.cipher() != nullptr) return wiring.cipher();
  return ConfigError(fmt::format("--{}: no key is configured in {}", option, call.Text(side)));
}

Result<ExitCode> RunCopy(Invocation& call) {
  if (!call.Has("from") || !call.Has("to")) return UsageError(call, "st copy needs --from and --to");
  WALRIG_ASSIGN(const Settings from_settings, SettingsOf(call, call.Text("from")));
  WALRIG_ASSIGN(const Settings to_settings, SettingsOf(call, call.Text("to")));
  Wiring from_wiring(from_settings, call.log);
  Wiring to_wiring(to_settings, call.log);
  CopyOptions options;
  WALRIG_ASSIGN(options.open, CipherFor(call, from_wiring, "decrypt-source", "from"));
  WALRIG_ASSIGN(options.seal, CipherFor(call, to_wiring, "encrypt-source", "to"));
  WALRIG_ASSIGN(const auto from, from_wiring.OpenStorage(call.ctx, {.read_only = true, .turbo = call.turbo, .target = "default"}));
  WALRIG_ASSIGN(const auto to, to_wiring.OpenStorage(call.ctx, {.turbo = call.turbo, .target = "default"}));
  WALRIG_ASSIGN(const TransferReport report, CopyObjects(call.ctx, *from, *to, call.Text("prefix"), options));
  return Told(call, report);
}

constexpr CliOption kSource = {.name = "source", .letter = 's', .kind = OptionKind::kValue, .value_name = "NAME",
                               .help = "The storage to move from, by its name; needed"};
constexpr CliOption kTo = {.name = "target", .letter = 't', .kind = OptionKind::kValue, .value_name = "NAME",
                           .help = "The storage to move to; \"default\" unless given"};
constexpr CliOption kOverwrite = {.name = "overwrite", .letter = 'o', .help = "Replace what the target has with other bytes"};
constexpr CliOption kPreserve = {.name = "preserve", .letter = 'p', .help = "Keep everything at the source"};
constexpr CliOption kFailFast = {.name = "fail-fast", .help = "End with the first failure"};
constexpr CliOption kConcurrency = {.name = "concurrency", .letter = 'c', .kind = OptionKind::kValue, .value_name = "N",
                                    .help = "Objects that move at once; 10 unless given"};
constexpr CliOption kMaxFiles = {.name = "max-files", .letter = 'm', .kind = OptionKind::kValue, .value_name = "N",
                                 .help = "Move at most so many objects"};
constexpr CliOption kMaxBackups = {.name = "max-backups", .kind = OptionKind::kValue, .value_name = "N",
                                   .help = "Move at most so many backups, oldest first"};
constexpr CliOption kChecks = {.name = "appearance-checks", .kind = OptionKind::kValue, .value_name = "N",
                               .help = "How often the target is asked for a moved object; 3 unless given"};
constexpr CliOption kInterval = {.name = "appearance-checks-interval", .kind = OptionKind::kValue, .value_name = "TIME",
                                 .help = "The pause between two such questions; 1s unless given"};
constexpr CliOption kFilesOptions[] = {kSource, kTo, kOverwrite, kPreserve, kFailFast, kConcurrency, kMaxFiles, kChecks, kInterval};
constexpr CliOption kBackupsOptions[] = {kSource, kTo, kOverwrite, kPreserve, kFailFast, kConcurrency, kMaxFiles, kMaxBackups, kChecks, kInterval};
constexpr CliOption kCopyOptions[] = {
    {.name = "from", .kind = OptionKind::kValue, .value_name = "FILE", .help = "Configuration of the storage to copy from"},
    {.name = "to", .kind = OptionKind::kValue, .value_name = "FILE", .help = "Configuration of the storage to copy to"},
    {.name = "prefix", .letter = 'p', .kind = OptionKind::kValue, .value_name = "PREFIX", .help = "Only objects whose names begin so"},
    {.name = "decrypt-source", .letter = 'd', .help = "Decrypt with the key of --from"},
    {.name = "encrypt-source", .letter = 'e', .help = "Encrypt with the key of --to"},
};
constexpr std::string_view kMoves = "An object is deleted at the source when the target has shown it whole; not with --preserve.\n"
                                    "Run again after an interruption, it goes on.";

constexpr Command kStMoveCommands[] = {
    {.name = "st copy", .summary = "Copy objects between the storages of two configuration files",
     .description = "The place of each storage must stand in its file, which wins over the environment.\n"
                    "Run again after an interruption, it goes on. Other objects of the same name are replaced, the sentinel of\n"
                    "their backup being deleted first; a backup's sentinel is copied when all else of it was.",
     .options = kCopyOptions, .needs_settings = false, .run = RunCopy},
    {.name = "st transfer files", .summary = "Move all objects with a prefix to another storage", .arguments = "PREFIX",
     .description = kMoves, .options = kFilesOptions, .arguments_min = 1, .arguments_max = 1, .run = RunFiles},
    {.name = "st transfer pg-wals", .summary = "Move the WAL to another storage", .description = kMoves,
     .options = kFilesOptions, .run = RunWals},
    {.name = "st transfer backups", .summary = "Move backups to another storage", .arguments = "[NAME]",
     .description = "A backup's sentinel goes last and is deleted first, so that it is a backup at one place at any moment.\n"
                    "Run again after an interruption, it goes on.",
     .options = kBackupsOptions, .arguments_max = 1, .hint = ArgumentHint::kBackupName, .run = RunBackups},
};

}  // namespace

std::span<const Command> StMoveCommands() { return kStMoveCommands; }

}  // namespace walrig
