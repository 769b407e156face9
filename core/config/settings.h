// Settings: the values that a run works with, each with the place it came from.
//
// A Settings is filled once by core/config/load.h before any thread exists, and only read afterwards.
// Text never holds a trailing CR or LF. A key may be named in any of its spellings (core/config/keys.h).
//
// THREADS: const methods from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/keys.h"
#include "walrig/result.h"

namespace walrig {

// Ascending precedence.
enum class SettingOrigin : uint8_t { kDefault, kFile, kEnvironment, kFlag };

struct SettingValue {
  std::string text;
  SettingOrigin origin = SettingOrigin::kDefault;
  std::string where;  // "flag --walg-file-prefix", "environment WALG_FILE_PREFIX", "/etc/walg.yaml:3", "default"
};

class Settings {
 public:
  // The value, or the table's default, or nothing. For a name that is not in the table: what a file or the environment
  // says under exactly this name, so that plugins of other houses can bring settings of their own.
  std::optional<SettingValue> Find(std::string_view key) const;
  // As Find, without defaults: what somebody asked for.
  std::optional<SettingValue> FindExplicit(std::string_view key) const;
  bool Has(std::string_view key) const { return FindExplicit(key).has_value(); }

  // The value or default as text; "" when there is none.
  std::string Text(std::string_view key) const;
  // Typed values. A key without value and without default gives 0 or false: ask Has() first where that matters.
  // FAILS WITH: kConfig naming key, value and origin (a secret's value is not named).
  Result<bool> Bool(std::string_view key) const;
  Result<int64_t> Int(std::string_view key) const;
  Result<uint64_t> Number(std::string_view key) const;
  Result<double> Float(std::string_view key) const;
  Result<uint64_t> Size(std::string_view key) const;
  Result<int64_t> DurationNs(std::string_view key) const;
  // Lower-cased, checked against the key's choices.
  Result<std::string> Choice(std::string_view key) const;

  // Checks the value of a key against its type, whatever the type.
  Status Check(const KeySpec& key) const;

  // Values of all secrets that are set, for Logger::RegisterSecret.
  std::vector<std::string> SecretValues() const;
  // The file that was read; "" when none.
  const std::string& config_path() const { return config_path_; }
  void set_config_path(std::string path) { config_path_ = std::move(path); }

  // For load.cc and tests: puts a value unless one of higher precedence is there. `name` is a spelling or unknown.
  void Put(std::string_view name, SettingValue value);

 private:
  struct Slot {
    SettingValue value;
    int spelling = 0;  // 0 is the winner among values of one origin
  };
  Status Bad(std::string_view key, const SettingValue& value, std::string_view wanted) const;

  std::string config_path_;
  std::map<std::string, Slot, std::less<>> values_;           // by the table's name
  std::map<std::string, SettingValue, std::less<>> unknown_;  // names of no table, in upper case
};

}  // namespace walrig
