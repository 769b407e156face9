// The three forms of a configuration file: JSON, YAML and env.
//
// All are a flat map from names to texts. JSON: one object. YAML: one map; anchors work, tags have no effect. Env:
// lines NAME=VALUE or NAME: VALUE, an optional "export" before, comments from '#', values in '...' as they are or in
// "..." with \n, \r, \t, \" and \\; other than in WAL-G "$" is an ordinary character, so that a password may hold one.
//
// THREADS: any; pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/result.h"

namespace walrig {

inline constexpr uint64_t kConfigBytesMax = 1u << 20;

enum class ConfigFormat : uint8_t { kJson, kYaml, kEnv };

// By extension (.json, .yaml, .yml, .env, .dotenv), by content when there is none.
// FAILS WITH: kConfig for a format of WAL-G's that is not read here (toml, hcl, ini, properties).
Result<ConfigFormat> FormatOfConfig(std::string_view path, std::string_view text);

struct ConfigEntry {
  std::string key;
  std::string text;
  uint32_t line = 0;  // from 1; 0 when the format does not tell
};

// Pure; for the loader and the fuzzer. Any bytes give entries or kConfig naming `path` and, where the
// format tells, the line. A null counts as not there; maps and lists become their JSON text.
Result<std::vector<ConfigEntry>> ParseConfig(ConfigFormat format, std::string_view text, std::string_view path);

}  // namespace walrig
