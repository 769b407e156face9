#include "core/backup/backup_wal.h"

#include <fmt/format.h>

#include "core/backup/archive_wait.h"
#include "core/backup/archiver_check.h"
#include "core/postgres/wal_name.h"

namespace walrig {

std::vector<Storage*> BackupWal::Storages() const {
  std::vector<Storage*> storages{&deps_.storage};
  storages.insert(storages.end(), deps_.archives.begin(), deps_.archives.end());
  return storages;
}

Status BackupWal::Prepare(const Context& ctx, const ServerInfo& server) {
  if (!in_storage())
    ctx.log->Write(LogLevel::kWarning, "backup",
                   "WALRIG_WAL_ARCHIVE is elsewhere: this backup can only be restored with WAL that this storage does not "
                   "hold, and nothing here looks whether it is there");
  WALRIG_TRY(CheckArchiveSettings(ctx, server, in_storage()));
  if (!ArchivesItself(server)) return OkStatus();
  WALRIG_ASSIGN(before_, deps_.server.Archiver(ctx));
  return OkStatus();
}

Status BackupWal::CheckArchiving(const Context& ctx, const BackupFacts& facts) {
  if (!ArchivesItself(facts.server)) return OkStatus();
  ArchiverCheck check;
  check.before = before_;
  check.data_directory = facts.data_directory;
  check.patience_ms = ArchiverPatienceMs(facts.server.wal_segment_bytes, options_.stop_backup_timeout_ms);
  WALRIG_ASSIGN(const std::string archived, CheckArchiver(ctx, deps_.server, check));
  if (!in_storage() || ClassifyWalFile(archived).kind != WalFileKind::kSegment) return OkStatus();
  return WaitForStoredWal(ctx, {Storages(), facts.data_directory, options_.stop_backup_timeout_ms}, {archived});
}

Status BackupWal::Wait(const Context& ctx, const BackupFacts& facts) {
  if (!in_storage()) {
    WALRIG_ASSIGN(const std::vector<std::string> names,
                  WalToBeArchived(facts.server, facts.timeline, facts.start_lsn, facts.stop_lsn));
    if (names.empty())
      ctx.log->Write(LogLevel::kWarning, "backup",
                     fmt::format("this server does not archive the WAL of the backup: it can be restored once {} has "
                                 "archived everything up to {}",
                                 facts.server.in_recovery ? "the primary" : "something else", FormatLsn(facts.stop_lsn)));
    return WaitForArchive(ctx, facts.data_directory, names, options_.stop_backup_timeout_ms);
  }
  WALRIG_ASSIGN(const std::vector<std::string> segments,
                WalOfBackup(facts.timeline, facts.start_lsn, facts.stop_lsn, facts.server.wal_segment_bytes));
  const std::string directory = ArchivesItself(facts.server) ? facts.data_directory : "";
  return WaitForStoredWal(ctx, {Storages(), directory, options_.stop_backup_timeout_ms}, segments);
}

}  // namespace walrig
