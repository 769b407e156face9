// SPDX-License-Identifier: MIT-0
// ModuleInfo: what a plugin says about itself, copied out of its tables with every pointer, count and length checked.
//
// Used at both ends of the probe: the small program that loads an unknown file writes it as JSON, the core keeps it in
// the manifest. A plugin that lies about sizes or leaves out what is mandatory gets kCorruption naming the member; one
// that was made for another ABI gets kNotSupported.
//
// THREADS: values and pure functions.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/abi/entry.h"
#include "walrig/options.h"
#include "walrig/result.h"

namespace walrig {

enum class PluginKind : uint32_t { kStorage = 1, kCompressor = 2, kCipher = 3, kTransport = 4 };

constexpr std::string_view KindName(PluginKind kind) {
  switch (kind) {
    case PluginKind::kStorage: return "storage";
    case PluginKind::kCompressor: return "compressor";
    case PluginKind::kCipher: return "cipher";
    case PluginKind::kTransport: return "transport";
  }
  return "unknown";
}

struct FactoryInfo {
  PluginKind kind = PluginKind::kStorage;
  std::string name;
  std::vector<std::string> aliases;
  std::vector<std::string> extensions;  // of object names, without the dot; the first one is written
  std::string description;
  uint64_t caps = 0;
  std::vector<OptionSpec> options;
};

struct ModuleInfo {
  std::string id, version, description, url, vendor, license, build;
  uint32_t abi_major = 0, abi_minor = 0, min_host_minor = 0;
  uint64_t flags = 0;
  std::vector<FactoryInfo> factories;
};

// Bounds of what a table may hold: far above need, far below what would hurt.
inline constexpr size_t kPluginTextBytesMax = 4096;
inline constexpr size_t kPluginListMax = 256;
inline constexpr uint32_t kPluginOptionsMax = 1024;

// "s3", "lzma", "aes256-gcm": what may be typed, and stand in a file name.
inline bool IsPluginName(std::string_view name) {
  if (name.empty() || name.size() > 64 || name[0] < 'a' || name[0] > 'z') return false;
  for (const char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) return false;
  return true;
}

namespace module_info_detail {

inline Status CopyText(const char* text, std::string_view member, bool mandatory, std::string* out) {
  out->clear();
  if (text == nullptr) {
    return mandatory ? Corruption("the plugin's table has no " + std::string(member)) : OkStatus();
  }
  const size_t length = strnlen(text, kPluginTextBytesMax + 1);
  if (length > kPluginTextBytesMax) return Corruption(std::string(member) + " is longer than 4096 bytes");
  if (mandatory && length == 0) return Corruption("the plugin's " + std::string(member) + " is empty");
  out->assign(text, length);
  return OkStatus();
}

inline Status CopyList(const char* const* list, std::string_view member, std::vector<std::string>* out) {
  out->clear();
  if (list == nullptr) return OkStatus();
  for (size_t i = 0; list[i] != nullptr; ++i) {
    if (i == kPluginListMax) return Corruption(std::string(member) + " has no terminating null within 256 entries");
    std::string text;
    WALRIG_TRY(CopyText(list[i], member, true, &text));
    out->push_back(std::move(text));
  }
  return OkStatus();
}

inline Status CopyOption(const walrig_option& from, OptionSpec* to) {
  WALRIG_TRY(CopyText(from.name, "option name", true, &to->name));
  if (from.type < WALRIG_OPT_STRING || from.type > WALRIG_OPT_LIST) {
    return NotSupported("option " + to->name + " has type " + std::to_string(from.type) + ", unknown to this host");
  }
  to->type = static_cast<OptionType>(from.type);
  to->required = (from.flags & WALRIG_OPTF_REQUIRED) != 0;
  to->secret = (from.flags & WALRIG_OPTF_SECRET) != 0;
  to->advanced = (from.flags & WALRIG_OPTF_ADVANCED) != 0;
  to->deprecated = (from.flags & WALRIG_OPTF_DEPRECATED) != 0;
  to->test_only = (from.flags & WALRIG_OPTF_TEST_ONLY) != 0;
  WALRIG_TRY(CopyList(from.aliases, "option aliases", &to->aliases));
  WALRIG_TRY(CopyList(from.settings, "option settings", &to->settings));
  to->has_default = from.default_text != nullptr;
  WALRIG_TRY(CopyText(from.default_text, "option default", false, &to->default_text));
  WALRIG_TRY(CopyList(from.choices, "option choices", &to->choices));
  WALRIG_TRY(CopyText(from.min_text, "option minimum", false, &to->min_text));
  WALRIG_TRY(CopyText(from.max_text, "option maximum", false, &to->max_text));
  WALRIG_TRY(CopyText(from.help, "option help", false, &to->help));
  WALRIG_TRY(CopyText(from.group, "option group", false, &to->group));
  WALRIG_TRY(CopyText(from.replaced_by, "option replacement", false, &to->replaced_by));
  if (to->secret && to->has_default) return Corruption("secret option " + to->name + " has a default");
  return OkStatus();
}

inline Status CopyOptions(const walrig_factory& factory, std::vector<OptionSpec>* out) {
  if (factory.option_count == 0) return OkStatus();
  if (factory.options == nullptr || factory.option_count > kPluginOptionsMax ||
      factory.option_stride < WALRIG_OPTION_SIZE_1_0 || factory.option_stride > 16 * sizeof(walrig_option) ||
      factory.option_stride % alignof(walrig_option) != 0) {
    return Corruption("the table of options has an impossible count or stride");
  }
  const char* at = reinterpret_cast<const char*>(factory.options);
  for (uint32_t i = 0; i < factory.option_count; ++i, at += factory.option_stride) {
    const auto* option = reinterpret_cast<const walrig_option*>(at);
    if (option->struct_size < WALRIG_OPTION_SIZE_1_0) return Corruption("an option is shorter than in ABI 1.0");
    WALRIG_TRY(CopyOption(*option, &out->emplace_back()));
  }
  return OkStatus();
}

inline Status CopyFactory(const walrig_factory* from, FactoryInfo* to) {
  to->kind = static_cast<PluginKind>(from->kind);
  WALRIG_TRY(CopyText(from->name, "factory name", true, &to->name));
  if (!IsPluginName(to->name)) return Corruption("a factory's name is not of the form [a-z][a-z0-9_-]*");
  WALRIG_TRY(CopyList(from->aliases, "aliases", &to->aliases));
  WALRIG_TRY(CopyList(from->extensions, "extensions", &to->extensions));
  WALRIG_TRY(CopyText(from->description, "factory description", false, &to->description));
  to->caps = from->caps;
  if (from->create == nullptr || from->destroy == nullptr || from->iface == nullptr) {
    return Corruption("factory " + to->name + " lacks create, destroy or iface");
  }
  return CopyOptions(*from, &to->options).With(to->name);
}

}  // namespace module_info_detail

// Magic, major, minors and table length. FAILS WITH: kNotSupported (another ABI; the message says which side is too
// old), kCorruption (not a module table at all).
inline Status NegotiateModule(const walrig_module* module, uint32_t host_minor) {
  if (module == nullptr) return Corruption("the entry function returned no module");
  if (module->magic != WALRIG_ABI_MAGIC) return Corruption("the module's magic number is wrong");
  if (module->abi_major != WALRIG_ABI_MAJOR) {
    return NotSupported("made for plugin ABI " + std::to_string(module->abi_major) + "." +
                        std::to_string(module->abi_minor) + ", this host speaks major " +
                        std::to_string(WALRIG_ABI_MAJOR));
  }
  if (module->min_host_minor > host_minor) {
    return NotSupported("needs a host with plugin ABI 1." + std::to_string(module->min_host_minor) +
                        " or newer, this one has 1." + std::to_string(host_minor))
        .Hint("upgrade walrig, or install an older version of the plugin");
  }
  if (module->struct_size < WALRIG_MODULE_SIZE_1_0) return Corruption("the module's table is shorter than in ABI 1.0");
  return OkStatus();
}

// The whole of it. Factories of kinds that this host does not know are left out: a newer plugin may make more than an
// older host can use. FAILS WITH: as NegotiateModule, kCorruption for what is malformed, kNotSupported when no factory
// is left.
inline Result<ModuleInfo> ReadModule(const walrig_module* module, uint32_t host_minor = WALRIG_ABI_MINOR) {
  using namespace module_info_detail;
  WALRIG_TRY(NegotiateModule(module, host_minor));
  ModuleInfo info;
  info.abi_major = module->abi_major;
  info.abi_minor = module->abi_minor;
  info.min_host_minor = module->min_host_minor;
  info.flags = module->flags;
  WALRIG_TRY(CopyText(module->id, "module id", true, &info.id));
  WALRIG_TRY(CopyText(module->version, "module version", true, &info.version));
  WALRIG_TRY(CopyText(module->license, "module license", true, &info.license));
  WALRIG_TRY(CopyText(module->description, "module description", false, &info.description));
  WALRIG_TRY(CopyText(module->url, "module url", false, &info.url));
  WALRIG_TRY(CopyText(module->vendor, "module vendor", false, &info.vendor));
  WALRIG_TRY(CopyText(module->build, "module build", false, &info.build));
  if (module->factories == nullptr || module->factories[0] == nullptr) return Corruption("the module has no factory");
  for (size_t i = 0; module->factories[i] != nullptr; ++i) {
    if (i == kPluginListMax) return Corruption("the list of factories has no end within 256 entries");
    const walrig_factory* factory = module->factories[i];
    if (factory->struct_size < WALRIG_FACTORY_SIZE_1_0) return Corruption("a factory is shorter than in ABI 1.0");
    if (factory->kind == 0) return Corruption("a factory has no kind");
    if (factory->kind > WALRIG_KIND_TRANSPORT) continue;
    WALRIG_TRY(CopyFactory(factory, &info.factories.emplace_back()));
  }
  if (info.factories.empty()) return NotSupported("all that the plugin makes is of kinds unknown to this host");
  return info;
}

}  // namespace walrig
