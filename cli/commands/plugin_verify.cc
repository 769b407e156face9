// walrig plugin verify: owners, modes, hashes; --lock writes the pins.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "cli/commands/plugin_commands.h"
#include "cli/commands/plugin_view.h"
#include "cli/output.h"
#include "core/base/checksum.h"
#include "core/base/string_util.h"
#include "core/plugin/pins.h"
#include "core/plugin/trust.h"

namespace walrig {
namespace {

struct Finding {
  const CatalogueFile* file = nullptr;
  std::string plugin;  // "storage/s3"
  std::string verdict;  // ok, CHANGED, UNTRUSTED, UNPINNED
  std::string text;
  std::string sha256;
};

std::string LockPath(const RegistryOptions& options) {
  return options.lock.empty() ? "/etc/walrig/plugins.lock" : options.lock;
}

// The lock file's pins; none at all when there is no such file.
Result<std::optional<std::vector<Pin>>> PinsOf(const std::string& path, const TrustPolicy& trust) {
  auto pins = LoadPins(path, trust);
  if (pins.ok()) return std::optional<std::vector<Pin>>(std::move(*pins));
  if (pins.status().code() == Code::kNotFound) return std::optional<std::vector<Pin>>();
  return std::move(pins).status();
}

Pin PinOf(const CatalogueFile& file, const std::string& sha256) {
  return {file.module->id, file.module->version, std::string(HostTriplet()), sha256};
}

Result<Finding> Examine(const PluginRow& row, const PluginView& view, const std::optional<std::vector<Pin>>& pins,
                        const std::string& lock) {
  const CatalogueFile& file = *row.file;
  Finding finding{&file, row.kind + "/" + row.name, "ok", fmt::format("owner uid {}, mode {:04o}", file.uid, file.mode), ""};
  const TrustVerdict trust = CheckTrustedFile(file.Path(), view.options.search.trust);
  if (trust.problem != TrustProblem::kNone) {
    finding.verdict = "UNTRUSTED";
    finding.text = trust.status.ToString();
    return finding;
  }
  WALRIG_ASSIGN(finding.sha256, Sha256File(file.Path()));
  if (!file.module.has_value()) {
    finding.verdict = "UNKNOWN";
    finding.text += ", " + file.reason;
    return finding;
  }
  if (pins.has_value()) {
    const Pin pin = PinOf(file, finding.sha256);
    const Status status = CheckPin(*pins, pin, lock);
    const bool known = std::any_of(pins->begin(), pins->end(), [&](const Pin& p) { return p.id == pin.id; });
    finding.verdict = status.ok() ? "ok" : known ? "CHANGED" : "UNPINNED";
    finding.text = status.ok() ? finding.text + ", sha256 matches lock" : status.ToString();
    return finding;
  }
  finding.text += finding.sha256 == file.sha256 ? ", sha256 as in the catalogue, not pinned" : ", sha256 differs";
  if (finding.sha256 != file.sha256) finding.verdict = "CHANGED";
  return finding;
}

Result<std::vector<PluginRow>> Chosen(Invocation& call, const Catalogue& catalogue) {
  std::vector<PluginRow> rows;
  if (call.arguments.empty()) rows = PluginRows(catalogue);
  for (const std::string& name : call.arguments) {
    std::vector<PluginRow> found = FindRows(catalogue, name);
    if (found.empty()) return NoSuchPlugin(catalogue, name);
    rows.insert(rows.end(), found.begin(), found.end());
  }
  std::erase_if(rows, [](const PluginRow& row) { return row.built_in; });
  return rows;
}

// Replaces the pins of the chosen plugins and keeps the others.
Status WriteLock(const Context& ctx, const std::string& path, std::vector<Pin> pins,
                 const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    if (finding.verdict == "UNTRUSTED" || finding.verdict == "UNKNOWN" || finding.file->state != FileState::kOk) continue;
    const Pin pin = PinOf(*finding.file, finding.sha256);
    std::erase_if(pins, [&](const Pin& old) { return old.id == pin.id && old.triplet == pin.triplet; });
    pins.push_back(pin);
  }
  return SavePins(ctx, path, pins);
}

void Print(Invocation& call, const std::vector<Finding>& findings, const std::string& lock, bool locked) {
  if (call.Has("json")) {
    Json list = Json::array();
    for (const Finding& finding : findings) {
      list.push_back({{"plugin", finding.plugin},
                      {"file", finding.file->Path()},
                      {"ok", finding.verdict == "ok"},
                      {"verdict", ToLower(finding.verdict)},
                      {"text", finding.text},
                      {"sha256", finding.sha256}});
    }
    call.out.Json(Json{{"plugins", list}, {"lock", lock}, {"locked", locked}});
    return;
  }
  for (const Finding& finding : findings) {
    call.out.Line(fmt::format("{:<9} {:<20} {}", finding.verdict, finding.plugin, finding.text));
  }
  if (locked) call.out.Line("wrote " + lock);
}

}  // namespace

Result<ExitCode> RunPluginVerify(Invocation& call) {
  WALRIG_ASSIGN(const PluginView view, ViewPlugins(call));
  WALRIG_ASSIGN(const std::vector<PluginRow> rows, Chosen(call, view.catalogue));
  const std::string lock = LockPath(view.options);
  WALRIG_ASSIGN(std::optional<std::vector<Pin>> pins, PinsOf(lock, view.options.search.trust));
  std::vector<Finding> findings;
  for (const PluginRow& row : rows) {
    WALRIG_TRY(call.ctx.Poll());
    WALRIG_ASSIGN(Finding finding, Examine(row, view, pins, lock));
    findings.push_back(std::move(finding));
  }
  const bool write = call.Has("lock");
  if (write) {
    WALRIG_TRY(WriteLock(call.ctx, lock, pins.value_or(std::vector<Pin>()), findings));
    WALRIG_ASSIGN(pins, PinsOf(lock, view.options.search.trust));
    for (size_t i = 0; i < rows.size(); ++i) {
      WALRIG_ASSIGN(findings[i], Examine(rows[i], view, pins, lock));
    }
  }
  Print(call, findings, lock, write);
  const bool good = std::all_of(findings.begin(), findings.end(), [](const Finding& f) { return f.verdict == "ok"; });
  return good ? ExitCode::kOk : ExitCode::kError;
}

}  // namespace walrig
