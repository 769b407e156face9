// walrig plugin check: the conformance kit on one plugin file.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "cli/commands/common.h"
#include "cli/output.h"
#include "cli/plugin_check/module_checks.h"
#include "cli/plugin_check/runner.h"
#include "cli/wiring.h"
#include "core/base/string_util.h"
#include "core/plugin/registry.h"
#include "sdk/conformance/storage_suite.h"
#include "sdk/conformance/transform_suite.h"

namespace walrig {
namespace {

using conformance::Check;

constexpr uint64_t kTimeoutMaxS = 604'800;  // a week

constexpr CliOption kPluginCheckOptions[] = {
    {.name = "option",
     .letter = 'o',
     .kind = OptionKind::kList,
     .value_name = "KEY=VALUE",
     .help = "An option of the plugin, as in --storage=NAME,key=value"},
    {.name = "kind",
     .kind = OptionKind::kValue,
     .value_name = "KIND",
     .help = "Which of the file's kinds to check; all by default",
     .choices = "storage|compressor|cipher"},
    {.name = "name",
     .kind = OptionKind::kValue,
     .value_name = "NAME",
     .help = "Which of the file's names to check; all by default"},
    {.name = "level",
     .kind = OptionKind::kValue,
     .value_name = "N",
     .help = "0 file and module, 1 behaviour, 2 faults and resources (default), 3 what takes minutes: give a --timeout",
     .choices = "0|1|2|3"},
    {.name = "filter", .kind = OptionKind::kValue, .value_name = "REGEX", .help = "Only checks whose name fits"},
    {.name = "format",
     .kind = OptionKind::kValue,
     .value_name = "FORMAT",
     .help = "How to report",
     .choices = "text|tap|junit|json"},
    {.name = "json", .help = "As --format=json"},
    {.name = "timeout", .kind = OptionKind::kValue, .value_name = "SECONDS", .help = "For one check; 120 by default"},
    {.name = "list-keys",
     .kind = OptionKind::kValue,
     .value_name = "N",
     .help = "How many objects the check of lists by pages makes; 2500 by default"},
    {.name = "no-checksum", .help = "The compressor's format has no checksum: damage that it cannot see is a warning"},
    {.name = "in-process", .help = "Run the checks in this process, for a debugger"},
    {.name = "sweep", .help = "Only delete what earlier runs left in the storage"},
    {.name = "list", .help = "Only print the names of the checks"},
    {.name = "one",
     .kind = OptionKind::kValue,
     .value_name = "CHECK",
     .help = "Run one check and answer on one line; used by the command itself"},
};

// Where a storage's server is: a fault proxy is put before it, for the checks of level 2.
constexpr std::string_view kEndpointOption = "endpoint";

struct Target {
  std::string kind, name;
};

// What the module makes, narrowed by --kind and --name. A module that cannot be loaded makes nothing: the checks of
// level 0 say why.
Result<std::vector<Target>> Targets(const Invocation& call, const std::string& path) {
  const auto info = LoadModuleInfo(path);
  std::vector<Target> targets;
  if (!info.ok()) return targets;
  for (const FactoryInfo& factory : info->factories) {
    if (call.Has("kind") && call.Text("kind") != KindName(factory.kind)) continue;
    if (call.Has("name") && call.Text("name") != factory.name) continue;
    targets.push_back({std::string(KindName(factory.kind)), factory.name});
  }
  if (targets.empty()) {
    return NotFound(fmt::format("{} does not provide {} {}", path, call.Text("kind"), call.Text("name")));
  }
  return targets;
}

Result<OptionValues> ValuesFrom(const Invocation& call) {
  OptionValues values;
  for (const std::string& text : call.List("option")) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) return InvalidArgument("-o " + text + ": not KEY=VALUE");
    values.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return values;
}

// Makes instances of the file's plugins. The user names the file, so its folder is all that is searched and trusted.
class Maker {
 public:
  static Result<std::unique_ptr<Maker>> New(Invocation& call, const std::string& path) {
    WALRIG_ASSIGN(RegistryOptions options, RegistryOptionsFrom(call.settings));
    options.search.plugin_dirs = {std::filesystem::path(path).parent_path().string()};
    options.search.trust.level = TrustLevel::kAny;
    options.manifest = "/dev/null";
    options.lock.clear();
    WALRIG_ASSIGN(OptionValues values, ValuesFrom(call));
    WALRIG_ASSIGN(auto registry, Registry::Open(call.ctx, std::move(options)));
    std::unique_ptr<Maker> maker(new Maker(call, std::move(registry), std::move(values)));
    if (call.Has("list-keys")) {
      WALRIG_ASSIGN(maker->list_keys_, ParseUint(call.Text("list-keys")));
      if (maker->list_keys_ == 0 || maker->list_keys_ > 1'000'000) return InvalidArgument("--list-keys: 1 to 1000000");
    }
    return maker;
  }

