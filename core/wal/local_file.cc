#include "core/wal/local_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "core/base/errno_status.h"
#include "core/base/string_util.h"
#include "core/postgres/control_file.h"
#include "core/postgres/history_file.h"
#include "core/postgres/wal_content.h"
#include "core/postgres/wal_page.h"
#include "walrig/bytes.h"

namespace walrig {
namespace {

constexpr uint64_t kLocalHistoryBytesMax = 16u << 20;  // a line a promotion: no cluster comes near

int64_t MtimeNs(const struct stat& info) {
  return int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

Status CheckSegment(LocalWalFile& file, uint64_t segment_bytes) {
  uint8_t first[kWalLongHeaderBytes];
  WALRIG_ASSIGN(const size_t got, PreadFull(file.fd.get(), first, 0, "read " + file.path));
  WALRIG_ASSIGN(const WalLongHeader header, ParseWalLongHeader({first, got}));
  WALRIG_TRY(CheckWalHeader(header, {.name = file.kind.segment,
                                     .system_identifier = SystemIdentifierBeside(file.path),
                                     .segment_bytes = segment_bytes}));
  if (file.size_bytes != header.segment_bytes) {
    return Corruption(
        fmt::format("it has {} bytes, and its header says segments of {}", file.size_bytes, header.segment_bytes));
  }
  file.system_identifier = header.system_identifier;
  return OkStatus();
}

Status CheckHistory(const LocalWalFile& file) {
  WALRIG_ASSIGN(const std::string text, ReadWholeFile(file.path, kLocalHistoryBytesMax));
  return TimelineHistory::Parse(file.kind.segment.timeline, text).status();
}

}  // namespace

uint64_t SystemIdentifierBeside(const std::string& path) {
  // First by name: behind a link, ".." is the parent of what the link points to.
  const std::filesystem::path up = std::filesystem::path(path).parent_path() / "..";
  for (const std::filesystem::path& pgdata : {up.lexically_normal(), up}) {
    auto bytes = ReadWholeFile((pgdata / "global" / "pg_control").string(), kControlFileBytes);
    if (!bytes.ok()) continue;
    auto data = ParseControlFile(AsBytes(*bytes));
    return data.ok() ? data->system_identifier : 0;
  }
  return 0;
}

Result<LocalWalFile> OpenLocalWalFile(const std::string& path, uint64_t segment_bytes) {
  LocalWalFile file;
  file.path = path;
  file.name = std::filesystem::path(path).filename().string();
  file.kind = ClassifyWalFile(file.name);
  if (file.kind.kind == WalFileKind::kOther) {
    return InvalidArgument(fmt::format("'{}' is not the name of a WAL file", Printable(file.name)))
        .Hint("give a segment, .partial, .history or .backup file, as archive_command's %p does");
  }
  WALRIG_ASSIGN(file.fd, OpenFd(path, O_RDONLY));
  struct stat st {};
  if (fstat(file.fd.get(), &st) != 0) return ErrnoStatus(errno, "stat " + path);
  if (!S_ISREG(st.st_mode)) return InvalidArgument(path + " is not a regular file");
  file.size_bytes = static_cast<uint64_t>(st.st_size);
  file.mtime_ns = MtimeNs(st);
  switch (file.kind.kind) {
    case WalFileKind::kSegment:
    case WalFileKind::kPartial:
      WALRIG_TRY(CheckSegment(file, segment_bytes).With(path));
      break;
    case WalFileKind::kHistory:
      WALRIG_TRY(CheckHistory(file).With(path));
      break;
    case WalFileKind::kBackup:
      if (file.size_bytes == 0) return Corruption(path + ": a backup history file is never empty");
      break;
    case WalFileKind::kOther:
      break;
  }
  return file;
}

Status CheckRecords(const Context& ctx, const LocalWalFile& file, std::optional<WalBreak>* early_end) {
  const bool segment = file.kind.kind == WalFileKind::kSegment || file.kind.kind == WalFileKind::kPartial;
  if (!segment) return OkStatus();
  WalContentCheck check({.file = file.kind});
  Buffer buffer(kIoBufferBytes);
  for (uint64_t position = 0; position < file.size_bytes;) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(const size_t got, PreadSome(file.fd.get(), buffer.span(), position, "read " + file.path));
    if (got == 0) return Truncated(file.path + " became shorter while it was read");
    WALRIG_TRY(check.Add(buffer.first(got)).With(file.path));
    position += got;
  }
  WALRIG_TRY(check.Finish().With(file.path));
  *early_end = check.early_end();
  return OkStatus();
}

Status CheckUnchanged(const LocalWalFile& file) {
  struct stat opened {};
  struct stat named {};
  if (fstat(file.fd.get(), &opened) != 0) return ErrnoStatus(errno, "stat " + file.path);
  if (stat(file.path.c_str(), &named) != 0) return ErrnoStatus(errno, "stat " + file.path);
  const bool same = opened.st_dev == named.st_dev && opened.st_ino == named.st_ino &&
                    static_cast<uint64_t>(named.st_size) == file.size_bytes && MtimeNs(named) == file.mtime_ns;
  if (same) return OkStatus();
  return Conflict(file.path + " was replaced or written to while it was read")
      .Hint("another wal-push of the same file may have archived it meanwhile; PostgreSQL asks again if not");
}

}  // namespace walrig
