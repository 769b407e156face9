// RestoreGuard: a process that waits for another one, so that PostgreSQL gets a code even when that one crashes.
//
// A shell passes the death of its child on as 128 + signal, which shuts a standby down; a library that calls exit(1)
// would even end a recovery early. So wal-fetch does its work in a child, which says its exit code through a pipe, and
// the parent, which has touched nothing that could break, answers when none came.
//
// THREADS: the main thread, before others exist.
#pragma once

#include <functional>
#include <optional>

#include "cli/run.h"

namespace walrig {

// Runs `work` in a child and gives its exit code, in the child as in the parent; both must end with it. Stop signals are
// passed on. Where no process can be made, `work` runs in this one. Nothing from `work`: it could not even begin.
// `input` is for the answer when there is none: words, environment.
ExitCode GuardRestore(const RunInput& input, const std::function<std::optional<ExitCode>()>& work);

}  // namespace walrig
