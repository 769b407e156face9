#include "core/plugin/scan.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>

#include "core/base/checksum.h"
#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/plugin/elf_note.h"
#include "core/plugin/manifest.h"
#include "core/plugin/package_owner.h"
#include "core/plugin/probe.h"

#ifndef WALRIG_VERSION
#define WALRIG_VERSION "0.1.0"
#endif

namespace walrig {
namespace {

constexpr uint64_t kLockWaitNs = 30'000'000'000;
constexpr uint64_t kLockPollNs = 50'000'000;

// Plugin files, sorted. A link within the directory is another name of a file that is listed anyway.
Result<std::vector<std::string>> ListPlugins(const std::string& dir) {
  DIR* handle = opendir(dir.c_str());
  if (handle == nullptr) return ErrnoStatus(errno, "list " + dir);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(handle)) {
    const std::string name = entry->d_name;
    if (!EndsWith(name, ".so") || name.size() == 3) continue;
    char target[4096];
    const ssize_t got = readlink((dir + "/" + name).c_str(), target, sizeof target);
    if (got > 0 && std::string_view(target, static_cast<size_t>(got)).find('/') == std::string_view::npos) continue;
    names.push_back(name);
  }
  closedir(handle);
  std::sort(names.begin(), names.end());
  return names;
}

const CatalogueFile* FindRow(const Catalogue* catalogue, const std::string& dir, const std::string& basename) {
  if (catalogue == nullptr) return nullptr;
  for (const CatalogueFile& file : catalogue->files) {
    if (file.dir == dir && file.basename == basename) return &file;
  }
  return nullptr;
}

// "tape", "storage/tape", "storage-tape.so", its path or "*".
bool IsAskedFor(const std::vector<std::string>& names, const CatalogueFile& file) {
  const std::string stem = file.basename.substr(0, file.basename.size() - 3);
  const size_t dash = stem.find('-');
  const std::string name = dash == std::string::npos ? stem : stem.substr(dash + 1);
  const std::string pair = dash == std::string::npos ? stem : stem.substr(0, dash) + "/" + name;
  return std::any_of(names.begin(), names.end(), [&](const std::string& asked) {
    return asked == "*" || asked == name || asked == pair || asked == file.basename || asked == file.Path();
  });
}

// Which state needs no second look while the file is the same one.
bool IsSettled(FileState state) {
  return state == FileState::kOk || state == FileState::kQuarantined || state == FileState::kIncompatible;
}

// What the note says, for files whose code did not get to speak.
std::optional<ModuleInfo> ModuleFromNote(const PluginNote& note) {
  ModuleInfo module;
  module.id = note.id;
  module.version = note.version;
  module.license = note.license;
  module.abi_major = note.abi_major;
  module.abi_minor = note.abi_minor;
  module.min_host_minor = note.min_host_minor;
  for (const auto& [kind_text, name] : note.provides) {
    const auto kind = ParseKind(kind_text);
    if (!kind.ok() || !IsPluginName(name)) continue;
    FactoryInfo& factory = module.factories.emplace_back();
    factory.kind = *kind;
    factory.name = name;
  }
  return module;
}

void Settle(CatalogueFile* row, FileState state, std::string reason) {
  row->state = state;
  row->reason = std::move(reason);
}

// Reads the file without running it. True when nothing speaks against a probe.
bool Inspect(CatalogueFile* row) {
  const auto fd = OpenFd(row->Path(), O_RDONLY | O_NONBLOCK);
  if (!fd.ok()) return Settle(row, FileState::kUnloadable, fd.status().ToString()), false;
  const auto elf = ReadElf(fd->get(), row->basename);
  if (!elf.ok()) return Settle(row, FileState::kIncompatible, std::string(elf.status().message())), false;
  row->elf_machine = elf->machine;
  row->needed = elf->needed;
  row->build_id = elf->build_id;
  if (elf->note.has_value()) row->module = ModuleFromNote(*elf->note);
  if (!IsHostElf(*elf)) {
    Settle(row, FileState::kForeignArch, fmt::format("made for another machine (ELF machine {})", elf->machine));
    return false;
  }
  if (elf->type != ET_DYN || !elf->note.has_value()) {
    return Settle(row, FileState::kIncompatible, "it carries no walrig plugin note"), false;
  }
  if (elf->note->abi_major != WALRIG_ABI_MAJOR || elf->note->min_host_minor > WALRIG_ABI_MINOR) {
    Settle(row, FileState::kIncompatible,
           fmt::format("made for plugin ABI {}.{}, needs a host of {}.{} or newer, this one has {}.{}",
                       elf->note->abi_major, elf->note->abi_minor, elf->note->abi_major, elf->note->min_host_minor,
                       WALRIG_ABI_MAJOR, WALRIG_ABI_MINOR));
    return false;
  }
  return true;
}

void TakeProbe(const ProbeResult& result, CatalogueFile* row) {
  row->probe_exit = result.exit_code;
  row->probe_signal = result.signal;
  row->probe_ms = result.elapsed_ms;
  row->load_ms = result.load_ms;
  row->closure = result.closure;
  Settle(row, result.state, result.reason);
  if (result.state != FileState::kOk || !result.module.has_value()) return;
  if (row->module.has_value() && (row->module->id != result.module->id || row->module->version != result.module->version)) {
    return Settle(row, FileState::kIncompatible, "its note and its table name different plugins or versions");
  }
  row->module = result.module;
}

class Scanner {
 public:
  Scanner(const Context& ctx, const ScanOptions& options, const Catalogue* previous)
      : ctx_(ctx), options_(options), previous_(previous) {}

