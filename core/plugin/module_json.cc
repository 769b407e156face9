// ModuleInfo to and from JSON: the probe's answer, `plugin info --json`.
#include "core/plugin/catalogue.h"

namespace walrig {
namespace {

constexpr std::string_view kWhat = "description of a plugin";

Result<OptionType> ParseOptionType(std::string_view text) {
  for (uint32_t i = 1; i <= 10; ++i) {
    if (text == OptionTypeName(static_cast<OptionType>(i))) return static_cast<OptionType>(i);
  }
  return Corruption("unknown type of an option");
}

Json ListToJson(const std::vector<std::string>& list) {
  Json json = Json::array();
  for (const std::string& text : list) json.push_back(text);
  return json;
}

Result<std::vector<std::string>> ListFromJson(const Json& object, std::string_view key) {
  const Json* list = JsonFind(object, key);
  std::vector<std::string> texts;
  if (list == nullptr) return texts;
  if (!list->is_array() || list->size() > kPluginListMax) return Corruption(std::string(key) + " is no list");
  for (const Json& item : *list) {
    if (!item.is_string()) return Corruption(std::string(key) + " holds something else than text");
    texts.push_back(item.get_ref<const std::string&>());
  }
  return texts;
}

Status TextFromJson(const Json& object, std::string_view key, std::string* out) {
  WALRIG_ASSIGN(auto text, JsonOptionalString(object, key, kWhat));
  *out = text.value_or("");
  return OkStatus();
}

Status FlagFromJson(const Json& object, std::string_view key, bool* out) {
  WALRIG_ASSIGN(auto flag, JsonOptionalBool(object, key, kWhat));
  *out = flag.value_or(false);
  return OkStatus();
}

Json OptionToJson(const OptionSpec& option) {
  Json json = Json::object();
  json["name"] = option.name;
  json["type"] = OptionTypeName(option.type);
  json["default"] = option.has_default ? Json(option.default_text) : Json(nullptr);
  json["required"] = option.required;
  json["secret"] = option.secret;
  json["advanced"] = option.advanced;
  json["deprecated"] = option.deprecated;
  json["test_only"] = option.test_only;
  json["aliases"] = ListToJson(option.aliases);
  json["settings"] = ListToJson(option.settings);
  json["choices"] = ListToJson(option.choices);
  json["min"] = option.min_text;
  json["max"] = option.max_text;
  json["help"] = option.help;
  json["group"] = option.group;
  json["replaced_by"] = option.replaced_by;
  return json;
}

Result<OptionSpec> OptionFromJson(const Json& json) {
  OptionSpec option;
  WALRIG_ASSIGN(option.name, JsonString(json, "name", kWhat));
  WALRIG_ASSIGN(const std::string type, JsonString(json, "type", kWhat));
  WALRIG_ASSIGN(option.type, ParseOptionType(type));
  WALRIG_ASSIGN(auto default_text, JsonOptionalString(json, "default", kWhat));
  option.has_default = default_text.has_value();
  option.default_text = default_text.value_or("");
  WALRIG_TRY(FlagFromJson(json, "required", &option.required));
  WALRIG_TRY(FlagFromJson(json, "secret", &option.secret));
  WALRIG_TRY(FlagFromJson(json, "advanced", &option.advanced));
  WALRIG_TRY(FlagFromJson(json, "deprecated", &option.deprecated));
  WALRIG_TRY(FlagFromJson(json, "test_only", &option.test_only));
  WALRIG_ASSIGN(option.aliases, ListFromJson(json, "aliases"));
  WALRIG_ASSIGN(option.settings, ListFromJson(json, "settings"));
  WALRIG_ASSIGN(option.choices, ListFromJson(json, "choices"));
  WALRIG_TRY(TextFromJson(json, "min", &option.min_text));
  WALRIG_TRY(TextFromJson(json, "max", &option.max_text));
  WALRIG_TRY(TextFromJson(json, "help", &option.help));
  WALRIG_TRY(TextFromJson(json, "group", &option.group));
  WALRIG_TRY(TextFromJson(json, "replaced_by", &option.replaced_by));
  return option;
}

Json FactoryToJson(const FactoryInfo& factory) {
  Json json = Json::object();
  json["kind"] = KindName(factory.kind);
  json["name"] = factory.name;
  json["aliases"] = ListToJson(factory.aliases);
  json["extensions"] = ListToJson(factory.extensions);
  json["description"] = factory.description;
  json["caps"] = factory.caps;
  json["can"] = ListToJson(CapabilityNames(factory.kind, factory.caps));
  json["options"] = Json::array();
  for (const OptionSpec& option : factory.options) json["options"].push_back(OptionToJson(option));
  return json;
}

Result<FactoryInfo> FactoryFromJson(const Json& json) {
  FactoryInfo factory;
  WALRIG_ASSIGN(const std::string kind, JsonString(json, "kind", kWhat));
  WALRIG_ASSIGN(factory.kind, ParseKind(kind));
  WALRIG_ASSIGN(factory.name, JsonString(json, "name", kWhat));
  if (!IsPluginName(factory.name)) return Corruption("a factory's name is not of the form [a-z][a-z0-9_-]*");
  WALRIG_ASSIGN(factory.aliases, ListFromJson(json, "aliases"));
  WALRIG_ASSIGN(factory.extensions, ListFromJson(json, "extensions"));
  WALRIG_TRY(TextFromJson(json, "description", &factory.description));
  WALRIG_ASSIGN(factory.caps, JsonUint(json, "caps", kWhat));
  const Json* options = JsonFind(json, "options");
  if (options == nullptr || !options->is_array() || options->size() > kPluginOptionsMax) {
    return Corruption("a factory's options are no list");
  }
  for (const Json& item : *options) {
    WALRIG_ASSIGN(OptionSpec option, OptionFromJson(item));
    factory.options.push_back(std::move(option));
  }
  return factory;
}

Result<uint32_t> NumberFromJson(const Json& json, std::string_view key) {
  WALRIG_ASSIGN(const uint64_t number, JsonUint(json, key, kWhat));
  if (number > UINT16_MAX) return Corruption(std::string(key) + " is out of range");
  return static_cast<uint32_t>(number);
}

}  // namespace

Json ModuleToJson(const ModuleInfo& module) {
  Json json = Json::object();
  json["id"] = module.id;
  json["version"] = module.version;
  json["abi_major"] = module.abi_major;
  json["abi_minor"] = module.abi_minor;
  json["min_host_minor"] = module.min_host_minor;
  json["flags"] = module.flags;
  json["license"] = module.license;
  json["vendor"] = module.vendor;
  json["url"] = module.url;
  json["description"] = module.description;
  json["build"] = module.build;
  json["factories"] = Json::array();
  for (const FactoryInfo& factory : module.factories) json["factories"].push_back(FactoryToJson(factory));
  return json;
}

Result<ModuleInfo> ModuleFromJson(const Json& json) {
  ModuleInfo module;
  WALRIG_ASSIGN(module.id, JsonString(json, "id", kWhat));
  WALRIG_ASSIGN(module.version, JsonString(json, "version", kWhat));
  WALRIG_ASSIGN(module.abi_major, NumberFromJson(json, "abi_major"));
  WALRIG_ASSIGN(module.abi_minor, NumberFromJson(json, "abi_minor"));
  WALRIG_ASSIGN(module.min_host_minor, NumberFromJson(json, "min_host_minor"));
  WALRIG_ASSIGN(module.flags, JsonUint(json, "flags", kWhat));
  WALRIG_ASSIGN(module.license, JsonString(json, "license", kWhat));
  WALRIG_TRY(TextFromJson(json, "vendor", &module.vendor));
  WALRIG_TRY(TextFromJson(json, "url", &module.url));
  WALRIG_TRY(TextFromJson(json, "description", &module.description));
  WALRIG_TRY(TextFromJson(json, "build", &module.build));
  const Json* factories = JsonFind(json, "factories");
  if (factories == nullptr || !factories->is_array() || factories->empty() || factories->size() > kPluginListMax) {
    return Corruption("a plugin's factories are no list");
  }
  for (const Json& item : *factories) {
    WALRIG_ASSIGN(FactoryInfo factory, FactoryFromJson(item));
    module.factories.push_back(std::move(factory));
  }
  return module;
}

}  // namespace walrig
