// The restore_command that finds the archive which this run uses.
//
// PostgreSQL starts it through a shell, from the data directory, with the server's environment, which need not hold
// what this run's environment does. So everything that chooses and reads the storage is written out: settings of the
// table as flags, and what only a plugin or a library knows as assignments before the program; except secrets, which must
// never stand in a command line.
//
// THREADS: any; pure but for making paths absolute.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/config/settings.h"
#include "core/plugin/option_check.h"
#include "walrig/result.h"

namespace walrig {

struct RestoreCommandInput {
  std::string executable;
  std::span<const OptionOrigin> origins{};   // of the plugins that read the archive, once they were opened
  const char* const* environment = nullptr;  // as environ
};

struct RestoreCommandText {
  std::string command;                // ACME_PATH=/x /usr/bin/walrig --config /y --pghost z wal-fetch "%f" "%p"
  std::vector<std::string> warnings;  // each names something that the server must get in another way, and how
};

// With % doubled in the values. FAILS WITH: kInvalidArgument for a value with a line break and for a relative path in the
// option of a plugin; kNotFound when `executable` is empty.
Result<RestoreCommandText> RestoreCommand(const Settings& settings, const RestoreCommandInput& input);

}  // namespace walrig