  Result<ScanReport> Run() {
    const uint64_t begin_ns = ctx_.clock->MonotonicNs();
    report_.catalogue.core_version = WALRIG_VERSION;
    report_.catalogue.scanned_at_ns = ctx_.clock->WallNs();
    for (const SearchDir& dir : options_.dirs) WALRIG_TRY(ScanDir(dir));
    if (previous_ != nullptr) {
      for (const CatalogueFile& file : previous_->files) {
        if (FindRow(&report_.catalogue, file.dir, file.basename) == nullptr) ++report_.removed;
      }
    }
    report_.elapsed_ms = (ctx_.clock->MonotonicNs() - begin_ns) / 1'000'000;
    return std::move(report_);
  }

  Result<CatalogueFile> Probe(const std::string& dir, const std::string& basename) {
    CatalogueFile row;
    row.dir = dir;
    row.basename = basename;
    struct stat st;
    if (stat(row.Path().c_str(), &st) != 0) return ErrnoStatus(errno, "stat " + row.Path());
    row.identity = IdentityOf(st);
    row.uid = st.st_uid;
    row.mode = st.st_mode & 07777u;
    row.probed_at_ns = ctx_.clock->WallNs();
    TrustVerdict verdict = CheckTrustedFile(row.Path(), options_.trust);
    if (verdict.problem != TrustProblem::kNone) {
      Settle(&row, FileState::kUntrusted, verdict.status.ToString());
      return row;
    }
    auto sha256 = Sha256File(row.Path());
    if (sha256.ok()) row.sha256 = std::move(*sha256);
    if (!Inspect(&row)) return row;
    WALRIG_ASSIGN(const ProbeResult result,
                  RunProbe(ctx_, options_.probe, verdict.resolved, options_.probe_timeout_ms));
    TakeProbe(result, &row);
    return row;
  }

 private:
  Status ScanDir(const SearchDir& dir) {
    CatalogueDir entry;
    entry.path = dir.path;
    entry.origin = dir.origin;
    const TrustVerdict verdict = CheckTrustedDir(dir.path, options_.trust);
    entry.trust = TrustProblemName(verdict.problem);
    struct stat st;
    if (stat(dir.path.c_str(), &st) == 0) {
      const FileIdentity identity = IdentityOf(st);
      entry.dev = identity.dev;
      entry.ino = identity.ino;
      entry.mtime_ns = identity.mtime_ns;
      entry.ctime_ns = identity.ctime_ns;
    }
    report_.catalogue.dirs.push_back(std::move(entry));
    if (verdict.problem == TrustProblem::kMissing) return OkStatus();
    const auto names = ListPlugins(dir.path);
    if (!names.ok()) return OkStatus();  // the row of the directory says what is wrong with it
    for (const std::string& name : *names) {
      WALRIG_TRY(ctx_.Poll());
      WALRIG_TRY(ScanFile(dir.path, name));
    }
    return OkStatus();
  }

  Status ScanFile(const std::string& dir, const std::string& basename) {
    const CatalogueFile* old = FindRow(previous_, dir, basename);
    struct stat st;
    if (stat((dir + "/" + basename).c_str(), &st) != 0) return OkStatus();  // it went while we looked
    const bool same = old != nullptr && old->identity == IdentityOf(st);
    const bool asked_for = old != nullptr && IsAskedFor(options_.retry, *old);
    const bool trusted = CheckTrustedFile(dir + "/" + basename, options_.trust).problem == TrustProblem::kNone;
    const bool settled = old != nullptr && (IsSettled(old->state) ||
                                            (old->state == FileState::kUnloadable && !options_.retry_unloadable));
    if (same && trusted && !asked_for && settled) {
      report_.catalogue.files.push_back(*old);
      report_.changes.push_back(ScanChange::kUnchanged);
      return OkStatus();
    }
    auto row = Probe(dir, basename);
    if (!row.ok()) return row.status().code() == Code::kNotFound && access(options_.probe.c_str(), X_OK) == 0
                              ? OkStatus()
                              : std::move(row).status();
    report_.catalogue.files.push_back(std::move(*row));
    report_.changes.push_back(old == nullptr ? ScanChange::kNew : same ? ScanChange::kRetried : ScanChange::kChanged);
    return OkStatus();
  }

