#include "core/plugin/option_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/fd.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

constexpr uint64_t kSecretBytesMax = 1 << 20;
constexpr size_t kValueBytesMax = 64 * 1024;

bool IsNamed(const OptionSpec& spec, std::string_view name) {
  return spec.name == name || std::find(spec.aliases.begin(), spec.aliases.end(), name) != spec.aliases.end();
}

// What is shown of a value in a message.
std::string Shown(const OptionSpec& spec, std::string_view text) {
  return spec.secret ? "its value" : fmt::format("\"{}\"", Printable(text));
}

Status Bad(const OptionSpec& spec, std::string_view text, std::string_view wanted) {
  return ConfigError(fmt::format("option {}: {} is not {}", spec.name, Shown(spec, text), wanted));
}

template <typename T>
Status CheckRange(const OptionSpec& spec, std::string_view text, T value, Result<T> (*parse)(std::string_view)) {
  for (const bool low : {true, false}) {
    const std::string& bound_text = low ? spec.min_text : spec.max_text;
    if (bound_text.empty()) continue;
    const Result<T> bound = parse(bound_text);
    if (!bound.ok()) return Internal(fmt::format("option {}: the plugin's bound \"{}\" cannot be read", spec.name, bound_text));
    if (low ? value >= *bound : value <= *bound) continue;
    return ConfigError(fmt::format("option {}: {} is {} {}, the {} allowed", spec.name, Shown(spec, text),
                                   low ? "below" : "above", bound_text, low ? "least" : "most"));
  }
  return OkStatus();
}

template <typename T>
Result<std::string> Number(const OptionSpec& spec, std::string_view text, Result<T> (*parse)(std::string_view),
                           std::string_view wanted) {
  const Result<T> value = parse(text);
  if (!value.ok()) return Bad(spec, text, wanted);
  WALRIG_TRY(CheckRange<T>(spec, text, *value, parse));
  return fmt::format("{}", *value);
}

// Plugins read a time without sign.
Result<int64_t> ParseDuration(std::string_view text) {
  auto duration = ParseGoDuration(text);
  if (duration.ok() && *duration < 0) return InvalidArgument("a duration below zero");
  return duration;
}

Result<std::string> Boolean(const OptionSpec& spec, std::string_view text) {
  const std::string lower = ToLower(text);
  if (lower == "yes" || lower == "on") return std::string("true");
  if (lower == "no" || lower == "off") return std::string("false");
  const auto value = ParseGoBool(text);
  if (!value.ok()) return Bad(spec, text, "true or false");
  return std::string(*value ? "true" : "false");
}

Result<std::string> Choice(const OptionSpec& spec, std::string_view text) {
  const std::string lower = ToLower(text);
  for (const std::string& choice : spec.choices) {
    if (choice == text || ToLower(choice) == lower) return choice;
  }
  return Bad(spec, text, "one of " + Join(spec.choices, ", "));
}

std::string List(std::string_view text) {
  std::vector<std::string> items;
  for (const std::string& item : Split(text, ',')) {
    if (const std::string_view trimmed = Trim(item); !trimmed.empty()) items.emplace_back(trimmed);
  }
  return Join(items, ",");
}

// Reads a secret from where a reference says it stands. A line end after it does not belong to it.
Result<std::string> ReadSecret(const OptionSpec& spec, std::string_view reference) {
  const auto from_file = [&](const std::string& path) -> Result<std::string> {
    auto text = ReadWholeFile(path, kSecretBytesMax);
    if (!text.ok()) return std::move(text).status().With("option " + spec.name);
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
    return text;
  };
  if (StartsWith(reference, "file:")) return from_file(std::string(reference.substr(5)));
  if (StartsWith(reference, "credential:")) {
    const std::string name(reference.substr(11));
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (directory == nullptr || name.empty() || name.find('/') != std::string::npos) {
      return ConfigError(fmt::format("option {}: there is no credential of this name", spec.name))
          .Hint("systemd passes credentials with LoadCredential= in $CREDENTIALS_DIRECTORY");
    }
    return from_file(std::string(directory) + "/" + name);
  }
  if (StartsWith(reference, "env:")) {
    const char* text = std::getenv(std::string(reference.substr(4)).c_str());
    if (text != nullptr) return std::string(text);
    return ConfigError(fmt::format("option {}: environment variable {} is not set", spec.name,
                                   Printable(reference.substr(4))));
  }
  std::string ways = "write " + spec.name + "=file:/path or env:NAME";
  if (!spec.settings.empty()) ways += ", or set " + Join(spec.settings, " or ") + " in the environment or a file";
  return ConfigError(fmt::format("option {} is secret and is not taken from the command line, where others can read it",
                                 spec.name))
      .Hint(std::move(ways));
}

