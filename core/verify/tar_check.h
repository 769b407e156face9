// Reads one tar of a backup to its end and compares its members with what the documents promise.
//
// THREADS: any number of tars of one backup at once.
#pragma once

#include "core/catalog/object_reader.h"
#include "core/pipeline/progress.h"
#include "core/verify/record.h"

namespace walrig {

// Damage of single members goes into backup.record; the status is damage of the tar as such, or kCancelled.
Status CheckTar(const Context& ctx, const ObjectReader& reader, const TarObject& object, BackupUnderTest& backup,
                ProgressCounters* progress);

}  // namespace walrig
