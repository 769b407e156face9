// The overwrite guard: an archived WAL file is never replaced by different content.
#pragma once

#include <string_view>

#include "core/wal/local_file.h"
#include "walrig/context.h"
#include "walrig/storage.h"

namespace walrig {

class CodecProvider;

enum class ArchivedContent { kAbsent, kEqual, kDifferent };

// Compares what is archived under the file's name with the file, as a stream, in bounded memory; stops at the first
// difference. FAILS WITH: what reading either side fails with. An archived object that is damaged is kDifferent: it is
// not this file's content, and replacing it needs a decision that is not ours.
Result<ArchivedContent> CompareWithArchive(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                           const LocalWalFile& file, std::string_view preferred_extension);

}  // namespace walrig
