#include "core/wal/push.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/catalog/archive_marker.h"
#include "core/catalog/archived_wal.h"
#include "core/storage/objects.h"
#include "core/wal/background_push.h"
#include "core/wal/local_file.h"
#include "core/wal/markers.h"
#include "core/wal/upload.h"

namespace walrig {
namespace {

// Where markers and archive_status are: beside the file; with a file somewhere else, in PGDATA's pg_wal.
std::string WalDirectory(const WalPushOptions& options) {
  const std::filesystem::path beside = std::filesystem::path(options.path).parent_path();
  std::error_code ignored;
  if (std::filesystem::is_directory(beside / "archive_status", ignored) || options.pgdata.empty()) {
    return beside.empty() ? "." : beside.string();
  }
  return options.pgdata + "/pg_wal";
}

// A background upload said that it archived exactly this content, and the archive agrees that the name is there.
Result<bool> ArchivedInBackground(const Context& ctx, const LocalWalFile& file, const UploadMarkers& markers,
                                  const WalPushDeps& deps) {
  if (!markers.Exists(file.name)) return false;
  bool archived = false;
  if (markers.Matches(file)) {
    WALRIG_ASSIGN(archived, IsWalFileArchived(ctx, deps.storage, file.name, deps.codec.Extension()));
  }
  markers.Remove(file.name);
  return archived;
}

// The note comes first: where none can be kept, every call would ask for the marker again.
void MarkArchive(const Context& ctx, const LocalWalFile& file, const std::string& wal_directory, const WalPushOptions& options,
                 const WalPushDeps& deps) {
  const ArchiveNote note(wal_directory, options.archive_id);
  const bool history = file.kind.kind == WalFileKind::kHistory;
  if (note.Exists() && !history) return;
  const Status noted = note.Add(ctx);
  if (!noted.ok() && !history) return ctx.log->Write(LogLevel::kDebug, "wal", "no note of the archive's marker: " + noted.ToString());
  // One that could not be stored is not tried again for each segment either: backups and histories do it.
  MarkArchives(ctx, deps.storage, deps.others);
}

}  // namespace

bool ArchiveIsNoted(const WalPushOptions& options) { return ArchiveNote(WalDirectory(options), options.archive_id).Exists(); }

Result<WalPushReport> WalPush(const Context& ctx, const WalPushOptions& options, const WalPushDeps& deps) {
  WALRIG_ASSIGN(const LocalWalFile file, OpenLocalWalFile(options.path, options.segment_bytes));
  WalPushReport report;
  report.name = file.name;
  report.plain_bytes = file.size_bytes;
  const std::string wal_directory = WalDirectory(options);
  WALRIG_ASSIGN(report.already_archived, ArchivedInBackground(ctx, file, UploadMarkers(wal_directory), deps));
  if (report.already_archived) return report;

  // A history first by itself: when its timeline is taken, segments of it would be stored over another server's.
  const bool alone = file.kind.kind == WalFileKind::kHistory;
  const auto background = alone ? nullptr : BackgroundPush::Start(ctx, wal_directory, file.name, options, deps);
  auto upload = UploadWalFile(ctx, file, options.compress_workers, options, deps);
  if (background != nullptr) report.background_files = background->Stop();
  if (!upload.ok()) return std::move(upload).status();
  if (upload->already_archived) {
    ctx.log->Write(LogLevel::kInfo, "",
                   fmt::format("WAL file '{}' already archived with equal content, skipping", file.path));
  }
  MarkArchive(ctx, file, wal_directory, options, deps);
  report.already_archived = upload->already_archived;
  report.stored_bytes = upload->stats.stored_bytes;
  return report;
}

}  // namespace walrig
