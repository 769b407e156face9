#include "core/plugin/registry.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/config/settings.h"
#include "core/plugin/bridge.h"
#include "core/plugin/host.h"

namespace walrig {
namespace {

constexpr const char* kSystemLock = "/etc/walrig/plugins.lock";

struct KnownExtension {
  std::string_view extension, compressor;
};
// WAL-G's formats, so that an object is read without a manifest. Others are found in the manifest.
constexpr KnownExtension kKnownExtensions[] = {{"zst", "zstd"},   {"lz4", "lz4"}, {"lzma", "lzma"}, {"xz", "xz"},
                                               {"br", "brotli"}, {"gz", "gzip"}, {"lzo", "lzo"}};

std::string Package(PluginKind kind, std::string_view name) {
  if (kind == PluginKind::kCompressor && name == "lzma") return "walrig-plugin-xz";
  return "walrig-plugin-" + std::string(name);
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// The plugin files of a directory, sorted; none when it cannot be read.
std::vector<std::string> PluginFiles(const std::string& dir) {
  std::vector<std::string> names;
  DIR* handle = opendir(dir.c_str());
  if (handle == nullptr) return names;
  while (const dirent* entry = readdir(handle)) {
    if (EndsWith(entry->d_name, ".so")) names.emplace_back(entry->d_name);
  }
  closedir(handle);
  std::sort(names.begin(), names.end());
  return names;
}

// The names of a kind that a file offers, by its note.
std::vector<std::string> NamesByNote(const std::string& path, PluginKind kind) {
  std::vector<std::string> names;
  const auto fd = OpenFd(path, O_RDONLY | O_NONBLOCK);
  if (!fd.ok()) return names;
  const auto elf = ReadElf(fd->get(), path);
  if (!elf.ok() || !elf->note.has_value()) return names;
  for (const auto& [provided_kind, name] : elf->note->provides) {
    if (provided_kind == KindName(kind)) names.push_back(name);
  }
  return names;
}

// The plugin's own table of a factory that was read from it.
const walrig_factory* TableOf(const LoadedModule& module, const FactoryInfo& info) {
  const walrig_factory* const* at = module.module->factories;
  while ((*at)->kind != static_cast<uint32_t>(info.kind) || info.name != (*at)->name) ++at;
  return *at;
}

std::string HomeData() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && data[0] == '/') return data;
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.local/share" : "";
}

}  // namespace

Result<RegistryOptions> RegistryOptionsFrom(const Settings& settings) {
  RegistryOptions options;
  options.search.trust = DefaultTrustPolicy();
  if (const std::string level = settings.Text("WALRIG_PLUGIN_TRUST"); !level.empty() && !IsPrivilegeRaised()) {
    WALRIG_ASSIGN(const TrustLevel wanted, ParseTrustLevel(level));
    // Root trusts root alone, whether called user or system.
    const bool widens_root = options.search.trust.euid == 0 && wanted == TrustLevel::kUser;
    if (!widens_root) options.search.trust.level = wanted;
  }
  if (!IsPrivilegeRaised()) options.search.trust.allow_group = settings.Text("WALRIG_PLUGIN_ALLOW_GROUP");
  const bool obeys_environment = options.search.trust.level == TrustLevel::kAny ||
                                 (options.search.trust.level == TrustLevel::kUser && !IsPrivilegeRaised());
  if (const auto dirs = settings.FindExplicit("WALRIG_PLUGIN_DIR"); dirs.has_value()) {
    if (dirs->origin != SettingOrigin::kEnvironment || obeys_environment) {
      for (std::string& dir : Split(dirs->text, ':')) options.search.plugin_dirs.push_back(std::move(dir));
    }
  }
  if (const auto path = settings.FindExplicit("WALRIG_PLUGIN_PATH"); path.has_value()) {
    options.search.plugin_path = path->text;
    options.search.plugin_path_from_environment = path->origin == SettingOrigin::kEnvironment;
  }
  options.search.data_home = HomeData();
  if (!IsPrivilegeRaised()) {
    options.manifest = settings.Text("WALRIG_PLUGIN_MANIFEST");
    options.lock = settings.Text("WALRIG_PLUGIN_LOCK");
  }
  return options;
}

Result<std::unique_ptr<Registry>> Registry::Open(const Context& ctx, RegistryOptions options) {
  std::unique_ptr<Registry> registry(new Registry(std::move(options)));
  registry->dirs_ = SearchPath(registry->options_.search);
  registry->lock_path_ = registry->options_.lock.empty() ? kSystemLock : registry->options_.lock;
  if (!registry->options_.lock.empty() || Exists(kSystemLock)) {
    auto pins = LoadPins(registry->lock_path_, registry->options_.search.trust);
    if (!pins.ok()) return std::move(pins).status().With("reading the pinned plugins");
    registry->pins_ = std::move(*pins);
  }
  registry->log_ = ctx.log;
  ProcessHostServices().log.store(ctx.log, std::memory_order_release);
  ProcessHostServices().metrics.store(ctx.metrics, std::memory_order_release);
  return registry;
}

