// The place of a restore: checked, made, marked as unfinished.
//
// THREADS: functions without state.
#pragma once

#include <memory>
#include <string>

#include "core/backup/restore_plan.h"
#include "core/pgdata/file_unwrap.h"
#include "core/postgres/tablespace.h"

namespace walrig {

// An absolute path without trailing slashes. FAILS WITH: kInvalidArgument for "" and "/".
Result<std::string> AbsoluteTarget(const std::string& path);

// Looks only. FAILS WITH: kAlreadyExists (data directory or a tablespace not empty; a server that runs in it, an
// interrupted restore: the message says so), kInvalidArgument (no directory), kPermission, kNoSpace.
Status CheckTarget(const std::string& target, const RestorePlan& plan, bool check_space);

// Makes what is missing, 0700, with the marker in it and the links of the tablespaces.
Result<std::unique_ptr<TreeWriter>> PrepareTarget(const std::string& target, const RestorePlan& plan, bool fsync);

}  // namespace walrig
