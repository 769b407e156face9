// The restore_command that finds the archive which this run uses.
//
// PostgreSQL starts it through a shell, from the data directory, with the server's environment, which need not hold
// what this run's environment does. So everything that chooses and reads the storage is written out as flags, except
// secrets, which must never stand in a command line.
//
// THREADS: any; pure but for making the configuration file's path absolute.
#pragma once

#include <string>
#include <vector>

#include "core/config/settings.h"
#include "walrig/result.h"

namespace walrig {

// `executable --config /x --walg-file-prefix '/y' wal-fetch "%f" "%p"`, with % doubled in the values. `missing_secrets`
// gets the names of secrets that were set by flag or environment and that the server must get otherwise.
// FAILS WITH: kInvalidArgument for a value with a line break; kNotFound when `executable` is empty.
Result<std::string> RestoreCommand(const std::string& executable, const Settings& settings,
                                   std::vector<std::string>* missing_secrets);

}  // namespace walrig
