// What may be replaced in the archive: under the overwrite guard nothing by different content, and without it nothing of
// another cluster.
#pragma once

#include <string>
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

// Whether `file` may be stored over what is archived under its name and `extension`: an absent object and one of the same
// cluster may be replaced; so may one that cannot be read here (damaged, or without the key, as on a host that only
// writes), with a warning, since archiving must go on. One request when the name is free.
// FAILS WITH: kConflict (another cluster's), storage errors.
Status CheckSameCluster(const Context& ctx, Storage& storage, CodecProvider& codecs, const LocalWalFile& file,
                        const std::string& extension);

}  // namespace walrig
