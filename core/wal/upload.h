// One opened WAL file into the archive: the step that the asked-for file and background files share.
#pragma once

#include "core/pipeline/ordered_compressor.h"
#include "core/wal/local_file.h"
#include "core/wal/push.h"

namespace walrig {

struct WalUpload {
  bool already_archived = false;  // the guard found equal content
  ObjectStats stats;
};

// Guards, encodes, stores, commits. Whoever wrote an object of that name is looked at only when the name is taken: where
// the storage can put if absent, that costs no request; elsewhere one.
// FAILS WITH: kConflict (the guard found other content, or the name is another cluster's), codec and storage errors.
Result<WalUpload> UploadWalFile(const Context& ctx, const LocalWalFile& file, size_t workers,
                                const WalPushOptions& options, const WalPushDeps& deps);

}  // namespace walrig
