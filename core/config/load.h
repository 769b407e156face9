// Reads settings from where they stand: flag > environment > file > default.
//
// An environment variable that is empty counts as unset. The file is the one of --config, else of WALG_CONFIG_PATH,
// else the first of ~/.walg.json, .yaml, .yml, .env that exists; ~ is $HOME, and where that holds none, or is not set,
// what the password database says, which WAL-G asks alone. Other than WAL-G, a named file that is missing and a
// file that cannot be parsed are errors; an unknown key in a file is a warning with the nearest known name.
//
// THREADS: call before the first thread starts: ExportToEnvironment changes the environment.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/settings.h"

namespace walrig {

struct FlagValue {
  std::string key;  // a name of the table, or any spelling
  std::string value;
  std::string where;  // "flag --storage"
};

struct LoadInput {
  std::vector<FlagValue> flags;
  std::string config_path;                   // of --config; "" when not given
  const char* const* environment = nullptr;  // as environ; null for an empty one
  std::string home;                          // $HOME, where .walg.* is looked for; "" for nowhere
  // Asked for the user's other home when there is no file in `home`; it may talk to a directory service. Null: nobody.
  std::string (*other_home)() = nullptr;
  bool without_file = false;                 // flags and environment alone
};

struct LoadReport {
  std::string config_path;            // the file that was read; "" when none
  std::vector<std::string> warnings;  // ready to print
};

// FAILS WITH: kConfig (malformed, not a map, a list where text is wanted) naming file and line; kNotFound, kPermission
// for a file that was named.
Result<Settings> LoadSettings(const LoadInput& input, LoadReport* report);

// Puts the values of keys that libraries read from the environment (PG*, AWS_*, OS_*, GOOGLE_*) there, when a file or
// a flag gave them.
Status ExportToEnvironment(const Settings& settings);

}  // namespace walrig
