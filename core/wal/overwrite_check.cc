#include "core/wal/overwrite_check.h"

#include <cstring>

#include "core/wal/archived_file.h"
#include "walrig/bytes.h"

namespace walrig {

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
