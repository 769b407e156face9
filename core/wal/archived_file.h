// ArchivedWalFile: where a WAL file lies in the archive, and how to read it.
//
// THREADS: functions without state.
#pragma once

#include <memory>
#include <string>
#include <string_view>

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

// Opens the stored object of `name`, whatever compressor wrote it: the preferred extension is probed first, then WAL-G's
// in its order, then the folder is asked for any other form; the first that is there counts.
// FAILS WITH: kNotFound when every probe said so; the first other failure ends the search, since an unreadable archive
// must not look like an empty one.
Result<ArchivedWalFile> OpenArchivedWalFile(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                            std::string_view name, std::string_view preferred_extension);

}  // namespace walrig
