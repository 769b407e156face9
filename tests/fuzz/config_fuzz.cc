// Any bytes as a configuration file of each form, and what they set as values of the settings they name.
#include <string>

#include "core/config/config_file.h"
#include "core/config/settings.h"
#include "tests/fuzz/fuzz_support.h"

namespace walrig::fuzz {
namespace {

void Use(const std::vector<ConfigEntry>& entries) {
  Settings settings;
  for (const ConfigEntry& entry : entries) {
    settings.Put(entry.key, {entry.text, SettingOrigin::kFile, "file"});
    if (const KeySpec* key = FindKey(entry.key)) {
      if (const Status status = settings.Check(*key); !status.ok()) CheckMessage(status);
      WALRIG_ASSERT(settings.Find(key->name).has_value());
    } else {
      (void)NearestKey(entry.key);
    }
  }
  (void)settings.SecretValues();
}

}  // namespace
}  // namespace walrig::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  const std::string_view text = AsText({data, size_bytes});
  (void)FormatOfConfig("walg", text);
  for (const ConfigFormat format : {ConfigFormat::kJson, ConfigFormat::kYaml, ConfigFormat::kEnv}) {
    const auto entries = ParseConfig(format, text, "file");
    if (entries.ok()) {
      Use(*entries);
    } else {
      WALRIG_ASSERT(entries.status().code() == Code::kConfig);
      CheckMessage(entries.status());
    }
  }
  return 0;
}
