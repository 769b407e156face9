// walrig backup-verify: settings and options into core/verify/backup_verify.
#include "core/verify/backup_verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/common.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/wiring.h"
#include "core/base/logger.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

constexpr CliOption kBackupVerifyOptions[] = {
    {.name = "all", .help = "Verify every backup of the storage"},
    {.name = "no-wal", .help = "Leave out the WAL that the backup needs"},
    {.name = "json", .help = "Print a report as JSON"},
    kTargetStorage,
};

Json ResultJson(const BackupVerifyResult& result) {
  Json findings = Json::array();
  for (const VerifyFinding& finding : result.findings)
    findings.push_back({{"where", finding.where}, {"what", finding.what}});
  Json left_out = Json::array();
  for (const VerifyLeftOut& one : result.left_out) left_out.push_back({{"what", one.what}, {"why", one.why}});
  return Json{{"backup_name", result.backup_name},
              {"ok", result.ok},
              {"hashes_checked", result.hashes_checked},
              {"manifest_checked", result.manifest_checked},
              {"files_checked", result.files_checked},
              {"pages_checked", result.pages_checked},
              {"wal_checked", result.wal_checked},
              {"wal_elsewhere", result.wal_elsewhere},
              {"objects", result.objects},
              {"files", result.files},
              {"pages", result.pages},
              {"corrupt_pages", result.corrupt_pages},
              {"compressed_size", result.stored_bytes},
              {"uncompressed_size", result.plain_bytes},
              {"findings_count", result.findings_count},
              {"findings", findings},
              {"not_checked", left_out},
              {"not_verified", result.not_verified}};
}

std::string Checked(const BackupVerifyResult& result) {
  std::vector<std::string> what;
  if (result.hashes_checked) what.emplace_back("hashes");
  if (result.manifest_checked) what.emplace_back("manifest");
  if (result.files_checked) what.emplace_back("file list");
  if (result.pages_checked) what.emplace_back("pages");
  if (result.wal_checked) what.emplace_back("WAL");
  return what.empty() ? "decoding only" : Join(what, ", ");
}

void PrintBackupVerify(Invocation& call, const BackupVerifyReport& report) {
  for (const BackupVerifyResult& result : report.backups) {
    if (!result.not_verified.empty()) {
      call.out.Line(fmt::format("{}: not verified: {}", result.backup_name, result.not_verified));
      continue;
    }
    call.out.Line(fmt::format("{}: {} ({} files, {} plain, {} stored; checked: {})", result.backup_name,
                              result.ok ? "ok" : "DAMAGED", result.files, FormatBytes(result.plain_bytes),
                              FormatBytes(result.stored_bytes), Checked(result)));
    if (result.wal_elsewhere) {
      call.log.Write(LogLevel::kWarning, "verify",
                     result.backup_name + ": its WAL is kept elsewhere (WALRIG_WAL_ARCHIVE) and was not looked for");
    }
    for (const VerifyFinding& finding : result.findings) {
      call.out.Line(fmt::format("  {}: {}", Printable(finding.where), finding.what));
    }
    if (result.findings_count > result.findings.size()) {
      call.out.Line(fmt::format("  and {} more", result.findings_count - result.findings.size()));
    }
    for (const VerifyLeftOut& one : result.left_out) call.out.Line(fmt::format("  not checked: {}: {}", one.what, one.why));
  }
}

void PrintSum(Invocation& call, const BackupVerifyReport& report) {
  const auto sound = [](const BackupVerifyResult& result) { return result.ok; };
  const auto good = std::count_if(report.backups.begin(), report.backups.end(), sound);
  if (report.backups.empty()) return call.log.Write(LogLevel::kWarning, "verify", "there is no backup to verify");
  call.out.Line(fmt::format("{} of {} backups ok", good, report.backups.size()));
}

Result<ExitCode> RunBackupVerify(Invocation& call) {
  BackupVerifyOptions options;
  options.all = call.Has("all");
  options.selector.name = call.Argument(0);
  if (options.all != options.selector.name.empty()) return UsageError(call, "backup-verify needs a name or --all");
  WALRIG_ASSIGN(options.workers, PositiveSetting(call.settings, "WALG_DOWNLOAD_CONCURRENCY"));
  options.check_wal = !call.Has("no-wal");
  options.preferred_extension = PreferredExtension(call.settings);
  Wiring wiring(call.settings, call.log);
  WALRIG_TRY(wiring.PrepareCipher(call.ctx));
  WALRIG_ASSIGN(const auto storage, wiring.OpenStorage(call.ctx, {.read_only = true, .turbo = call.turbo, .target = TargetStorage(call)}));
  ProgressLine progress(call.ctx, call.settings);
  BackupVerifyDeps deps{*storage, wiring, &progress.counters()};
  BackupVerifyReport report;
  const Status ended = BackupVerify(progress.context(), options, deps, &report);
  progress.Stop();
  const bool tell = ended.ok() || !report.backups.empty();
  if (call.Has("json") && tell) {
    Json array = Json::array();
    for (const BackupVerifyResult& result : report.backups) array.push_back(ResultJson(result));
    call.out.Json(array);
  } else if (tell) {
    PrintBackupVerify(call, report);
    if (options.all && ended.ok()) PrintSum(call, report);
  }
  WALRIG_TRY(ended);
  if (report.damaged()) return ExitCode::kFindings;
  return report.ok() ? ExitCode::kOk : ExitCode::kError;
}

constexpr Command kBackupVerifyCommand = {
    .name = "backup-verify",
    .summary = "Read a backup back and prove it, without restoring",
    .arguments = "NAME|LATEST|--all",
    .description = "Exits with 3 if anything is damaged or missing, and with 1 if the check could not be completed.",
    .options = kBackupVerifyOptions,
    .arguments_min = 0,
    .arguments_max = 1,
    .hint = ArgumentHint::kBackupName,
    .run = RunBackupVerify,
};

}  // namespace

const Command& BackupVerifyCommand() { return kBackupVerifyCommand; }

}  // namespace walrig
