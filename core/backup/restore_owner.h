// Whose files a restore makes. PostgreSQL starts only in a data directory of its own user, and never as root.
//
// THREADS: functions without state; those of the user database may block.
#pragma once

#include <optional>
#include <string>

#include "core/backup/restore_plan.h"
#include "core/pgdata/file_unwrap.h"

namespace walrig {

// Nothing where the process is not root's: then files are its user's. Else the first of these that is not root: the owner
// of `target`, when it is there; the owner of pg_control in the backup, by name where this machine knows the name, else by
// number, as tar has it; the owner of the nearest directory above `target`.
// FAILS WITH: kInvalidArgument when all are root.
Result<std::optional<TreeOwner>> OwnerOfRestore(const Context& ctx, const std::string& target, const RestorePlan& plan);

// A directory on the way to `path` that `owner` may not enter, judged by modes; "" when there is none.
std::string ClosedDirectoryAbove(const std::string& path, const TreeOwner& owner);

// "postgres", or the number where it has no name here.
std::string UserText(uid_t uid);

}  // namespace walrig