  std::vector<Check> Suite(const Target& target, bool detects_damage) {
    const auto lookup = LookupIn(call_.settings);
    if (target.kind == "storage") {
      conformance::StorageFixture fixture = StorageOf(target);
      if (list_keys_ != 0) fixture.list_keys = list_keys_;
      return conformance::StorageSuite(std::move(fixture));
    }
    if (target.kind == "compressor") {
      return conformance::CompressorSuite(
          {.open = [this, name = target.name,
                    lookup] { return registry_->NewCompressor(call_.ctx, name, values_, lookup); },
           .detects_damage = detects_damage});
    }
    if (target.kind == "cipher") {
      return conformance::CipherSuite({.open = [this, name = target.name, lookup] {
        return registry_->NewCipher(call_.ctx, name, values_, lookup);
      }});
    }
    return {};
  }
  conformance::StorageFixture StorageOf(const Target& target) {
    conformance::StorageFixture fixture;
    fixture.open = [this, name = target.name, lookup = LookupIn(call_.settings)] {
      return registry_->NewStorage(call_.ctx, name, values_, lookup);
    };
    fixture.endpoint = EndpointOf(target);
    fixture.open_at = [this, name = target.name, lookup = LookupIn(call_.settings)](const std::string& endpoint) {
      OptionValues values = values_;
      std::erase_if(values, [](const auto& value) { return value.first == kEndpointOption; });
      values.emplace_back(kEndpointOption, endpoint);
      return registry_->NewStorage(call_.ctx, name, values, lookup);
    };
    return fixture;
  }

 private:
  Maker(Invocation& call, std::unique_ptr<Registry> registry, OptionValues values)
      : call_(call), registry_(std::move(registry)), values_(std::move(values)) {}

