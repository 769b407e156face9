// SearchPath: the directories in which plugins are looked for, the first one wins.
//
//   --plugin-dir > WALRIG_PLUGIN_PATH > $XDG_DATA_HOME/walrig/plugins-1 > /usr/local/lib/walrig/plugins-1 >
//   the installed one, found from where the program lies, so that a tree can be moved
//
// THREADS: pure but for reading the environment's home and the program's own path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/plugin/trust.h"

namespace walrig {

struct SearchOptions {
  std::vector<std::string> plugin_dirs;    // of --plugin-dir, in order
  std::string plugin_path;                 // of WALRIG_PLUGIN_PATH, parted by ':'
  bool plugin_path_from_environment = true;  // false: a file or flag said it
  std::string data_home;                   // $XDG_DATA_HOME or $HOME/.local/share; "" for none
  std::string executable;                  // of this program; "" asks /proc/self/exe
  TrustPolicy trust;
};

struct SearchDir {
  std::string path;    // absolute
  std::string origin;  // "--plugin-dir", "WALRIG_PLUGIN_PATH", "home", "local", "installed"
};

// Directories that need not exist; without duplicates. Environment and home are left out for root, for raised
// privileges and at level system, unless the level is any.
std::vector<SearchDir> SearchPath(const SearchOptions& options);

// `<bin>/../libexec/walrig/walrig-plugin-probe` and the like; "" when there is none. WALRIG_PLUGIN_PROBE overrides it
// at level any.
std::string FindProbe(const SearchOptions& options);

// "/usr/bin/walrig"; "" when /proc is not there.
std::string ExecutablePath();

// The catalogue files, in the order in which they are asked: the user's own, then the system's. For root only the
// latter. `named` (WALRIG_PLUGIN_MANIFEST), when not empty, is the only one.
std::vector<std::string> ManifestPaths(std::string_view named, const TrustPolicy& trust);

}  // namespace walrig
