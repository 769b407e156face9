// ArchivedWalFile: where a WAL file lies in the archive, and how to read it.
//
// Asking costs one request when the file is stored in the preferred form, and one list more when it is not: an archive
// that does not hold a file is asked twice, whatever compressors there are.
//
// THREADS: functions without state.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/layout/paths.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/storage.h"
#include "walrig/stream.h"

namespace walrig {

class CodecProvider;

struct ArchivedWalFile {
  std::string key;
  std::unique_ptr<Source> plain;  // decoded content
};

// Opens the stored object of `name`, whatever compressor wrote it: the form with the preferred extension first; when that
// is not there, a list says which others are, and they are taken in WAL-G's order, unknown forms last.
// FAILS WITH: kNotFound when the storage said so; kUnavailable when the list shows the file and it is gone when it is
// opened; the first other failure ends the search, since an unreadable archive must not look like an empty one.
Result<ArchivedWalFile> OpenArchivedWalFile(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                            std::string_view name, std::string_view preferred_extension);

// Opens one form; nothing when it is not there. One request.
Result<std::optional<ArchivedWalFile>> OpenWalCandidate(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                                        const WalCandidate& candidate);

// Whether the archive holds `name` in any form, without opening it. FAILS WITH: storage errors.
Result<bool> IsWalFileArchived(const Context& ctx, Storage& storage, std::string_view name,
                               std::string_view preferred_extension);

}  // namespace walrig
