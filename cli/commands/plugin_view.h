// PluginView: the plugins of this installation as `walrig plugin ...` commands see them: the catalogue, brought up to
// date in memory. Nothing is loaded into this process; a file that the catalogue does not know is probed in another.
//
// THREADS: values.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "core/plugin/catalogue.h"
#include "core/plugin/registry.h"
#include "core/plugin/scan.h"

namespace walrig {

struct PluginView {
  RegistryOptions options;
  ScanOptions scan;           // as a scan of this search path would be made
  Catalogue catalogue;
  std::string manifest_path;  // "" when there is no catalogue on disk
  int64_t scanned_at_ns = 0;  // of the catalogue on disk
  bool fresh = false;         // the catalogue on disk says the same as the directories
};

// FAILS WITH: kConfig (a setting), kNotFound (no probe, and a file is unknown), kCancelled.
Result<PluginView> ViewPlugins(Invocation& call);

// The scan's options and where its result belongs: --output, WALRIG_PLUGIN_MANIFEST, the user's place or the system's.
Result<ScanOptions> ScanOptionsOf(const RegistryOptions& options);
std::string ManifestToWrite(const RegistryOptions& options, bool system, const std::string& output);

// A row of a list: a factory, or a file that has none to show.
struct PluginRow {
  const CatalogueFile* file = nullptr;
  const FactoryInfo* factory = nullptr;  // null when nothing is known of what the file holds
  std::string kind, name;                // from the factory, else from the file's name
  const CatalogueFile* winner = nullptr; // the file that is used instead for this name; null when it is this one
  bool built_in = false;                 // "none", walrig's own: `file` has neither path nor module
};
std::vector<PluginRow> PluginRows(const Catalogue& catalogue);

// Rows whose "kind/name", name, alias, id or file name is `text`; what is used comes first.
std::vector<PluginRow> FindRows(const Catalogue& catalogue, const std::string& text);

// kNotFound for a name that no row has, with the nearest one.
Status NoSuchPlugin(const Catalogue& catalogue, const std::string& text);

}  // namespace walrig
