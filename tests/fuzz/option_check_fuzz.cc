// Any text as --storage=NAME,key=value... and as the value of an option of every type.
#include <string>

#include "core/plugin/option_check.h"
#include "tests/fuzz/fuzz_support.h"

namespace walrig::fuzz {
namespace {

OptionSpec SpecOf(OptionType type, bool bounded) {
  OptionSpec spec;
  spec.name = "option";
  spec.aliases = {"other"};
  spec.settings = {"WALRIG_OPTION"};
  spec.type = type;
  spec.choices = {"off", "On", "full"};
  if (bounded && type == OptionType::kTime) spec.min_text = "1ms", spec.max_text = "1h";
  if (bounded && type == OptionType::kSize) spec.min_text = "1kB", spec.max_text = "1GiB";
  if (bounded && (type == OptionType::kInt || type == OptionType::kUint || type == OptionType::kFloat)) {
    spec.min_text = "1";
    spec.max_text = "100";
  }
  return spec;
}

void CheckValue(std::string_view text) {
  for (int number = static_cast<int>(OptionType::kString); number <= static_cast<int>(OptionType::kList); ++number) {
    const auto type = static_cast<OptionType>(number);
    for (const bool bounded : {false, true}) {
      const OptionSpec spec = SpecOf(type, bounded);
      const auto canonical = CanonicalOption(spec, text);
      if (!canonical.ok()) {
        CheckMessage(canonical.status());
        continue;
      }
      WALRIG_ASSERT(canonical->find('\0') == std::string::npos);
      // Nanoseconds without a unit are for plugins, no user may write them.
      if (type == OptionType::kTime) continue;
      const auto again = CanonicalOption(spec, *canonical);
      WALRIG_ASSERT(again.ok());
      WALRIG_ASSERT(*again == *canonical);
    }
  }
}

}  // namespace
}  // namespace walrig::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  const std::string_view text = AsText({data, size_bytes});
  CheckValue(text);
  const auto plugin = ParsePluginSpec(text);
  if (!plugin.ok()) {
    CheckMessage(plugin.status());
    return 0;
  }
  for (const auto& [key, value] : plugin->values) CheckValue(value);
  for (const OptionType type : {OptionType::kString, OptionType::kUint, OptionType::kEnum}) {
    const OptionSpec specs[] = {SpecOf(type, false)};
    const auto checked = CheckOptions("storage/x", specs, plugin->values, [&](std::string_view) { return std::string(text); });
    if (!checked.ok()) CheckMessage(checked.status());
  }
  return 0;
}
