#include "core/wal/fetch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/catalog/archive_marker.h"
#include "core/catalog/archived_wal.h"
#include "core/io/durable_file.h"
#include "core/postgres/wal_content.h"
#include "core/postgres/wal_name.h"
#include "core/wal/local_file.h"

namespace walrig {
namespace {

Status CheckDestination(const std::string& destination) {
  struct stat st {};
  if (lstat(destination.c_str(), &st) == 0) {
    return AlreadyExists(destination + ": file exists").Hint("wal-fetch never writes over a file");
  }
  const auto parent = std::filesystem::path(destination).parent_path();
  std::error_code error;
  if (!parent.empty() && !std::filesystem::is_directory(parent, error)) {
    return InvalidArgument(parent.string() + ": no such directory, for " + destination);
  }
  return OkStatus();
}

// A file that was there a moment ago, or a directory that is gone, is not the end of WAL: only the opening may end a recovery.
Status NotAbsent(Status failure) {
  if (failure.code() != Code::kNotFound) return failure;
  return Unavailable(std::string(failure.message())).Hint(std::string(failure.hint()));
}

// A segment whose WAL ends before the segment does is handed over only as the last one: of a timeline that was left, or of a server
// that crashed. When the next one is archived this one was whole once, and recovery would end in its middle without a word.
Status CheckEarlyEnd(const Context& ctx, const WalFetchOptions& options, const WalFetchDeps& deps, const WalContentCheck& check) {
  const std::optional<WalBreak> end = check.early_end();
  if (!end) return OkStatus();
  WALRIG_ASSIGN(const WalName name, ParseWalName(options.name));
  const Result<WalName> next = NextSegment(name, check.segment_bytes());
  if (!next.ok()) return OkStatus();
  for (Storage* const storage : deps.AllStorages()) {
    const Status found = OpenArchivedWalFile(ctx, *storage, deps.codecs, FormatWalName(*next), options.preferred_extension).status();
    if (found.code() == Code::kNotFound) continue;
    if (!found.ok() && found.code() != Code::kNotSupported) return found;
    return Corruption(fmt::format("the WAL in it ends at {} ({}), and the archive holds the next segment", FormatLsn(end->at), end->why))
        .Hint("the rest of the segment was lost, and recovery cannot go on beyond it; another copy may be whole");
  }
  ctx.log->Write(LogLevel::kWarning, "wal", fmt::format("the WAL in {} ends at {}, before the segment does, and none follows in the archive",
                                                        options.name, FormatLsn(end->at)));
  return OkStatus();
}

// What a plain open() would give: the server's umask decides who may read its WAL.
mode_t ModeByUmask() {
  const mode_t mask = umask(077);
  umask(mask);
  return 0666 & ~mask;
}

}  // namespace

Status CheckWalFetchArguments(const std::string& name, const std::string& destination) {
  if (ClassifyWalFile(name).kind == WalFileKind::kOther) {
    return InvalidArgument(fmt::format("'{}' is not the name of a WAL file", Printable(name)))
        .Hint("restore_command = 'walrig wal-fetch %f %p'");
  }
  return CheckDestination(destination);
}

Result<WalFetchReport> WalFetch(const Context& ctx, const WalFetchOptions& options, const WalFetchDeps& deps) {
  WALRIG_TRY(CheckWalFetchArguments(options.name, options.destination));
  const WalFile kind = ClassifyWalFile(options.name);
  Result<ArchivedWalFile> opened =
      OpenArchivedWalFile(ctx, deps.storage, deps.codecs, options.name, options.preferred_extension);
  if (opened.status().code() == Code::kNotFound) WALRIG_TRY(CheckIsArchive(ctx, deps.storage));
  WALRIG_ASSIGN(ArchivedWalFile archived, std::move(opened));
  // Not synced: PostgreSQL reads the file at once, syncs what it keeps itself, and asks again after a crash.
  auto file = DurableFile::Create(options.destination, {.mode = ModeByUmask(), .replace = false, .sync = false,
                                                        .owner_of_folder = true});
  if (!file.ok()) return NotAbsent(std::move(file).status());
  WalContentCheck check({.file = kind,
                         .system_identifier = SystemIdentifierBeside(options.destination),
                         .segment_bytes = options.segment_bytes});
  Buffer buffer(kIoBufferBytes);
  for (;;) {
    WALRIG_TRY(ctx.Poll());
    const Result<size_t> got = archived.plain->Read(ctx, buffer.span());
    if (!got.ok()) return NotAbsent(got.status());
    if (*got == 0) break;
    WALRIG_TRY(check.Add(buffer.first(*got)).With(archived.key));
    WALRIG_TRY((*file)->Write(ctx, buffer.first(*got)));
  }
  WALRIG_TRY(check.Finish().With(archived.key));
  WALRIG_TRY(NotAbsent(CheckEarlyEnd(ctx, options, deps, check)).With(archived.key));
  WALRIG_TRY(NotAbsent((*file)->Commit(ctx)));
  return WalFetchReport{.key = std::move(archived.key), .plain_bytes = (*file)->bytes()};
}

}  // namespace walrig