  // What the option "endpoint" of this storage is, by -o or by its settings; "" when there is none.
  std::string EndpointOf(const Target& target) const {
    for (const auto& [key, value] : values_) {
      if (key == kEndpointOption) return value;
    }
    std::error_code error;
    const auto info = LoadModuleInfo(std::filesystem::canonical(call_.Argument(0), error).string());
    if (error || !info.ok()) return {};
    const auto lookup = LookupIn(call_.settings);
    for (const FactoryInfo& factory : info->factories) {
      if (factory.kind != PluginKind::kStorage || factory.name != target.name) continue;
      for (const OptionSpec& option : factory.options) {
        if (option.name != kEndpointOption) continue;
        for (const std::string& setting : option.settings) {
          if (auto value = lookup(setting); value.has_value()) return *value;
        }
      }
    }
    return {};
  }
  Invocation& call_;
  std::unique_ptr<Registry> registry_;
  OptionValues values_;
  uint64_t list_keys_ = 0;  // 0: the suite's own number
};

Result<std::vector<Check>> AllChecks(Invocation& call, const std::string& path, Maker& maker) {
  std::vector<Check> checks = ModuleChecks(path);
  WALRIG_ASSIGN(const std::vector<Target> targets, Targets(call, path));
  for (const Target& target : targets) {
    for (Check& check : maker.Suite(target, !call.Has("no-checksum"))) {
      check.name = target.name + "/" + check.name;
      checks.push_back(std::move(check));
    }
  }
  return checks;
}

// This very command with the options that a child needs. Secrets go by the environment.
std::vector<std::string> ChildCommand(const Invocation& call, const std::string& path) {
  std::vector<std::string> words = {"walrig", "plugin", "check", path};
  for (const std::string& option : call.List("option")) words.insert(words.end(), {"-o", option});
  for (const char* name : {"kind", "name", "list-keys"}) {
    if (call.Has(name)) words.push_back(fmt::format("--{}={}", name, call.Text(name)));
  }
  if (call.Has("no-checksum")) words.push_back("--no-checksum");
  if (const std::string& config = call.settings.config_path(); !config.empty()) words.push_back("--config=" + config);
  for (const KeySpec& key : AllKeys()) {
    const std::optional<SettingValue> value = call.settings.FindExplicit(key.name);
    if (!value.has_value() || value->origin != SettingOrigin::kFlag) continue;
    if (key.secret) {
      setenv(std::string(key.name).c_str(), value->text.c_str(), 1);
    } else {
      words.push_back(fmt::format("--{}={}", FlagName(key.name), value->text));
    }
  }
  return words;
}

Result<ExitCode> RunOne(Invocation& call, const std::vector<Check>& checks) {
  for (const Check& check : checks) {
    if (check.name != call.Text("one")) continue;
    call.out.Write(VerdictToLine(RunHere(check).verdict));
    return ExitCode::kOk;
  }
  return NotFound("no check '" + call.Text("one") + "'");
}

Result<ExitCode> Sweep(Invocation& call, const std::string& path, Maker& maker) {
  WALRIG_ASSIGN(const std::vector<Target> targets, Targets(call, path));
  for (const Target& target : targets) {
    if (target.kind != "storage") continue;
    WALRIG_ASSIGN(const size_t count, conformance::SweepStorage(maker.StorageOf(target)));
    call.out.Line(fmt::format("{}: {} objects of earlier runs deleted", target.name, count));
  }
  return ExitCode::kOk;
}

Result<ExitCode> RunPluginCheck(Invocation& call) {
  std::error_code error;
  const std::string path = std::filesystem::canonical(call.Argument(0), error).string();
  if (error) return NotFound(call.Argument(0) + ": " + error.message());
  WALRIG_ASSIGN(const auto maker, Maker::New(call, path));
  if (call.Has("sweep")) return Sweep(call, path, *maker);
  WALRIG_ASSIGN(std::vector<Check> checks, AllChecks(call, path, *maker));
  if (call.Has("one")) return RunOne(call, checks);
  WALRIG_ASSIGN(checks, Select(std::move(checks),
                               {.level_max = std::stoi(call.Text("level", "2")), .filter = call.Text("filter")}));
  if (call.Has("list")) {
    for (const Check& check : checks) call.out.Line(fmt::format("L{} {}", check.level, check.name));
    return ExitCode::kOk;
  }
  WALRIG_ASSIGN(const uint64_t timeout_s, ParseUint(call.Text("timeout", "120")));
  if (timeout_s == 0 || timeout_s > kTimeoutMaxS) return UsageError(call, "--timeout: 1 to 604800 seconds are possible");
  std::vector<CheckResult> results;
  for (const Check& check : checks) {
    WALRIG_TRY(call.ctx.Poll());
    results.push_back(call.Has("in-process") ? RunHere(check)
                                             : RunInChild(call.ctx, check, ChildCommand(call, path), timeout_s * 1000));
  }
  const std::string format = call.Has("json") ? "json" : call.Text("format", "text");
  const std::string subject = std::filesystem::path(path).filename().string();
  call.out.Write(format == "tap"     ? ReportTap(results)
                 : format == "junit" ? ReportJunit(results, subject)
                 : format == "json"  ? ReportJson(results, subject)
                                     : ReportText(results, subject));
  bool failed = false, passed = false;
  for (const CheckResult& result : results) {
    failed = failed || result.verdict.kind() == conformance::Verdict::Kind::kFail;
    passed = passed || result.verdict.kind() != conformance::Verdict::Kind::kSkip;
  }
  if (!failed && !passed) return ExitCode::kAllSkipped;
  return failed ? ExitCode::kError : ExitCode::kOk;
}

constexpr Command kPluginCheckCommand = {
    .name = "plugin check",
    .summary = "Prove a plugin with the conformance kit",
    .arguments = "FILE",
    .description =
        "Loads the file and runs the kit's checks, each in a process of its own. A storage needs an\n"
        "empty place of its own: walrig plugin check ./storage-acme.so -o endpoint=http://127.0.0.1:9000\n"
        "Level 2 puts a fault proxy before a storage that has an option endpoint, when that is plain HTTP.\n"
        "Exit 0 when all passed, 1 when one failed, 77 when all were skipped.",
    .options = kPluginCheckOptions,
    .arguments_min = 1,
    .arguments_max = 1,
    .hint = ArgumentHint::kFile,
    .run = RunPluginCheck,
};

}  // namespace

const Command& PluginCheckCommand() { return kPluginCheckCommand; }

}  // namespace walrig