Status UnknownOption(std::string_view name, std::span<const OptionSpec> specs) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : specs) {
    names.push_back(spec.name);
    names.insert(names.end(), spec.aliases.begin(), spec.aliases.end());
  }
  const std::string nearest = NearestName(name, names);
  names.clear();
  for (const OptionSpec& spec : specs) {
    if (!spec.deprecated && !spec.test_only) names.push_back(spec.name);
  }
  Status status = ConfigError(fmt::format("unknown option \"{}\"", Printable(name)));
  if (!nearest.empty()) return std::move(status).Hint(fmt::format("did you mean {}?", nearest));
  return std::move(status).Hint(names.empty() ? "it takes no options" : "its options are " + Join(names, ", "));
}

class Checker {
 public:
  Checker(std::span<const OptionSpec> specs, const SettingLookup& lookup) : specs_(specs), lookup_(lookup) {}

  Result<CheckedOptions> Run(const OptionValues& explicit_values) {
    for (const auto& [name, value] : explicit_values) WALRIG_TRY(TakeExplicit(name, value));
    for (const OptionSpec& spec : specs_) WALRIG_TRY(Complete(spec));
    return std::move(checked_);
  }

 private:
  bool Has(std::string_view name) const {
    return std::any_of(checked_.values.begin(), checked_.values.end(), [&](const auto& v) { return v.first == name; });
  }

  Status Put(const OptionSpec& spec, std::string_view text) {
    WALRIG_ASSIGN(std::string canonical, CanonicalOption(spec, text));
    if (spec.secret) checked_.secrets.push_back(canonical);
    if (spec.deprecated) {
      checked_.warnings.push_back(spec.replaced_by.empty()
                                      ? fmt::format("option {} is deprecated", spec.name)
                                      : fmt::format("option {} is deprecated, use {}", spec.name, spec.replaced_by));
    }
    checked_.values.emplace_back(spec.name, std::move(canonical));
    return OkStatus();
  }

  Status TakeExplicit(const std::string& name, const std::string& value) {
    const auto found = std::find_if(specs_.begin(), specs_.end(), [&](const auto& spec) { return IsNamed(spec, name); });
    if (found == specs_.end()) return UnknownOption(name, specs_);
    if (Has(found->name)) return ConfigError(fmt::format("option {} is given twice", found->name));
    NoteExplicit(*found, value);
    if (!found->secret) return Put(*found, value);
    WALRIG_ASSIGN(const std::string secret, ReadSecret(*found, value));
    return Put(*found, secret);
  }

  void NoteExplicit(const OptionSpec& spec, const std::string& value) {
    using Kind = OptionOrigin::Kind;
    if (!spec.secret) {
      if (spec.type == OptionType::kPath && !StartsWith(value, "/"))
        checked_.origins.push_back({.kind = Kind::kRelativePath, .name = spec.name});
    } else if (StartsWith(value, "env:")) {
      checked_.origins.push_back({.kind = Kind::kEnvironment, .name = value.substr(4), .secret = true});
    } else if (StartsWith(value, "credential:")) {
      checked_.origins.push_back({.kind = Kind::kCredential, .name = value.substr(11), .secret = true});
    } else if (StartsWith(value, "file:") && !StartsWith(value, "file:/")) {
      checked_.origins.push_back({.kind = Kind::kRelativePath, .name = spec.name});
    }
  }