  const Context& ctx_;
  const ScanOptions& options_;
  const Catalogue* previous_;
  ScanReport report_;
};

std::string DirOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// Creates the directory of a path and those above it.
Status MakeDirs(const std::string& dir) {
  if (mkdir(dir.c_str(), 0755) == 0 || errno == EEXIST) return OkStatus();
  if (errno != ENOENT || dir == "/" || dir == ".") return ErrnoStatus(errno, "create " + dir);
  WALRIG_TRY(MakeDirs(DirOf(dir)));
  if (mkdir(dir.c_str(), 0755) == 0 || errno == EEXIST) return OkStatus();
  return ErrnoStatus(errno, "create " + dir);
}

// Empty when another scan holds the lock for too long.
Result<Fd> TakeLock(const Context& ctx, const std::string& path) {
  WALRIG_TRY(MakeDirs(DirOf(path)));
  WALRIG_ASSIGN(Fd fd, OpenFd(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0644));
  const uint64_t give_up_ns = ctx.clock->MonotonicNs() + kLockWaitNs;
  while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return ErrnoStatus(errno, "lock " + path);
    WALRIG_TRY(ctx.Poll());
    if (ctx.clock->MonotonicNs() >= give_up_ns) return Fd();
    ctx.clock->SleepNs(kLockPollNs, ctx.stop.fd());
  }
  return fd;
}

// The catalogue as it was; a damaged one is put aside.
std::optional<Catalogue> ReadPrevious(const Context& ctx, const std::string& path) {
  auto manifest = Manifest::Open(path);
  if (manifest.ok()) {
    auto all = (*manifest)->ReadAll();
    if (all.ok()) return std::move(*all);
    manifest = std::move(all).status();
  }
  if (manifest.status().code() != Code::kCorruption) return std::nullopt;
  rename(path.c_str(), (path + ".bad").c_str());
  if (ctx.log != nullptr) {
    ctx.log->Write(LogLevel::kWarning, "plugin",
                   "the catalogue was put aside as " + path + ".bad: " + manifest.status().ToString());
  }
  return std::nullopt;
}

// Files that were looked at anew may have come with another package.
void NamePackages(const Context& ctx, ScanReport* report) {
  std::vector<std::string> paths;
  for (size_t i = 0; i < report->changes.size(); ++i) {
    const CatalogueFile& file = report->catalogue.files[i];
    if (report->changes[i] != ScanChange::kUnchanged || file.package.empty()) paths.push_back(file.Path());
  }
  const std::map<std::string, std::string> owners = PackagesOf(ctx, paths);
  for (CatalogueFile& file : report->catalogue.files) {
    if (const auto owner = owners.find(file.Path()); owner != owners.end()) file.package = owner->second;
  }
}

}  // namespace

Result<ScanReport> Scan(const Context& ctx, const ScanOptions& options, const Catalogue* previous) {
  return Scanner(ctx, options, previous).Run();
}

Result<CatalogueFile> ProbeFile(const Context& ctx, const ScanOptions& options, const std::string& dir,
                                const std::string& basename) {
  return Scanner(ctx, options, nullptr).Probe(dir, basename);
}

Result<ScanWrite> ScanAndWrite(const Context& ctx, const ScanOptions& options, const std::string& path) {
  ScanWrite outcome;
  outcome.path = path;
  auto lock = TakeLock(ctx, path + ".lock");
  if (!lock.ok()) {
    if (lock.status().code() == Code::kCancelled || lock.status().code() == Code::kTimeout) return lock.status();
    outcome.why_not = std::move(lock).status();
    WALRIG_ASSIGN(outcome.report, Scan(ctx, options, nullptr));
    return outcome;
  }
  if (!lock->valid()) {
    outcome.busy = true;
    return outcome;
  }
  const std::optional<Catalogue> previous = ReadPrevious(ctx, path);
  WALRIG_ASSIGN(outcome.report, Scan(ctx, options, previous.has_value() ? &*previous : nullptr));
  NamePackages(ctx, &outcome.report);
  outcome.why_not = WriteManifest(path, outcome.report.catalogue);
  outcome.written = outcome.why_not.ok();
  return outcome;
}

Result<size_t> ReleaseFromQuarantine(const Context& ctx, const std::string& path, const std::string& name) {
  const auto is_meant = [&](const CatalogueFile& file) {
    return file.state == FileState::kQuarantined && IsAskedFor({name}, file);
  };
  const auto read = [&]() -> Result<Catalogue> {
    WALRIG_ASSIGN(auto manifest, Manifest::Open(path));
    return manifest->ReadAll();
  };
  // Nothing is locked, or made, where there is nothing to do.
  WALRIG_ASSIGN(Catalogue catalogue, read());
  if (std::none_of(catalogue.files.begin(), catalogue.files.end(), is_meant)) return size_t{0};
  auto lock = TakeLock(ctx, path + ".lock");
  if (!lock.ok()) {
    return std::move(lock).status().With("releasing " + name).Hint("run it as the owner of " + path);
  }
  if (!lock->valid()) return Unavailable("another scan is running").Retryable().Hint("run it again in a moment");
  WALRIG_ASSIGN(catalogue, read());
  size_t released = 0;
  for (CatalogueFile& file : catalogue.files) {
    if (!is_meant(file)) continue;
    file.state = FileState::kOk;
    file.reason = "released from quarantine by hand";
    ++released;
  }
  if (released != 0) WALRIG_TRY(WriteManifest(path, catalogue));
  return released;
}

}  // namespace walrig
