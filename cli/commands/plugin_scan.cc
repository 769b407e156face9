// walrig plugin scan, plugin release.
#include <fmt/format.h>
#include <sys/stat.h>

#include <map>

#include "cli/commands/common.h"
#include "cli/commands/plugin_commands.h"
#include "cli/commands/plugin_view.h"
#include "cli/output.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

std::string_view ChangeName(ScanChange change) {
  switch (change) {
    case ScanChange::kUnchanged: return "unchanged";
    case ScanChange::kNew: return "new";
    case ScanChange::kChanged: return "changed";
    case ScanChange::kRetried: return "probed again";
  }
  return "unknown";
}

size_t DirsThere(const Catalogue& catalogue) {
  size_t count = 0;
  for (const CatalogueDir& dir : catalogue.dirs) count += dir.trust == "missing" ? 0 : 1;
  return count;
}

std::string Counts(const ScanReport& report) {
  std::map<ScanChange, size_t> counts;
  for (const ScanChange change : report.changes) ++counts[change];
  std::vector<std::string> parts;
  for (const auto& [change, count] : counts) parts.push_back(fmt::format("{} {}", count, ChangeName(change)));
  if (report.removed != 0) parts.push_back(fmt::format("{} gone", report.removed));
  return parts.empty() ? "" : ": " + Join(parts, ", ");
}

std::string SizeOf(const std::string& path) {
  struct stat st;
  return stat(path.c_str(), &st) == 0 ? FormatBytes(static_cast<uint64_t>(st.st_size)) : "?";
}

void PrintScan(Invocation& call, const ScanWrite& outcome) {
  const ScanReport& report = outcome.report;
  const Catalogue& catalogue = report.catalogue;
  if (!call.Has("quiet")) {
    call.out.Line(fmt::format("scanned {} directories, {} files in {} ms{}", DirsThere(catalogue),
                              catalogue.files.size(), report.elapsed_ms, Counts(report)));
  }
  std::vector<std::string> fresh;
  for (size_t i = 0; i < catalogue.files.size(); ++i) {
    const CatalogueFile& file = catalogue.files[i];
    if (report.changes[i] == ScanChange::kUnchanged || file.state != FileState::kOk) continue;
    fresh.push_back(file.basename + " " + file.module->version);
  }
  if (!fresh.empty() && !call.Has("quiet")) call.out.Line(fmt::format("  {:<12} {}", "new", Join(fresh, ", ")));
  for (const CatalogueFile& file : catalogue.files) {
    if (file.state == FileState::kOk) continue;
    call.out.Line(fmt::format("  {:<12} {}: {}", FileStateName(file.state), file.basename, file.reason));
  }
  if (outcome.written && !call.Has("quiet")) {
    call.out.Line(fmt::format("wrote {} ({})", outcome.path, SizeOf(outcome.path)));
  }
}

Json ScanJson(const ScanWrite& outcome) {
  Json files = Json::array();
  for (size_t i = 0; i < outcome.report.catalogue.files.size(); ++i) {
    const CatalogueFile& file = outcome.report.catalogue.files[i];
    files.push_back({{"file", file.Path()},
                     {"state", FileStateName(file.state)},
                     {"reason", file.reason},
                     {"change", ChangeName(outcome.report.changes[i])},
                     {"version", file.module.has_value() ? Json(file.module->version) : Json(nullptr)}});
  }
  Json dirs = Json::array();
  for (const CatalogueDir& dir : outcome.report.catalogue.dirs) {
    dirs.push_back({{"path", dir.path}, {"origin", dir.origin}, {"trust", dir.trust}});
  }
  return {{"busy", outcome.busy},
          {"written", outcome.written ? Json(outcome.path) : Json(nullptr)},
          {"elapsed_ms", outcome.report.elapsed_ms},
          {"removed", outcome.report.removed},
          {"directories", dirs},
          {"files", files}};
}

}  // namespace

Result<ExitCode> RunPluginScan(Invocation& call) {
  WALRIG_ASSIGN(RegistryOptions options, RegistryOptionsFrom(call.settings));
  if (call.Has("system")) options.search.data_home.clear();
  WALRIG_ASSIGN(ScanOptions scan, ScanOptionsOf(options));
  scan.retry = call.List("retry");
  const std::string path = ManifestToWrite(options, call.Has("system"), call.Text("output"));
  WALRIG_ASSIGN(ScanWrite outcome, ScanAndWrite(call.ctx, scan, path));
  if (call.Has("json")) {
    call.out.Json(ScanJson(outcome));
  } else if (outcome.busy) {
    call.out.Line("another scan is running");
  } else {
    PrintScan(call, outcome);
  }
  if (outcome.busy || outcome.written) return ExitCode::kOk;
  return std::move(outcome.why_not)
      .With("the catalogue was not written")
      .Hint("plugins work without it; --output FILE writes it elsewhere");
}

Result<ExitCode> RunPluginRelease(Invocation& call) {
  WALRIG_ASSIGN(const RegistryOptions options, RegistryOptionsFrom(call.settings));
  const std::string name = call.Argument(0);
  size_t released = 0;
  Status last = NotFound("there is no catalogue of plugins, so nothing is in quarantine");
  for (const std::string& path : ManifestPaths(options.manifest, options.search.trust)) {
    auto count = ReleaseFromQuarantine(call.ctx, path, name);
    if (count.ok()) {
      released += *count;
      last = NotFound(fmt::format("no plugin \"{}\" is in quarantine", Printable(name)));
    } else if (count.status().code() != Code::kNotFound) {
      last = std::move(count).status();
    }
  }
  if (released == 0) return last;
  if (call.Has("json")) call.out.Json(Json{{"name", name}, {"released", released}});
  else call.out.Line(fmt::format("released {} from quarantine", name));
  return ExitCode::kOk;
}

}  // namespace walrig
