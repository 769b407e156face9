// OptionCheck: turns what a user typed, and what settings say, into the canonical values that a plugin gets.
//
// The plugin's schema decides: types, units, ranges, choices, aliases, what is required. Precedence: the explicit value
// (--storage=NAME,key=value), the first of the option's settings that is set, the default. A secret is not taken from
// the command line, where every user of the machine can read it: it comes from a setting, or the option names where it
// stands: "file:/path", "env:NAME" or "credential:NAME" (in $CREDENTIALS_DIRECTORY).
//
// THREADS: pure but for reading a secret's file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/options.h"
#include "walrig/result.h"

namespace walrig {

// The value of a setting by its name, with the configuration's precedence; nothing when it is not set.
using SettingLookup = std::function<std::optional<std::string>(std::string_view setting)>;

// Where a value stood, for who starts another process that shall find the same.
struct OptionOrigin {
  enum class Kind : uint8_t {
    kSetting,       // `name` is the setting
    kEnvironment,   // env:NAME; `name` is the variable
    kCredential,    // credential:NAME, of the service manager
    kRelativePath,  // stands in the line itself and means another file elsewhere; `name` is the option
  };
  Kind kind = Kind::kSetting;
  std::string name;
  bool secret = false;
  bool path = false;
};

struct CheckedOptions {
  OptionValues values;                 // canonical, by the options' own names, defaults filled in
  std::vector<std::string> secrets;    // values to be blotted out of logs
  std::vector<std::string> warnings;   // deprecated options
  std::vector<OptionOrigin> origins;   // of what did not stand in the explicit values as it is
};

// `plugin` ("storage/s3") is for messages. FAILS WITH: kConfig naming option, value and what is allowed; a secret's
// value is never named.
Result<CheckedOptions> CheckOptions(std::string_view plugin, std::span<const OptionSpec> specs,
                                    const OptionValues& explicit_values, const SettingLookup& lookup);

// One value by itself: canonical text. FAILS WITH: kConfig.
Result<std::string> CanonicalOption(const OptionSpec& spec, std::string_view text);

// "fs,prefix=/backup,sync=off": a backslash takes the meaning of a comma, equals sign or backslash away.
struct PluginSpec {
  std::string name;
  OptionValues values;
};
Result<PluginSpec> ParsePluginSpec(std::string_view text);

}  // namespace walrig
