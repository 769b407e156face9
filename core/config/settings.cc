#include "core/config/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/json.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

// Which spelling of the key `name` is; 0 wins over 1 over 2.
int SpellingIndex(const KeySpec& key, std::string_view name) {
  const std::vector<std::string> spellings = Spellings(key);
  const std::string upper = ToUpper(name);
  const auto found = std::find(spellings.begin(), spellings.end(), upper);
  return static_cast<int>(found - spellings.begin());
}

std::string Lines(std::string text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.pop_back();
  return text;
}

Result<std::string> CheckChoice(std::string_view choices, std::string_view text) {
  for (const std::string& choice : Split(choices, '|')) {
    if (ToLower(choice) == ToLower(text)) return ToLower(text);
  }
  return InvalidArgument("no such choice");
}

}  // namespace

void Settings::Put(std::string_view name, SettingValue value) {
  value.text = Lines(std::move(value.text));
  const KeySpec* key = FindKey(name);
  if (key == nullptr) {
    auto [it, is_new] = unknown_.try_emplace(ToUpper(name), value);
    if (!is_new && value.origin >= it->second.origin) it->second = std::move(value);
    return;
  }
  const int spelling = SpellingIndex(*key, name);
  auto [it, is_new] = values_.try_emplace(std::string(key->name), Slot{value, spelling});
  if (is_new) return;
  Slot& slot = it->second;
  const bool higher = value.origin > slot.value.origin;
  const bool better = value.origin == slot.value.origin && spelling <= slot.spelling;
  if (higher || better) slot = Slot{std::move(value), spelling};
}

std::optional<SettingValue> Settings::FindExplicit(std::string_view key) const {
  const KeySpec* spec = FindKey(key);
  if (spec == nullptr) {
    const auto it = unknown_.find(ToUpper(key));
    return it == unknown_.end() ? std::nullopt : std::optional(it->second);
  }
  const auto it = values_.find(spec->name);
  return it == values_.end() ? std::nullopt : std::optional(it->second.value);
}

std::optional<SettingValue> Settings::Find(std::string_view key) const {
  std::optional<SettingValue> value = FindExplicit(key);
  if (value.has_value()) return value;
  const KeySpec* spec = FindKey(key);
  if (spec == nullptr || spec->default_text.empty()) return std::nullopt;
  return SettingValue{std::string(spec->default_text), SettingOrigin::kDefault, "default"};
}

std::string Settings::Text(std::string_view key) const {
  std::optional<SettingValue> value = Find(key);
  return value.has_value() ? std::move(value->text) : std::string();
}

Status Settings::Bad(std::string_view key, const SettingValue& value, std::string_view wanted) const {
  const KeySpec* spec = FindKey(key);
  const bool secret = spec != nullptr && spec->secret;
  const std::string shown = secret ? "its value" : fmt::format("\"{}\"", Printable(value.text));
  return ConfigError(fmt::format("{}: {} is not {} ({})", key, shown, wanted, value.where));
}

Result<bool> Settings::Bool(std::string_view key) const {
  const std::optional<SettingValue> value = Find(key);
  if (!value.has_value()) return false;
  Result<bool> parsed = ParseGoBool(value->text);
  if (!parsed.ok()) return Bad(key, *value, "true or false");
  return parsed;
}

Result<int64_t> Settings::Int(std::string_view key) const {
  const std::optional<SettingValue> value = Find(key);
  if (!value.has_value()) return int64_t{0};
  Result<int64_t> parsed = ParseInt(value->text);
  if (!parsed.ok()) return Bad(key, *value, "a whole number");
  return parsed;
}

Result<uint64_t> Settings::Number(std::string_view key) const {
  const std::optional<SettingValue> value = Find(key);
  if (!value.has_value()) return uint64_t{0};
  Result<uint64_t> parsed = ParseUint(value->text);
  if (!parsed.ok()) return Bad(key, *value, "a whole number of at least 0");
  return parsed;
}

Result<double> Settings::Float(std::string_view key) const {
  const std::optional<SettingValue> value = Find(key);
  if (!value.has_value()) return 0.0;
  Result<double> parsed = ParseDouble(value->text);
  if (!parsed.ok()) return Bad(key, *value, "a number");
  return parsed;
}

Result<uint64_t> Settings::Size(std::string_view key) const {
  const std::optional<SettingValue> value = Find(key);
  if (!value.has_value()) return uint64_t{0};
  Result<uint64_t> parsed = ParseSize(value->text);
  if (!parsed.ok()) return Bad(key, *value, "a size such as 1048576 or 64MiB");
  return parsed;
}

Result<int64_t> Settings::DurationNs(std::string_view key) const {
  const std::optional<SettingValue> value = Find(key);
  if (!value.has_value()) return int64_t{0};
  Result<int64_t> parsed = ParseGoDuration(value->text);
  if (!parsed.ok() || *parsed < 0) return Bad(key, *value, "a duration such as 90s or 1m30s");
  return parsed;
}

Result<std::string> Settings::Choice(std::string_view key) const {
  const std::optional<SettingValue> value = Find(key);
  if (!value.has_value()) return std::string();
  const KeySpec* spec = FindKey(key);
  if (spec == nullptr || spec->choices.empty()) return ToLower(value->text);
  Result<std::string> choice = CheckChoice(spec->choices, value->text);
  if (!choice.ok()) return Bad(key, *value, fmt::format("one of {}", Join(Split(spec->choices, '|'), ", ")));
  return choice;
}

Status Settings::Check(const KeySpec& key) const {
  const std::optional<SettingValue> value = FindExplicit(key.name);
  if (!value.has_value()) return OkStatus();
  switch (key.type) {
    case KeyType::kText:
    case KeyType::kPath:
      return OkStatus();
    case KeyType::kBool:
      return Bool(key.name).status();
    case KeyType::kInt:
      return Int(key.name).status();
    case KeyType::kUint:
      return Number(key.name).status();
    case KeyType::kFloat:
      return Float(key.name).status();
    case KeyType::kSize:
      return Size(key.name).status();
    case KeyType::kDuration:
      return DurationNs(key.name).status();
    case KeyType::kEnum:
      return Choice(key.name).status();
    case KeyType::kJson:
    case KeyType::kMap:
      return ParseJson(value->text, key.name).ok() ? OkStatus() : Bad(key.name, *value, "a JSON text");
  }
  return OkStatus();
}

std::vector<std::string> Settings::SecretValues() const {
  std::vector<std::string> secrets;
  for (const auto& [name, slot] : values_) {
    const KeySpec* key = FindKey(name);
    if (key != nullptr && key->secret && !slot.value.text.empty()) secrets.push_back(slot.value.text);
  }
  return secrets;
}

}  // namespace walrig
