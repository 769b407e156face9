// Registry: kind and name in, a living object of the contract out.
//
// A name is looked up by file name in the directories of the search path; the manifest adds what file names cannot
// say: aliases, several plugins in one file, quarantine, the libraries that a file brings. Nothing here needs the
// manifest to be there.
//
// OWNS: nothing that it hands out. Objects from it must be destroyed before Shutdown.
// THREADS: one at a time. The first object of each plugin is to be made on the main thread before others exist, since
// that is where the ABI promises init.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plugin/catalogue.h"
#include "core/plugin/loader.h"
#include "core/plugin/manifest.h"
#include "core/plugin/option_check.h"
#include "core/plugin/pins.h"
#include "core/plugin/search_path.h"
#include "walrig/cipher.h"
#include "walrig/compressor.h"
#include "walrig/context.h"
#include "walrig/storage.h"

namespace walrig {

class PluginInstance;
class Settings;

struct RegistryOptions {
  SearchOptions search;           // with the trust policy
  std::string manifest;           // WALRIG_PLUGIN_MANIFEST; "" for the usual places
  std::string lock;               // WALRIG_PLUGIN_LOCK; "" for /etc/walrig/plugins.lock where that exists
  bool allow_conflicts = false;
  // Gets every secret option's value, so that the log can blot it out. May be empty.
  std::function<void(const std::string&)> on_secret;
  // Gets where the options of each object's plugin came from. May be empty.
  std::function<void(const OptionOrigin&)> on_origin;
};

// From settings WALRIG_PLUGIN_DIR, _PATH, _TRUST, _ALLOW_GROUP, _MANIFEST, _LOCK and the process (user, home, program path).
// FAILS WITH: kConfig for a value that is none.
Result<RegistryOptions> RegistryOptionsFrom(const Settings& settings);

class Registry {
 public:
  // Reads pins; opens no manifest and loads nothing yet. ctx.log and ctx.metrics serve plugins until Shutdown and must
  // live as long. FAILS WITH: kConfig (a bad or missing lock file that was named).
  static Result<std::unique_ptr<Registry>> Open(const Context& ctx, RegistryOptions options);
  // Does not shut plugins down.
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // FAILS WITH: kNotFound (no such plugin: what was looked for, where, the package that would bring it, the nearest
  // name), kConfig (an option), what Loader::Load and the plugin's create() fail with. "none" is kInvalidArgument: it
  // is the core's own and not a plugin.
  Result<std::unique_ptr<Storage>> NewStorage(const Context& ctx, std::string_view name,
                                              const OptionValues& explicit_values, const SettingLookup& lookup);
  Result<std::unique_ptr<Compressor>> NewCompressor(const Context& ctx, std::string_view name,
                                                    const OptionValues& explicit_values, const SettingLookup& lookup);
  Result<std::unique_ptr<Cipher>> NewCipher(const Context& ctx, std::string_view name,
                                            const OptionValues& explicit_values, const SettingLookup& lookup);

  // "zstd" for "zst". FAILS WITH: kNotFound naming the extension and the package that would bring it.
  Result<std::string> CompressorForExtension(std::string_view extension);

  // Where a plugin is, without loading it: a file called KIND-NAME.so, else one whose note has the name, else one whose
  // alias the catalogue knows; within each the earliest directory. FindInCatalogue has the same rule.
  // FAILS WITH: as NewStorage.
  Result<std::string> FindPath(PluginKind kind, std::string_view name);

  // What options the plugin in that file has, without loading it. Nothing when no catalogue knows the file as it is now.
  std::optional<std::vector<OptionSpec>> KnownOptions(const std::string& path, PluginKind kind, std::string_view name);

  // Whether the loader would trust the file: owner, mode and the directories above it. Says what would put it right.
  Status CheckTrust(const std::string& path) const;

  // Calls every plugin's shutdown(); from main, before it returns. REQUIRES: all objects were destroyed.
  void Shutdown() noexcept;

 private:
  explicit Registry(RegistryOptions options) : options_(std::move(options)) {}
  struct Found {
    LoadedModule* module = nullptr;
    const walrig_factory* factory = nullptr;
    const FactoryInfo* info = nullptr;
  };
  const std::vector<std::unique_ptr<Manifest>>& manifests();
  std::optional<CatalogueFile> Known(const std::string& path);
  std::string PathByNote(PluginKind kind, std::string_view name);
  Status Unknown(PluginKind kind, std::string_view name);
  Result<Found> Find(const Context& ctx, PluginKind kind, std::string_view name);
  Result<std::unique_ptr<PluginInstance>> NewInstance(const Context& ctx, PluginKind kind, std::string_view name,
                                                      const OptionValues& explicit_values,
                                                      const SettingLookup& lookup);

  RegistryOptions options_;
  std::vector<SearchDir> dirs_;
  std::string lock_path_;
  std::optional<std::vector<Pin>> pins_;
  bool manifests_opened_ = false;
  std::vector<std::unique_ptr<Manifest>> manifests_;
  Loader loader_;
  Log* log_ = nullptr;
};

}  // namespace walrig
