#include "cli/commands/plugin_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/string_util.h"

namespace walrig {
namespace {

bool Covers(const Catalogue& catalogue, const std::vector<SearchDir>& dirs) {
  return std::all_of(dirs.begin(), dirs.end(), [&](const SearchDir& dir) {
    return std::any_of(catalogue.dirs.begin(), catalogue.dirs.end(),
                       [&](const CatalogueDir& known) { return known.path == dir.path; });
  });
}

// What the core does without a plugin.
const std::vector<FactoryInfo>& BuiltIns() {
  static const std::vector<FactoryInfo> kBuiltIns = [] {
    std::vector<FactoryInfo> list(2);
    list[0].kind = PluginKind::kCompressor;
    list[0].description = "No compression";
    list[1].kind = PluginKind::kCipher;
    list[1].description = "No encryption";
    for (FactoryInfo& none : list) none.name = "none";
    return list;
  }();
  return kBuiltIns;
}

// The file that is used instead of `file` for the name.
const CatalogueFile* WinnerOver(const Catalogue& catalogue, const CatalogueFile& file, const FactoryInfo* factory,
                                std::string_view kind_text, std::string_view name) {
  const auto kind = ParseKind(kind_text);
  if (!kind.ok()) return nullptr;
  const auto hit = FindInCatalogue(catalogue, *kind, name);
  if (!hit.has_value() || (hit->file == &file && (factory == nullptr || hit->factory == factory))) return nullptr;
  return hit->file;
}

const CatalogueFile& NoFile() {
  static const CatalogueFile kNoFile;
  return kNoFile;
}

}  // namespace

Result<ScanOptions> ScanOptionsOf(const RegistryOptions& options) {
  ScanOptions scan;
  scan.dirs = SearchPath(options.search);
  scan.trust = options.search.trust;
  scan.probe = FindProbe(options.search);
  return scan;
}

std::string ManifestToWrite(const RegistryOptions& options, bool system, const std::string& output) {
  if (!output.empty()) return output;
  const std::vector<std::string> paths = ManifestPaths(options.manifest, options.search.trust);
  return system ? paths.back() : paths.front();
}

Result<PluginView> ViewPlugins(Invocation& call) {
  PluginView view;
  WALRIG_ASSIGN(view.options, RegistryOptionsFrom(call.settings));
  WALRIG_ASSIGN(view.scan, ScanOptionsOf(view.options));
  view.scan.retry_unloadable = false;
  Catalogue known;
  for (const std::string& path : ManifestPaths(view.options.manifest, view.options.search.trust)) {
    auto manifest = Manifest::Open(path);
    if (!manifest.ok()) continue;
    auto all = (*manifest)->ReadAll();
    if (!all.ok()) continue;
    known = std::move(*all);
    view.manifest_path = path;
    view.scanned_at_ns = known.scanned_at_ns;
    break;
  }
  WALRIG_ASSIGN(ScanReport report, Scan(call.ctx, view.scan, &known));
  view.fresh = !view.manifest_path.empty() && report.removed == 0 && Covers(known, view.scan.dirs) &&
               std::all_of(report.changes.begin(), report.changes.end(),
                           [](ScanChange change) { return change == ScanChange::kUnchanged; });
  view.catalogue = std::move(report.catalogue);
  return view;
}

std::vector<PluginRow> PluginRows(const Catalogue& catalogue) {
  std::vector<PluginRow> rows;
  for (const FactoryInfo& none : BuiltIns()) {
    rows.push_back({&NoFile(), &none, std::string(KindName(none.kind)), none.name, nullptr, true});
  }
  for (const CatalogueFile& file : catalogue.files) {
    if (file.module.has_value() && !file.module->factories.empty()) {
      for (const FactoryInfo& factory : file.module->factories) {
        std::string kind(KindName(factory.kind));
        const CatalogueFile* winner = WinnerOver(catalogue, file, &factory, kind, factory.name);
        rows.push_back({&file, &factory, std::move(kind), factory.name, winner, false});
      }
      continue;
    }
    const std::string stem = file.basename.substr(0, file.basename.size() - 3);
    const size_t dash = stem.find('-');
    std::string kind = dash == std::string::npos ? "?" : stem.substr(0, dash);
    std::string name = dash == std::string::npos ? stem : stem.substr(dash + 1);
    const CatalogueFile* winner = WinnerOver(catalogue, file, nullptr, kind, name);
    rows.push_back({&file, nullptr, std::move(kind), std::move(name), winner, false});
  }
  const auto order = [](const PluginRow& row) { return row.factory != nullptr ? static_cast<int>(row.factory->kind) : 9; };
  std::stable_sort(rows.begin(), rows.end(), [&](const PluginRow& a, const PluginRow& b) {
    return std::pair(order(a), a.name) < std::pair(order(b), b.name);
  });
  return rows;
}

std::vector<PluginRow> FindRows(const Catalogue& catalogue, const std::string& text) {
  std::vector<PluginRow> found;
  for (PluginRow& row : PluginRows(catalogue)) {
    const bool alias = row.factory != nullptr && std::find(row.factory->aliases.begin(), row.factory->aliases.end(),
                                                           text) != row.factory->aliases.end();
    const bool id = row.file->module.has_value() && row.file->module->id == text;
    const bool is_file = !row.built_in && (row.file->basename == text || row.file->Path() == text);
    if (row.name == text || row.kind + "/" + row.name == text || is_file || alias || id) {
      found.push_back(std::move(row));
    }
  }
  std::stable_partition(found.begin(), found.end(), [](const PluginRow& row) { return row.winner == nullptr; });
  return found;
}

Status NoSuchPlugin(const Catalogue& catalogue, const std::string& text) {
  std::vector<std::string> names, dirs;
  for (const PluginRow& row : PluginRows(catalogue)) names.push_back(row.name);
  for (const CatalogueDir& dir : catalogue.dirs) dirs.push_back(dir.path);
  Status status = NotFound(fmt::format("there is no plugin \"{}\" in {}", Printable(text), Join(dirs, ", ")));
  const std::string nearest = NearestName(text, names);
  if (!nearest.empty()) return std::move(status).Hint(fmt::format("did you mean {}?", nearest));
  return std::move(status).Hint(fmt::format("it would come with the package walrig-plugin-{}", Printable(text)));
}

}  // namespace walrig