  Status Complete(const OptionSpec& spec) {
    if (Has(spec.name)) return OkStatus();
    for (const std::string& setting : spec.settings) {
      const std::optional<std::string> text = lookup_ ? lookup_(setting) : std::nullopt;
      if (!text.has_value() || text->empty()) continue;  // as everywhere, empty is unset
      checked_.origins.push_back({.kind = OptionOrigin::Kind::kSetting,
                                  .name = setting,
                                  .secret = spec.secret,
                                  .path = spec.type == OptionType::kPath});
      Status status = Put(spec, *text);
      return std::move(status).With("setting " + setting);
    }
    if (spec.has_default) return Put(spec, spec.default_text);
    if (!spec.required) return OkStatus();
    Status status = ConfigError(fmt::format("option {} is required: {}", spec.name, spec.help));
    if (spec.settings.empty()) return std::move(status).Hint(fmt::format("write {}=VALUE", spec.name));
    return std::move(status).Hint(fmt::format("set {}, or write {}=VALUE", Join(spec.settings, " or "), spec.name));
  }

  std::span<const OptionSpec> specs_;
  const SettingLookup& lookup_;
  CheckedOptions checked_;
};

// Takes one part of "a,b=c" up to an unescaped separator or the end; `at` is moved behind it.
Result<std::string> TakePart(std::string_view text, std::string_view separators, size_t* at, char* ended_by) {
  std::string part;
  *ended_by = '\0';
  for (; *at < text.size(); ++*at) {
    const char c = text[*at];
    if (c == '\\') {
      if (*at + 1 == text.size()) return InvalidArgument("a backslash at the end has nothing to protect");
      part += text[++*at];
    } else if (separators.find(c) != std::string_view::npos) {
      *ended_by = c;
      ++*at;
      return part;
    } else {
      part += c;
    }
  }
  return part;
}

}  // namespace

Result<std::string> CanonicalOption(const OptionSpec& spec, std::string_view text) {
  if (text.size() > kValueBytesMax && !spec.secret) {
    return ConfigError(fmt::format("option {}: the value is longer than 64 KiB", spec.name));
  }
  if (text.find('\0') != std::string_view::npos) {
    return ConfigError(fmt::format("option {}: the value holds a zero byte", spec.name));
  }
  switch (spec.type) {
    case OptionType::kString: return std::string(text);
    case OptionType::kBool: return Boolean(spec, text);
    case OptionType::kInt: return Number<int64_t>(spec, text, ParseInt, "a whole number");
    case OptionType::kUint: return Number<uint64_t>(spec, text, ParseUint, "a whole number without sign");
    case OptionType::kFloat: return Number<double>(spec, text, ParseDouble, "a number");
    case OptionType::kSize: return Number<uint64_t>(spec, text, ParseSize, "a size such as 8MiB");
    case OptionType::kTime: return Number<int64_t>(spec, text, ParseDuration, "a duration such as 30s");
    case OptionType::kEnum: return Choice(spec, text);
    case OptionType::kPath:
      if (text.empty()) return Bad(spec, text, "a path");
      return std::string(text);
    case OptionType::kList: return List(text);
  }
  return Internal(fmt::format("option {} is of no known type", spec.name));
}

Result<CheckedOptions> CheckOptions(std::string_view plugin, std::span<const OptionSpec> specs,
                                    const OptionValues& explicit_values, const SettingLookup& lookup) {
  auto checked = Checker(specs, lookup).Run(explicit_values);
  if (!checked.ok()) return std::move(checked).status().With(plugin);
  return checked;
}

Result<PluginSpec> ParsePluginSpec(std::string_view text) {
  PluginSpec spec;
  size_t at = 0;
  char ended_by = '\0';
  WALRIG_ASSIGN(spec.name, TakePart(text, ",", &at, &ended_by));
  if (spec.name.empty()) return InvalidArgument("the name of a plugin is missing").Hint("write NAME[,key=value...]");
  while (ended_by == ',') {
    WALRIG_ASSIGN(std::string key, TakePart(text, ",=", &at, &ended_by));
    if (ended_by != '=' || key.empty()) {
      return InvalidArgument(fmt::format("\"{}\" is not of the form key=value", Printable(key)))
          .Hint("write NAME[,key=value...]; a backslash before a comma takes its meaning away");
    }
    WALRIG_ASSIGN(std::string value, TakePart(text, ",", &at, &ended_by));
    spec.values.emplace_back(std::move(key), std::move(value));
  }
  return spec;
}

}  // namespace walrig