Registry::~Registry() {
  // Another registry may have taken over.
  if (ProcessHostServices().log.load(std::memory_order_acquire) != log_) return;
  ProcessHostServices().log.store(nullptr, std::memory_order_release);
  ProcessHostServices().metrics.store(nullptr, std::memory_order_release);
}

void Registry::Shutdown() noexcept { loader_.Shutdown(log_); }

const std::vector<std::unique_ptr<Manifest>>& Registry::manifests() {
  if (manifests_opened_) return manifests_;
  manifests_opened_ = true;
  for (const std::string& path : ManifestPaths(options_.manifest, options_.search.trust)) {
    auto manifest = Manifest::Open(path);
    if (manifest.ok()) {
      manifests_.push_back(std::move(*manifest));
    } else if (log_ != nullptr && log_->Enabled(LogLevel::kDebug)) {
      log_->Write(LogLevel::kDebug, "plugin", "no catalogue of plugins: " + manifest.status().ToString());
    }
  }
  return manifests_;
}

std::optional<CatalogueFile> Registry::Known(const std::string& path) {
  const size_t slash = path.rfind('/');
  for (const auto& manifest : manifests()) {
    auto file = manifest->FindFile(path.substr(0, slash), path.substr(slash + 1));
    if (file.ok() && file->has_value()) return std::move(**file);
  }
  // A second name of a plugin is a link; the catalogue knows the file.
  std::error_code error;
  const std::string target = std::filesystem::weakly_canonical(path, error).string();
  return error || target == path || target.empty() ? std::nullopt : Known(target);
}

std::optional<std::vector<OptionSpec>> Registry::KnownOptions(const std::string& path, PluginKind kind,
                                                              std::string_view name) {
  struct stat st{};
  if (::stat(path.c_str(), &st) != 0) return std::nullopt;
  for (const auto& manifest : manifests()) {
    Result<Catalogue> catalogue = manifest->ReadAll();
    if (!catalogue.ok()) continue;
    std::erase_if(catalogue->files, [&st](const CatalogueFile& file) { return file.identity != IdentityOf(st); });
    const std::optional<CatalogueHit> hit = FindInCatalogue(*catalogue, kind, name);
    if (hit.has_value() && hit->factory != nullptr) return hit->factory->options;
  }
  return std::nullopt;
}

std::string Registry::PathByNote(PluginKind kind, std::string_view name) {
  for (const SearchDir& dir : dirs_) {
    for (const std::string& file : PluginFiles(dir.path)) {
      const std::string path = dir.path + "/" + file;
      const std::vector<std::string> names = NamesByNote(path, kind);
      if (std::find(names.begin(), names.end(), name) != names.end()) return path;
    }
  }
  return "";
}

