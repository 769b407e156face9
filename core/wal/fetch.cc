#include "core/wal/fetch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/io/durable_file.h"
#include "core/postgres/history_file.h"
#include "core/postgres/wal_name.h"
#include "core/postgres/wal_page.h"
#include "core/wal/archived_file.h"
#include "core/wal/local_file.h"

namespace walrig {
namespace {

// No history has more: one line a promotion. A stream that goes on beyond it is not a history.
constexpr size_t kHistoryBytesMax = 16u << 20;

// Sees the content pass by and says in the end whether it is what the name promises.
class ContentCheck {
 public:
  ContentCheck(const WalFetchOptions& options, const WalFile& kind) : options_(options), kind_(kind) {}

  Status Add(ByteSpan bytes) {
    if (head_.size() < HeadBytes()) {
      head_.append(AsText(bytes.first(std::min(bytes.size(), HeadBytes() - head_.size()))));
    }
    total_ += bytes.size();
    if (IsSegment() && head_.size() == kWalLongHeaderBytes && segment_bytes_ == 0) WALRIG_TRY(CheckHeader());
    // A stream without end must not fill the disk before it is refused.
    if (IsSegment() && segment_bytes_ != 0 && total_ > segment_bytes_) return WrongSize("more than");
    if (!IsSegment() && total_ > kHistoryBytesMax) return Corruption("it is too large for what its name says");
    return OkStatus();
  }

  Status Finish() {
    if (total_ == 0) return Corruption("it is empty");
    if (kind_.kind == WalFileKind::kHistory) {
      return TimelineHistory::Parse(kind_.segment.timeline, head_).status();
    }
    if (!IsSegment()) return OkStatus();
    if (segment_bytes_ == 0) return Corruption(fmt::format("{} bytes are no WAL segment", total_));
    return total_ == segment_bytes_ ? OkStatus() : WrongSize(fmt::format("{} of", total_));
  }

 private:
  bool IsSegment() const { return kind_.kind == WalFileKind::kSegment || kind_.kind == WalFileKind::kPartial; }
  size_t HeadBytes() const {
    if (IsSegment()) return kWalLongHeaderBytes;
    return kind_.kind == WalFileKind::kHistory ? kHistoryBytesMax : 0;
  }
  Status WrongSize(std::string_view found) const {
    return Corruption(fmt::format("it has {} the {} bytes of a segment", found, segment_bytes_));
  }
  Status CheckHeader() {
    WALRIG_ASSIGN(const WalLongHeader header, ParseWalLongHeader(AsBytes(head_)));
    WALRIG_TRY(CheckWalHeader(header, {.name = kind_.segment,
                                       .system_identifier = SystemIdentifierBeside(options_.destination),
                                       .segment_bytes = options_.segment_bytes}));
    segment_bytes_ = header.segment_bytes;
    return OkStatus();
  }

  const WalFetchOptions& options_;
  const WalFile& kind_;
  std::string head_;
  uint64_t total_ = 0;
  uint64_t segment_bytes_ = 0;
};

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
  WALRIG_ASSIGN(ArchivedWalFile archived,
                OpenArchivedWalFile(ctx, deps.storage, deps.codecs, options.name, options.preferred_extension));
  // Not synced: PostgreSQL reads the file at once, syncs what it keeps itself, and asks again after a crash.
  auto file = DurableFile::Create(options.destination, {.mode = ModeByUmask(), .replace = false, .sync = false,
                                                        .owner_of_folder = true});
  if (!file.ok()) return NotAbsent(std::move(file).status());
  ContentCheck check(options, kind);
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
  WALRIG_TRY(NotAbsent((*file)->Commit(ctx)));
  return WalFetchReport{.key = std::move(archived.key), .plain_bytes = (*file)->bytes()};
}

}  // namespace walrig
