// Catalogue: what a scan found out about plugin files, as values. The manifest stores it, the registry asks it, the
// CLI prints it. No IO but stat and readlink.
//
// THREADS: values.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "walrig/module_info.h"
#include "walrig/result.h"

namespace walrig {

Result<PluginKind> ParseKind(std::string_view text);

// "storage-s3.so".
std::string PluginFileName(PluginKind kind, std::string_view name);

// "x86_64-linux-gnu": of this program; the manifest and the pins are per triplet.
std::string_view HostTriplet();

// When all of it is equal, a file is the one that was looked at. Modification time alone is no identity: package
// managers keep build times, so a downgrade would go unseen.
struct FileIdentity {
  uint64_t dev = 0, ino = 0, size_bytes = 0;
  int64_t mtime_ns = 0, ctime_ns = 0;
  bool operator==(const FileIdentity&) const = default;
};
FileIdentity IdentityOf(const struct stat& st);

enum class FileState : uint8_t {
  kOk,
  kIncompatible,  // another ABI
  kUnloadable,    // dlopen said no, usually a missing library; every scan tries again
  kQuarantined,   // it crashed or hung the probe; refused until the file changes, `scan --retry` or `release`
  kUntrusted,     // owner or mode
  kForeignArch,   // another machine's
};
std::string_view FileStateName(FileState state);
Result<FileState> ParseFileState(std::string_view text);

struct CatalogueFile {
  std::string dir, basename;
  FileIdentity identity;
  uint32_t uid = 0, mode = 0;
  std::string build_id;              // hex, "" when the file has none
  std::string sha256;                // hex
  uint32_t elf_machine = 0;
  std::vector<std::string> needed;   // DT_NEEDED
  std::vector<std::string> closure;  // paths of all that was mapped with it in the probe
  std::string package;               // "walrig-plugin-s3 2.3.0-1" when the package manager knows the file
  FileState state = FileState::kOk;
  std::string reason;                // in words, when the state is not ok
  int probe_exit = 0, probe_signal = 0;
  double probe_ms = 0, load_ms = 0;
  int64_t probed_at_ns = 0;
  std::optional<ModuleInfo> module;  // absent unless the probe got it; partial (from the note) when not ok

  std::string Path() const { return dir + "/" + basename; }
};

struct CatalogueDir {
  std::string path;
  std::string origin;            // "--plugin-dir", "WALRIG_PLUGIN_PATH", "installed", ...
  uint64_t dev = 0, ino = 0;
  int64_t mtime_ns = 0, ctime_ns = 0;
  std::string trust = "ok";      // ok, missing, bad_owner, bad_mode, bad_parent
};

struct Catalogue {
  std::string core_version;
  int64_t scanned_at_ns = 0;
  std::vector<CatalogueDir> dirs;    // by rank, first wins
  std::vector<CatalogueFile> files;  // by rank of the directory, then by name
};

// A file found by kind and name or alias; `file` and `factory` point into the catalogue. `factory` is null when the file
// is called after the name and nothing of the kind is known to be in it.
struct CatalogueHit {
  const CatalogueFile* file = nullptr;
  const FactoryInfo* factory = nullptr;
};
// The winner for a name, the one that Registry::FindPath takes: a file (or a link) called KIND-NAME.so, else a file that
// holds a plugin of the name, else of the alias; within each the earliest directory. Whether the file works does not
// count: what is used must not depend on what a scan found out.
std::optional<CatalogueHit> FindInCatalogue(const Catalogue& catalogue, PluginKind kind, std::string_view name);

// "range", "put-if-absent", ...: the promises behind the bits, unknown ones as "bit-17".
std::vector<std::string> CapabilityNames(PluginKind kind, uint64_t caps);
std::string_view OptionTypeName(OptionType type);

// The probe's answer and `plugin info --json` share this shape.
Json ModuleToJson(const ModuleInfo& module);
Result<ModuleInfo> ModuleFromJson(const Json& json);

}  // namespace walrig
