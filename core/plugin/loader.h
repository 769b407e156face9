// Loader: from a file's path to an initialised module: trust, ELF note, pins, quarantine, library conflicts, dlopen,
// negotiation, init. Each step refuses in words that say what to do.
//
// A module is initialised once per process, however many registries ask for it.
//
// THREADS: Load on the main thread, before others start, as the ABI promises plugins; later loads are serialised.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/plugin/catalogue.h"
#include "core/plugin/elf_note.h"
#include "core/plugin/pins.h"
#include "core/plugin/trust.h"
#include "walrig/abi/entry.h"
#include "walrig/context.h"
#include "walrig/module_info.h"
#include "walrig/result.h"

namespace walrig {

// A module of this process. Never freed.
struct LoadedModule {
  std::string path;
  const walrig_module* module = nullptr;
  const walrig_host* host = nullptr;
  ModuleInfo info;
  std::vector<std::string> libraries;  // names of the libraries that it brings
  std::atomic<int64_t> instances{0};
  bool shut_down = false;
};

struct LoadRequest {
  std::string path;                          // absolute
  const CatalogueFile* known = nullptr;      // the manifest's row, if any
  const TrustPolicy* trust = nullptr;
  const std::vector<Pin>* pins = nullptr;    // null: no pins
  std::string lock_path;                     // of the pins
  bool allow_conflicts = false;
};

class Loader {
 public:
  // FAILS WITH: kNotFound (no such file), kPermission (trust, pins), kNotSupported (ABI, machine), kUnavailable (the
  // dynamic linker said no), kConflict (two versions of one TLS library), kConfig (quarantined).
  Result<LoadedModule*> Load(const Context& ctx, const LoadRequest& request);

  // Calls shutdown() of every module that this loader initialised and that has no instance left, last loaded first.
  // A module with living instances is left alone and named in the log.
  void Shutdown(Log* log) noexcept;

 private:
  std::vector<LoadedModule*> initialised_;
};

// The libraries of which a process must not hold two versions: "libcrypto.so.3" in one list against "libcrypto.so.1.1"
// in the other. "" when they agree.
std::string ConflictBetween(const std::vector<std::string>& ours, const std::vector<std::string>& theirs);

}  // namespace walrig
