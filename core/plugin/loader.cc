#include "core/plugin/loader.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "core/base/checksum.h"
#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/plugin/dso.h"
#include "core/plugin/host.h"
#include "walrig/abi_status.h"

namespace walrig {
namespace {

// Modules are of the process, not of a registry: one file loaded twice is one module, initialised once.
struct ProcessModules {
  std::mutex mutex;
  std::vector<LoadedModule*> loaded;
};

ProcessModules& Modules() {
  static ProcessModules* const modules = new ProcessModules;
  return *modules;
}

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// "libcrypto.so.3" and "libcrypto.so.1.1" are of one family, "libcrypto".
std::string Family(const std::string& library) {
  for (const std::string_view family : {"libcrypto", "libssl", "libgnutls", "libcurl", "libcurl-gnutls"}) {
    if (StartsWith(library, std::string(family) + ".so")) return std::string(family);
  }
  return "";
}

// An opened file on its way to being a module.
struct Candidate {
  Fd fd;
  std::string resolved;
  FileIdentity identity;
  ElfInfo elf;
  bool same_as_known = false;
};

Status CheckQuarantine(const Candidate& candidate, const LoadRequest& request) {
  const CatalogueFile* known = request.known;
  if (known == nullptr || !candidate.same_as_known || known->state != FileState::kQuarantined) return OkStatus();
  return ConfigError(fmt::format("{} is quarantined: {}", request.path, known->reason))
      .Hint(fmt::format("upgrade it, or try it again with `walrig plugin scan --retry {}`", known->basename));
}

Status CheckElf(const ElfInfo& elf, const std::string& path) {
  if (!IsHostElf(elf) || elf.type != ET_DYN || !elf.has_dynamic) {
    return NotSupported(fmt::format("{} is no shared library for this kind of machine ({})", path, HostTriplet()));
  }
  if (!elf.note.has_value()) {
    return NotSupported(path + " carries no walrig plugin note: it is another kind of library");
  }
  if (elf.note->abi_major != WALRIG_ABI_MAJOR || elf.note->min_host_minor > WALRIG_ABI_MINOR) {
    return NotSupported(fmt::format("{} was made for plugin ABI {}.{} and needs a host of {}.{} or newer; this one has "
                                    "{}.{}",
                                    path, elf.note->abi_major, elf.note->abi_minor, elf.note->abi_major,
                                    elf.note->min_host_minor, WALRIG_ABI_MAJOR, WALRIG_ABI_MINOR))
        .Hint("install versions of walrig and of the plugin that fit");
  }
  return OkStatus();
}

// Root's environment may come from elsewhere (sudo -E, a unit's file): what nobody checks is said at each load.
void WarnOfTrustInAnybody(const Context& ctx, const LoadRequest& request) {
  if (request.trust->level != TrustLevel::kAny || request.trust->euid != 0 || ctx.log == nullptr) return;
  TrustPolicy strict = *request.trust;
  strict.level = TrustLevel::kSystem;
  const TrustVerdict verdict = CheckTrustedFile(request.path, strict);
  if (verdict.problem == TrustProblem::kNone) return;
  ctx.log->Write(LogLevel::kWarning, "plugin",
                 fmt::format("root loads {} only because WALRIG_PLUGIN_TRUST is any: {}", request.path,
                             verdict.status.message()));
}

Result<Candidate> OpenCandidate(const Context& ctx, const LoadRequest& request) {
  TrustVerdict verdict = CheckTrustedFile(request.path, *request.trust);
  if (verdict.problem != TrustProblem::kNone) {
    return std::move(verdict.status).With("plugin " + request.path + " is not loaded");
  }
  WarnOfTrustInAnybody(ctx, request);
  Candidate candidate;
  candidate.resolved = std::move(verdict.resolved);
  WALRIG_ASSIGN(candidate.fd, OpenFd(candidate.resolved, O_RDONLY | O_NOFOLLOW));
  struct stat st;
  if (fstat(candidate.fd.get(), &st) != 0) return ErrnoStatus(errno, "stat " + candidate.resolved);
  candidate.identity = IdentityOf(st);
  candidate.same_as_known = request.known != nullptr && request.known->identity == candidate.identity;
  WALRIG_TRY(CheckQuarantine(candidate, request));
  WALRIG_ASSIGN(candidate.elf, ReadElf(candidate.fd.get(), request.path));
  WALRIG_TRY(CheckElf(candidate.elf, request.path));
  return candidate;
}

Status CheckPins(const Candidate& candidate, const LoadRequest& request) {
  if (request.pins == nullptr) return OkStatus();
  std::string sha256 = candidate.same_as_known ? request.known->sha256 : "";
  if (sha256.empty()) {
    WALRIG_ASSIGN(sha256, Sha256File("/proc/self/fd/" + std::to_string(candidate.fd.get())));
  }
  const PluginNote& note = *candidate.elf.note;
  return CheckPin(*request.pins, {note.id, note.version, std::string(HostTriplet()), sha256}, request.lock_path);
}

std::vector<std::string> LibrariesOf(const Candidate& candidate, const LoadRequest& request) {
  if (!candidate.same_as_known || request.known->closure.empty()) return candidate.elf.needed;
  std::vector<std::string> names;
  for (const std::string& path : request.known->closure) names.push_back(BaseName(path));
  return names;
}

Status CheckConflicts(const std::vector<std::string>& libraries, const std::string& path) {
  for (const LoadedModule* module : Modules().loaded) {
    const std::string conflict = ConflictBetween(module->libraries, libraries);
    if (conflict.empty() || module->path == path) continue;
    return Conflict(fmt::format("{} and {} cannot be in one process: {}", module->path, path, conflict))
        .Hint("install both plugins for the same version of the library, from one distribution");
  }
  return OkStatus();
}

void LogStale(const Context& ctx, const Candidate& candidate, const LoadRequest& request) {
  if (request.known == nullptr || candidate.same_as_known || ctx.log == nullptr) return;
  ctx.log->Write(LogLevel::kInfo, "plugin",
                 "the catalogue of plugins is stale for " + request.path + ", run `walrig plugin scan`");
}

Result<ModuleInfo> Describe(const walrig_module* module, const Candidate& candidate, const std::string& path) {
  auto info = ReadModule(module);
  if (!info.ok()) return std::move(info).status().With(path);
  if (info->id != candidate.elf.note->id || info->version != candidate.elf.note->version) {
    return Corruption(fmt::format("{} says {} {} in its note and {} {} in its table", path, candidate.elf.note->id,
                                  candidate.elf.note->version, info->id, info->version));
  }
  return info;
}

// REQUIRES: the mutex of Modules() is held.
LoadedModule* FindLoaded(const walrig_module* module) {
  for (LoadedModule* loaded : Modules().loaded) {
    if (loaded->module == module) return loaded;
  }
  return nullptr;
}

Status Initialise(LoadedModule* loaded) {
  if (loaded->module->init == nullptr) return OkStatus();
  walrig_error error{};
  error.struct_size = sizeof error;
  const walrig_status code = loaded->module->init(loaded->host, &error);
  return code == WALRIG_OK ? OkStatus() : FromAbi(code, error).With("initialising " + loaded->path);
}

}  // namespace

std::string ConflictBetween(const std::vector<std::string>& ours, const std::vector<std::string>& theirs) {
  for (const std::string& our : ours) {
    const std::string family = Family(our);
    if (family.empty()) continue;
    for (const std::string& their : theirs) {
      if (their != our && Family(their) == family) return fmt::format("one needs {}, the other {}", our, their);
    }
  }
  return "";
}

Result<LoadedModule*> Loader::Load(const Context& ctx, const LoadRequest& request) {
  WALRIG_ASSIGN(Candidate candidate, OpenCandidate(ctx, request));
  LogStale(ctx, candidate, request);
  WALRIG_TRY(CheckPins(candidate, request));
  const std::lock_guard lock(Modules().mutex);
  std::vector<std::string> libraries = LibrariesOf(candidate, request);
  if (!request.allow_conflicts) WALRIG_TRY(CheckConflicts(libraries, candidate.resolved));
  WALRIG_ASSIGN(const walrig_module* module, request.pins != nullptr
                                                 ? LoadModuleByFd(std::move(candidate.fd), candidate.resolved)
                                                 : LoadModule(candidate.resolved));
  if (LoadedModule* loaded = FindLoaded(module); loaded != nullptr) {
    if (loaded->shut_down) return Internal(loaded->path + " was shut down in this process and cannot come back");
    return loaded;
  }
  WALRIG_ASSIGN(ModuleInfo info, Describe(module, candidate, request.path));
  auto loaded = std::make_unique<LoadedModule>();
  loaded->path = candidate.resolved;
  loaded->module = module;
  loaded->host = NewHostTable(info.id, ProcessHostServices());
  loaded->info = std::move(info);
  loaded->libraries = std::move(libraries);
  WALRIG_TRY(Initialise(loaded.get()));
  LoadedModule* const kept = loaded.release();  // of the process from here on
  Modules().loaded.push_back(kept);
  initialised_.push_back(kept);
  return kept;
}

void Loader::Shutdown(Log* log) noexcept {
  while (!initialised_.empty()) {
    LoadedModule* loaded = initialised_.back();
    initialised_.pop_back();
    const int64_t instances = loaded->instances.load(std::memory_order_acquire);
    if (instances != 0) {
      try {
        if (log != nullptr) {
          log->Write(LogLevel::kWarning, "plugin",
                     loaded->info.id + " is not shut down: " + std::to_string(instances) + " of its objects are in use");
        }
      } catch (...) {
        continue;  // nothing is shut down without the line either
      }
      continue;
    }
    loaded->shut_down = true;
    if (loaded->module->shutdown != nullptr) loaded->module->shutdown();
  }
}

}  // namespace walrig
