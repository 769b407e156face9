// TimelineConflict: the words for a history that is not the archived one of its name.
#pragma once

#include <string_view>

#include "core/wal/local_file.h"
#include "walrig/context.h"
#include "walrig/storage.h"

namespace walrig {

class CodecProvider;

// Two servers were promoted to one timeline. The status, kConflict, says where each of them left which timeline, as far as
// the archived history can be read, and what can be done. REQUIRES: `file` is a history that differs from what `storage`
// holds under its name.
Status TimelineTaken(const Context& ctx, Storage& storage, CodecProvider& codecs, const LocalWalFile& file,
                     std::string_view preferred_extension);

}  // namespace walrig
