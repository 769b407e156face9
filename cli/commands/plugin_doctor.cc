// walrig plugin doctor: what is wrong with the plugins, and what puts it right.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/commands/plugin_commands.h"
#include "cli/commands/plugin_view.h"
#include "cli/output.h"
#include "core/base/string_util.h"
#include "core/plugin/elf_note.h"
#include "core/plugin/loader.h"

namespace walrig {
namespace {

struct Advice {
  std::string level;  // ok, warn, fail
  std::string text, fix;
};

std::string PluginOf(const CatalogueFile& file) {
  std::string stem = file.basename.substr(0, file.basename.size() - 3);
  if (const size_t dash = stem.find('-'); dash != std::string::npos) stem[dash] = '/';
  return stem;
}

std::string NameOf(const CatalogueFile& file) {
  const std::string plugin = PluginOf(file);
  return plugin.substr(plugin.find('/') + 1);
}

// "libfoo.so.2" of the linker's "libfoo.so.2: cannot open shared object file: No such file or directory".
std::string MissingLibrary(const std::string& reason) {
  const size_t at = reason.find(": cannot open shared object file");
  return at == std::string::npos ? "" : reason.substr(0, at);
}

Advice OfFile(const CatalogueFile& file) {
  const std::string plugin = PluginOf(file);
  switch (file.state) {
    case FileState::kOk: return {"ok", plugin + " works", ""};
    case FileState::kUnloadable: {
      const std::string library = MissingLibrary(file.reason);
      if (library.empty()) return {"warn", plugin + " is unloadable: " + file.reason, "install its package anew; it is retried at each scan"};
      return {"warn", fmt::format("{} is unloadable: {} not found", plugin, library),
              fmt::format("install the package that has {} (it is retried at each scan)", library)};
    }
    case FileState::kQuarantined:
      return {"fail", fmt::format("{} is in quarantine: {}", plugin, file.reason),
              fmt::format("upgrade it, or `walrig plugin scan --retry {}`", NameOf(file))};
    case FileState::kIncompatible:
      return {"fail", fmt::format("{} does not fit: {}", plugin, file.reason), "install a version for this walrig"};
    case FileState::kUntrusted: {
      const size_t hint = file.reason.find("; hint: ");
      if (hint == std::string::npos) return {"fail", plugin + " is not trusted: " + file.reason, "put owner and mode right"};
      return {"fail", plugin + " is not trusted: " + file.reason.substr(0, hint), file.reason.substr(hint + 8)};
    }
    case FileState::kForeignArch:
      return {"warn", plugin + " is " + file.reason, "install the package for " + std::string(HostTriplet())};
  }
  return {"fail", plugin + " is in no known state", ""};
}

std::vector<std::string> LibrariesOf(const CatalogueFile& file) {
  std::vector<std::string> names;
  for (const std::string& path : file.closure) names.push_back(path.substr(path.rfind('/') + 1));
  return names.empty() ? file.needed : names;
}

// The TLS stacks that a file maps.
std::set<std::string> TlsOf(const CatalogueFile& file) {
  std::set<std::string> stacks;
  for (const std::string& library : LibrariesOf(file)) {
    if (StartsWith(library, "libssl.so") || StartsWith(library, "libgnutls.so")) stacks.insert(library);
  }
  return stacks;
}

void AdviseOnPairs(const Catalogue& catalogue, std::vector<Advice>* advice) {
  for (size_t i = 0; i < catalogue.files.size(); ++i) {
    for (size_t j = i + 1; j < catalogue.files.size(); ++j) {
      const CatalogueFile &a = catalogue.files[i], &b = catalogue.files[j];
      if (a.state != FileState::kOk || b.state != FileState::kOk) continue;
      const std::string conflict = ConflictBetween(LibrariesOf(a), LibrariesOf(b));
      if (!conflict.empty()) {
        advice->push_back({"fail", fmt::format("{} and {} cannot be used together: {}", PluginOf(a), PluginOf(b), conflict),
                           "install both from one distribution"});
        continue;
      }
      const std::set<std::string> of_a = TlsOf(a), of_b = TlsOf(b);
      if (of_a.empty() || of_b.empty() || of_a == of_b) continue;
      advice->push_back({"warn",
                         fmt::format("two TLS stacks if you use {} and {} together: {} and {}", PluginOf(a), PluginOf(b),
                                     fmt::join(of_a, ", "), fmt::join(of_b, ", ")),
                         "nothing, unless a problem shows"});
    }
  }
}

// Names that several files offer.
void AdviseOnNames(const Catalogue& catalogue, std::vector<Advice>* advice) {
  for (const PluginRow& row : PluginRows(catalogue)) {
    if (row.winner == nullptr || row.winner == row.file) continue;
    advice->push_back({"warn",
                       fmt::format("{}/{} is offered twice: {} is used, {} is not", row.kind, row.name,
                                   row.winner->Path(), row.file->Path()),
                       "remove the one that is not wanted"});
  }
}

void AdviseOnPlaces(const PluginView& view, std::vector<Advice>* advice) {
  if (view.scan.probe.empty()) {
    advice->push_back({"fail", "walrig-plugin-probe is not installed", "install walrig's own package anew"});
  }
  for (const CatalogueDir& dir : view.catalogue.dirs) {
    if (dir.trust == "ok" || dir.trust == "missing") continue;
    const TrustVerdict verdict = CheckTrustedDir(dir.path, view.options.search.trust);
    advice->push_back({"fail", std::string(verdict.status.message()), std::string(verdict.status.hint())});
  }
  if (view.manifest_path.empty()) {
    advice->push_back({"warn", "there is no catalogue; plugins are found by their file names", "walrig plugin scan"});
  } else if (!view.fresh) {
    advice->push_back({"warn", "the catalogue " + view.manifest_path + " is stale", "walrig plugin scan"});
  } else {
    advice->push_back({"ok", "the catalogue " + view.manifest_path + " is fresh", ""});
  }
}

void AdviseOnLoad(const Catalogue& catalogue, std::vector<Advice>* advice) {
  size_t good = 0;
  for (const CatalogueFile& file : catalogue.files) {
    if (file.state != FileState::kOk) {
      advice->push_back(OfFile(file));
      continue;
    }
    ++good;
    if (file.load_ms > 20) {
      advice->push_back({"warn", fmt::format("{} takes {:.1f} ms to load", PluginOf(file), file.load_ms),
                         "every command that uses it pays this"});
    }
  }
  advice->push_back({"ok", fmt::format("{} of {} plugin files work", good, catalogue.files.size()), ""});
}

}  // namespace

Result<ExitCode> RunPluginDoctor(Invocation& call) {
  WALRIG_ASSIGN(const PluginView view, ViewPlugins(call));
  std::vector<Advice> advice;
  AdviseOnLoad(view.catalogue, &advice);
  AdviseOnNames(view.catalogue, &advice);
  AdviseOnPairs(view.catalogue, &advice);
  AdviseOnPlaces(view, &advice);
  const bool failed = std::any_of(advice.begin(), advice.end(), [](const Advice& a) { return a.level == "fail"; });
  if (call.Has("json")) {
    Json list = Json::array();
    for (const Advice& item : advice) list.push_back({{"level", item.level}, {"text", item.text}, {"fix", item.fix}});
    call.out.Json(Json{{"ok", !failed}, {"findings", list}});
  } else {
    for (const Advice& item : advice) {
      std::string line = fmt::format("{:<6} {}", "[" + item.level + "]", item.text);
      if (!item.fix.empty()) line += ".   Fix: " + item.fix;
      call.out.Line(line);
    }
  }
  return failed ? ExitCode::kError : ExitCode::kOk;
}

}  // namespace walrig
