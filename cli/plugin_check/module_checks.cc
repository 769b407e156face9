#include "cli/plugin_check/module_checks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <regex>

#include "cli/plugin_check/dynamic_symbols.h"
#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/plugin/catalogue.h"
#include "core/plugin/elf_note.h"
#include "core/plugin/loader.h"
#include "core/plugin/option_check.h"
#include "sdk/conformance/support.h"
#include "walrig/result.h"

namespace walrig {
namespace {

using conformance::Check;
using conformance::LookAtProcess;
using conformance::ProcessState;
using conformance::Verdict;

Result<ElfInfo> Elf(const std::string& path) {
  WALRIG_ASSIGN(const Fd fd, OpenFd(path, O_RDONLY));
  return ReadElf(fd.get(), path);
}

Result<LoadedModule*> Load(const std::string& path) {
  static const TrustPolicy any{.level = TrustLevel::kAny, .euid = 0, .allow_group = "", .trusted_root = "/"};
  static Loader loader;
  static conformance::KitContext context;
  return loader.Load(context, {.path = path, .known = nullptr, .trust = &any, .pins = nullptr, .lock_path = ""});
}

void FileIsHardened(Verdict& verdict, const std::string& path) {
  KIT_ASSIGN(const ElfInfo elf, Elf(path));
  KIT_EXPECT(IsHostElf(elf), "it is built for another machine");
  KIT_EXPECT(!elf.static_tls, "it needs static TLS, which runs out: build without -ftls-model=initial-exec");
  KIT_EXPECT(!elf.textrel, "it has text relocations: build with -fPIC");
  KIT_EXPECT(!elf.exec_stack, "it asks for an executable stack");
  KIT_EXPECT(elf.rpath.empty(), "it has an RPATH: " + elf.rpath);
  KIT_EXPECT(elf.runpath.empty() || elf.runpath.starts_with("$ORIGIN"), "it has an absolute RUNPATH: " + elf.runpath);
  if (!elf.bind_now) verdict.Warn("not linked with -z now: a missing symbol shows in mid-backup");
}

void FileIsNotWritableByOthers(Verdict& verdict, const std::string& path) {
  struct stat st {};
  KIT_EXPECT(stat(path.c_str(), &st) == 0, "it cannot be looked at");
  KIT_EXPECT((st.st_mode & 022) == 0, "group or others may write to it");
}

void ExportsOnlyTheEntry(Verdict& verdict, const std::string& path) {
  KIT_ASSIGN(const DynamicSymbols symbols, ReadDynamicSymbols(path));
  KIT_EXPECT(symbols.unique == 0,
             fmt::format("{} symbols are unique in the process (STB_GNU_UNIQUE): link with the SDK's version script",
                         symbols.unique));
  KIT_EXPECT(symbols.exported.size() == 1 && symbols.exported[0] == WALRIG_ENTRY_SYMBOL,
             fmt::format("it exports {} symbols instead of {} alone: link with the SDK's version script",
                         symbols.exported.size(), WALRIG_ENTRY_SYMBOL));
}

void NoteAgreesWithTheModule(Verdict& verdict, const std::string& path) {
  KIT_ASSIGN(const ElfInfo elf, Elf(path));
  KIT_EXPECT(elf.note.has_value(), "it has no ELF note: use WALRIG_PLUGIN_NOTE once, at file scope");
  KIT_ASSIGN(const LoadedModule* module, Load(path));
  const PluginNote& note = *elf.note;
  KIT_EXPECT(note.id == module->info.id, "the note's id is " + note.id + ", the module's " + module->info.id);
  KIT_EXPECT(note.version == module->info.version,
             "the note's version is " + note.version + ", the module's " + module->info.version);
  KIT_EXPECT(note.license == module->info.license,
             "the note's license is " + note.license + ", the module's " + module->info.license);
  for (const FactoryInfo& factory : module->info.factories) {
    KIT_EXPECT(note.Provides(KindName(factory.kind), factory.name), "the note does not name " + factory.name);
  }
  for (const auto& provided : note.provides) {
    const std::string& kind = provided.first;  // no structured binding: clang 14 lets no lambda capture one
    const std::string& name = provided.second;
    const bool known =
        std::any_of(module->info.factories.begin(), module->info.factories.end(), [&](const auto& factory) {
          const auto& aliases = factory.aliases;
          return KindName(factory.kind) == kind &&
                 (factory.name == name || std::find(aliases.begin(), aliases.end(), name) != aliases.end());
        });
    KIT_EXPECT(known, "the note names " + kind + " " + name + ", which the module does not have");
  }
}

void ModuleDescribesItself(Verdict& verdict, const std::string& path) {
  KIT_ASSIGN(const LoadedModule* module, Load(path));
  const ModuleInfo& info = module->info;
  KIT_EXPECT(std::regex_match(info.id, std::regex("[a-z0-9-]+(\\.[A-Za-z0-9_-]+)+")),
             "the id '" + info.id + "' is not a reverse domain");
  KIT_EXPECT(std::regex_match(info.version, std::regex("[0-9]+\\.[0-9]+\\.[0-9]+([-+.][0-9A-Za-z.+-]+)?")),
             "the version '" + info.version + "' is not semantic");
  KIT_EXPECT(std::regex_match(info.license, std::regex("[A-Za-z0-9.+()-]+( (AND|OR|WITH) [A-Za-z0-9.+()-]+)*")),
             "the license '" + info.license + "' is not an SPDX expression");
  KIT_EXPECT(!info.factories.empty(), "it makes nothing");
  for (const FactoryInfo& factory : info.factories) {
    KIT_EXPECT(std::regex_match(factory.name, std::regex("[a-z][a-z0-9_-]*")),
               "the name '" + factory.name + "' is not legal");
    KIT_EXPECT(!factory.description.empty(), factory.name + " has no description");
  }
}

void OptionsAreSane(Verdict& verdict, const std::string& path) {
  KIT_ASSIGN(const LoadedModule* module, Load(path));
  for (const FactoryInfo& factory : module->info.factories) {
    for (const OptionSpec& option : factory.options) {
      const std::string where = factory.name + ", option " + option.name;
      KIT_EXPECT(std::regex_match(option.name, std::regex("[a-z][a-z0-9_]*")), where + ": the name is not legal");
      KIT_EXPECT(!option.help.empty(), where + " has no help");
      KIT_EXPECT(!(option.secret && option.has_default), where + ": a secret has a default");
      KIT_EXPECT(!(option.required && option.has_default), where + ": a required option has a default");
      KIT_EXPECT(option.type != OptionType::kEnum || !option.choices.empty(), where + ": an enum without choices");
      if (option.has_default) {
        auto canonical = CanonicalOption(option, option.default_text);
        KIT_EXPECT(canonical.ok(), where + ": the default is refused: " + canonical.status().ToString());
      }
    }
  }
}

void LoadingChangesNothing(Verdict& verdict, const std::string& path) {
  const ProcessState before = LookAtProcess();
  const uint64_t start_ns = RealClock().MonotonicNs();
  KIT_ASSIGN([[maybe_unused]] const LoadedModule* module, Load(path));
  const double load_ms = static_cast<double>(RealClock().MonotonicNs() - start_ns) / 1e6;
  const ProcessState after = LookAtProcess();
  KIT_EXPECT(before.threads == after.threads, "loading starts threads");
  KIT_EXPECT(before.dispositions == after.dispositions, "loading changes signal dispositions");
  KIT_EXPECT(before.environment == after.environment, "loading changes the environment");
  KIT_EXPECT(before.locale == after.locale, "loading changes the locale");
  KIT_EXPECT(before.umask_bits == after.umask_bits, "loading changes the umask");
  KIT_EXPECT(before.working_directory == after.working_directory, "loading changes the working directory");
  // Machines under load are slow at times; what is far beyond the budget is not the machine.
  KIT_EXPECT(load_ms < 200, fmt::format("loading takes {:.1f} ms", load_ms));
  if (load_ms > 20) verdict.Warn(fmt::format("loading takes {:.1f} ms; the budget is 2", load_ms));
}

}  // namespace

Result<ModuleInfo> LoadModuleInfo(const std::string& path) {
  WALRIG_ASSIGN(const LoadedModule* module, Load(path));
  return module->info;
}

std::vector<Check> ModuleChecks(const std::string& path) {
  std::vector<Check> checks;
  const auto add = [&](const char* name, void (*body)(Verdict&, const std::string&)) {
    checks.push_back({name, 0, [path, body](Verdict& verdict) { body(verdict, path); }});
  };
  add("file/is_hardened", FileIsHardened);
  add("file/is_not_writable_by_others", FileIsNotWritableByOthers);
  add("file/exports_only_the_entry", ExportsOnlyTheEntry);
  add("module/note_agrees_with_the_module", NoteAgreesWithTheModule);
  add("module/describes_itself", ModuleDescribesItself);
  add("module/options_are_sane", OptionsAreSane);
  add("module/loading_changes_nothing", LoadingChangesNothing);
  return checks;
}

}  // namespace walrig