Status Registry::Unknown(PluginKind kind, std::string_view name) {
  const std::string head = std::string(KindName(kind)) + "-";
  std::vector<std::string> places, names;
  for (const SearchDir& dir : dirs_) {
    places.push_back(dir.path);
    for (const std::string& file : PluginFiles(dir.path)) {
      if (StartsWith(file, head)) names.push_back(file.substr(head.size(), file.size() - head.size() - 3));
      for (std::string& provided : NamesByNote(dir.path + "/" + file, kind)) names.push_back(std::move(provided));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string hint = fmt::format("install the package {}", Package(kind, name));
  if (const std::string nearest = NearestName(name, names); !nearest.empty()) {
    hint = fmt::format("did you mean {}? Otherwise {}", nearest, hint);
  } else if (!names.empty()) {
    hint += fmt::format("; installed are: {}", Join(names, ", "));
  }
  return NotFound(fmt::format("there is no {} plugin \"{}\": looked for {} in {}", KindName(kind), name,
                              PluginFileName(kind, name), Join(places, ", ")))
      .Hint(std::move(hint));
}

Result<std::string> Registry::FindPath(PluginKind kind, std::string_view name) {
  if (name == "none") return InvalidArgument("\"none\" is walrig's own and no plugin");
  if (!IsPluginName(name)) {
    return InvalidArgument(fmt::format("\"{}\" is no name of a plugin", Printable(name)))
        .Hint("names are of small letters, digits, - and _");
  }
  const std::string basename = PluginFileName(kind, name);
  for (const SearchDir& dir : dirs_) {
    if (std::string path = dir.path + "/" + basename; Exists(path)) return path;
  }
  // Before the catalogue, which may be stale or of another search path; it alone knows aliases.
  if (std::string path = PathByNote(kind, name); !path.empty()) return path;
  for (const auto& manifest : manifests()) {
    const auto location = manifest->Resolve(kind, name);
    if (!location.ok() || !location->has_value()) continue;
    const auto searched = [&](const SearchDir& dir) { return dir.path == (*location)->dir; };
    if (std::none_of(dirs_.begin(), dirs_.end(), searched)) continue;
    if (std::string path = (*location)->dir + "/" + (*location)->basename; Exists(path)) return path;
  }
  return Unknown(kind, name);
}

Status Registry::CheckTrust(const std::string& path) const {
  return CheckTrustedFile(path, options_.search.trust).status;
}

Result<Registry::Found> Registry::Find(const Context& ctx, PluginKind kind, std::string_view name) {
  WALRIG_ASSIGN(const std::string path, FindPath(kind, name));
  const std::optional<CatalogueFile> known = Known(path);
  LoadRequest request;
  request.path = path;
  request.known = known.has_value() ? &*known : nullptr;
  request.trust = &options_.search.trust;
  request.pins = pins_.has_value() ? &*pins_ : nullptr;
  request.lock_path = lock_path_;
  request.allow_conflicts = options_.allow_conflicts;
  WALRIG_ASSIGN(LoadedModule * module, loader_.Load(ctx, request));
  for (const FactoryInfo& info : module->info.factories) {
    const bool named = info.name == name ||
                       std::find(info.aliases.begin(), info.aliases.end(), name) != info.aliases.end();
    if (info.kind == kind && named) return Found{module, TableOf(*module, info), &info};
  }
  return NotFound(fmt::format("{} holds no {} named \"{}\"", path, KindName(kind), name))
      .Hint("the file's name promises another plugin than it holds: install its package anew");
}

Result<std::unique_ptr<PluginInstance>> Registry::NewInstance(const Context& ctx, PluginKind kind,
                                                              std::string_view name,
                                                              const OptionValues& explicit_values,
                                                              const SettingLookup& lookup) {
  WALRIG_ASSIGN(const Found found, Find(ctx, kind, name));
  const std::string plugin = std::string(KindName(kind)) + "/" + found.info->name;
  WALRIG_ASSIGN(const CheckedOptions checked, CheckOptions(plugin, found.info->options, explicit_values, lookup));
  for (const std::string& secret : checked.secrets) {
    if (options_.on_secret) options_.on_secret(secret);
  }
  for (const OptionOrigin& origin : checked.origins) {
    if (options_.on_origin) options_.on_origin(origin);
  }
  for (const std::string& warning : checked.warnings) {
    if (ctx.log != nullptr) ctx.log->Write(LogLevel::kWarning, plugin, warning);
  }
  return PluginInstance::New(ctx, found.factory, found.module->host, *found.info, checked, &found.module->instances);
}

Result<std::unique_ptr<Storage>> Registry::NewStorage(const Context& ctx, std::string_view name,
                                                      const OptionValues& explicit_values,
                                                      const SettingLookup& lookup) {
  WALRIG_ASSIGN(auto instance, NewInstance(ctx, PluginKind::kStorage, name, explicit_values, lookup));
  return BridgeStorage(std::move(instance));
}

Result<std::unique_ptr<Compressor>> Registry::NewCompressor(const Context& ctx, std::string_view name,
                                                            const OptionValues& explicit_values,
                                                            const SettingLookup& lookup) {
  WALRIG_ASSIGN(auto instance, NewInstance(ctx, PluginKind::kCompressor, name, explicit_values, lookup));
  return BridgeCompressor(std::move(instance));
}

Result<std::unique_ptr<Cipher>> Registry::NewCipher(const Context& ctx, std::string_view name,
                                                    const OptionValues& explicit_values,
                                                    const SettingLookup& lookup) {
  WALRIG_ASSIGN(auto instance, NewInstance(ctx, PluginKind::kCipher, name, explicit_values, lookup));
  return BridgeCipher(std::move(instance));
}

Result<std::string> Registry::CompressorForExtension(std::string_view extension) {
  for (const KnownExtension& known : kKnownExtensions) {
    if (known.extension == extension) return std::string(known.compressor);
  }
  for (const auto& manifest : manifests()) {
    auto name = manifest->CompressorOfExtension(extension);
    if (name.ok() && name->has_value()) return std::move(**name);
  }
  // Many formats are called like their files.
  if (IsPluginName(extension) && FindPath(PluginKind::kCompressor, extension).ok()) return std::string(extension);
  return NotFound(fmt::format("no compressor reads objects that end in \".{}\"", Printable(extension)))
      .Hint(fmt::format("install the plugin that does (perhaps walrig-plugin-{}) and run `walrig plugin scan`",
                        Printable(extension)));
}

}  // namespace walrig
