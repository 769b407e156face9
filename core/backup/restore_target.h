// The place of a restore: checked, made, marked as unfinished.
//
// THREADS: functions without state.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/backup/restore_plan.h"
#include "core/pgdata/file_unwrap.h"
#include "core/postgres/tablespace.h"

namespace walrig {

// An absolute path without trailing slashes. FAILS WITH: kInvalidArgument for "" and "/".
Result<std::string> AbsoluteTarget(const std::string& path);

// Looks only. FAILS WITH: kAlreadyExists (data directory or a tablespace not empty; a server that runs in it, an
// interrupted restore: the message says so), kInvalidArgument (not a directory, a link that leads nowhere), kPermission
// (another user's directory among others), kNoSpace.
Status CheckTarget(const std::string& target, const RestorePlan& plan, bool check_space);

// Makes what is missing, 0700 and `owner`'s, with the marker in it and the links of the tablespaces.
Result<std::unique_ptr<TreeWriter>> PrepareTarget(const std::string& target, const RestorePlan& plan,
                                                  const std::optional<TreeOwner>& owner, bool fsync);

// Whether a restore has begun to write into `target` and has not ended.
bool HoldsUnfinishedRestore(const std::string& target);

}  // namespace walrig
