#include "core/wal/overwrite_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/catalog/archived_wal.h"
#include "core/postgres/wal_page.h"
#include "walrig/bytes.h"

namespace walrig {
namespace {

// Of the cluster that wrote the archived segment; 0 when there is none.
Result<uint64_t> ArchivedIdentifier(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                    const WalCandidate& form) {
  WALRIG_ASSIGN(const auto archived, OpenWalCandidate(ctx, storage, codecs, form));
  if (!archived) return uint64_t{0};
  Buffer buffer(kIoBufferBytes);
  WALRIG_ASSIGN(const size_t got, archived->plain->Read(ctx, buffer.span()));
  WALRIG_ASSIGN(const WalLongHeader header, ParseWalLongHeader(buffer.first(std::min(got, kWalLongHeaderBytes))));
  return header.system_identifier;
}

// The object is there, and this host cannot tell what it is.
bool IsUnreadable(Code code) {
  return code == Code::kCorruption || code == Code::kTruncated || code == Code::kPermission || code == Code::kNotSupported;
}

}  // namespace

Status CheckSameCluster(const Context& ctx, Storage& storage, CodecProvider& codecs, const LocalWalFile& file,
                        const std::string& extension) {
  const WalCandidate form{.key = WalKey(file.name, extension), .extension = extension};
  const Result<uint64_t> archived = ArchivedIdentifier(ctx, storage, codecs, form);
  if (!archived.ok() && IsUnreadable(archived.status().code())) {
    ctx.log->Write(LogLevel::kWarning, "wal",
                   fmt::format("{} is in the archive already and is replaced; which cluster wrote it could not be read: {}",
                               form.key, archived.status().ToString()));
    return OkStatus();
  }
  if (!archived.ok()) return archived.status();
  if (*archived == 0 || *archived == file.system_identifier) return OkStatus();
  return Conflict(fmt::format("WAL file '{}' is already archived by another cluster, with system identifier {}; this one is {}",
                              file.path, *archived, file.system_identifier))
      .Hint("give each cluster a prefix of its own; one that pg_upgrade or initdb made anew is another cluster, too");
}

Result<ArchivedContent> CompareWithArchive(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                           const LocalWalFile& file, std::string_view preferred_extension) {
  auto archived = OpenArchivedWalFile(ctx, storage, codecs, file.name, preferred_extension);
  if (!archived.ok() && archived.status().code() == Code::kNotFound) return ArchivedContent::kAbsent;
  if (!archived.ok()) return std::move(archived).status();
  Buffer stored(kIoBufferBytes);
  Buffer local(kIoBufferBytes);
  uint64_t position = 0;
  for (;;) {
    WALRIG_TRY(ctx.Poll());
    auto got = archived->plain->Read(ctx, stored.span());
    if (!got.ok()) {
      const Code code = got.status().code();
      if (code == Code::kCorruption || code == Code::kTruncated) return ArchivedContent::kDifferent;
      return std::move(got).status();
    }
    if (*got == 0) return position == file.size_bytes ? ArchivedContent::kEqual : ArchivedContent::kDifferent;
    WALRIG_ASSIGN(const size_t have, PreadFull(file.fd.get(), local.span().first(*got), position, "read " + file.path));
    if (have != *got || std::memcmp(stored.data(), local.data(), have) != 0) return ArchivedContent::kDifferent;
    position += have;
  }
}

}  // namespace walrig
