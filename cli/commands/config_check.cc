#include "cli/commands/config_check.h"

#include <fmt/format.h>

#include <optional>

#include "cli/wiring.h"
#include "core/pgdata/placement.h"

namespace walrig {
namespace {

class Checker {
 public:
  Checker(const Context& ctx, const Settings& settings, Logger& log)
      : ctx_(ctx), settings_(settings), wiring_(settings, log) {}

  void Values() {
    size_t set = 0;
    std::vector<std::string_view> idle;
    for (const KeySpec& key : AllKeys()) {
      if (settings_.Has(key.name)) ++set;
      if (key.no_effect && settings_.FindExplicit(key.name).has_value()) idle.push_back(key.name);
      const Status status = settings_.Check(key);
      if (!status.ok()) Add(std::string(key.name), status);
    }
    if (findings_.empty()) findings_.push_back({"settings", true, fmt::format("{} values are well formed", set)});
    if (!idle.empty()) Good("without effect", fmt::format("this version ignores {}", fmt::join(idle, ", ")));
  }

  void Plugin(std::string_view what, PluginKind kind, const Result<PluginChoice>& choice, std::string_view none) {
    if (!choice.ok()) return Add(std::string(what), choice.status());
    if (choice->name.empty() || choice->name == none)
      return Good(what, choice->where.empty() ? std::string("none") : fmt::format("none ({})", choice->where));
    Result<Registry*> registry = wiring_.registry(ctx_);
    if (!registry.ok()) return Add(std::string(what), registry.status());
    const Result<std::string> path = (*registry)->FindPath(kind, choice->name);
    if (!path.ok()) return Add(std::string(what), path.status());
    if (const Status trusted = (*registry)->CheckTrust(*path); !trusted.ok()) return Add(std::string(what), trusted);
    const std::string text = fmt::format("{} ({}), {}", choice->name, choice->where, *path);
    const std::optional<std::vector<OptionSpec>> specs = (*registry)->KnownOptions(*path, kind, choice->name);
    if (!specs.has_value()) return Good(what, text + "; its options are not in the catalogue (walrig plugin scan)");
    const Result<CheckedOptions> checked = CheckOptions(choice->name, *specs, choice->values, LookupIn(settings_));
    if (!checked.ok()) return Add(std::string(what), checked.status());
    Good(what, text);
  }

  // PGDATA is known from the environment or the file; without it there is nothing to compare with.
  void Placement() {
    const std::string pgdata = settings_.Text("PGDATA");
    const Result<std::vector<std::string>> directories = wiring_.StorageDirectories();
    if (pgdata.empty() || !directories.ok()) return;
    for (const std::string& directory : *directories) {
      const Status outside = CheckOutsideCluster(pgdata, directory);
      if (!outside.ok()) Add("storage", outside);
    }
  }

  std::vector<ConfigFinding> Take() { return std::move(findings_); }

 private:
  void Add(std::string what, const Status& status) { findings_.push_back({std::move(what), false, status.ToString()}); }
  void Good(std::string_view what, std::string text) {
    findings_.push_back({std::string(what), true, std::move(text)});
  }

  const Context& ctx_;
  const Settings& settings_;
  Wiring wiring_;
  std::vector<ConfigFinding> findings_;
};

}  // namespace

std::vector<ConfigFinding> CheckConfig(const Context& ctx, const Settings& settings, Logger& log) {
  Checker checker(ctx, settings, log);
  checker.Values();
  checker.Plugin("storage", PluginKind::kStorage, ChooseStorage(settings), "");
  checker.Placement();
  checker.Plugin("compressor", PluginKind::kCompressor, ChooseCompressor(settings), "none");
  checker.Plugin("cipher", PluginKind::kCipher, ChooseCipher(settings), "");
  return checker.Take();
}

}  // namespace walrig
