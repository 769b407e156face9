// The special tars that a backup must have besides its parts.
//
// THREADS: a function without state.
#pragma once

#include "core/verify/record.h"

namespace walrig {

// Adds a finding for pg_control.tar and backup_label.tar that should be there and are not.
void CheckRequiredTars(BackupUnderTest& backup);

}  // namespace walrig
