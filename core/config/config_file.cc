#include "core/config/config_file.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>
#include <utility>

#include "core/base/json.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

// Of all nodes reached from the root: aliases make a small file large.
constexpr size_t kYamlNodesMax = 10'000;

Status Malformed(std::string_view path, uint64_t line, std::string_view what) {
  return ConfigError(fmt::format("{}, line {}: {}", path, line, what))
      .Hint("nothing of a configuration file that cannot be read whole is used");
}

std::string JsonText(const Json& value) { return value.is_string() ? value.get<std::string>() : DumpJson(value); }

Result<std::vector<ConfigEntry>> ParseJsonConfig(std::string_view text, std::string_view path) {
  Result<Json> document = ParseJson(text, path);
  if (!document.ok()) return ConfigError(std::string(document.status().message()));
  if (!document->is_object()) return ConfigError(fmt::format("{}: the document is not an object", path));
  std::vector<ConfigEntry> entries;
  for (const auto& [key, value] : document->items()) {
    if (value.is_null()) continue;
    entries.push_back({.key = key, .text = JsonText(value), .line = 0});
  }
  return entries;
}

Result<Json> YamlToJson(const YAML::Node& node, size_t* nodes_left, int depth) {
  if ((*nodes_left)-- == 0 || depth > kJsonDepthMax) return InvalidArgument("too many or too deeply nested values");
  if (node.IsScalar()) return Json(node.Scalar());
  if (node.IsSequence()) {
    Json list = Json::array();
    for (const YAML::Node& each : node) {
      WALRIG_ASSIGN(Json value, YamlToJson(each, nodes_left, depth + 1));
      list.push_back(std::move(value));
    }
    return list;
  }
  if (!node.IsMap()) return Json(nullptr);
  Json map = Json::object();
  for (const auto& each : node) {
    if (!each.first.IsScalar()) return InvalidArgument("a key that is not a plain text");
    WALRIG_ASSIGN(Json value, YamlToJson(each.second, nodes_left, depth + 1));
    map[each.first.Scalar()] = std::move(value);
  }
  return map;
}

// The line of a mark, from 1. yaml-cpp counts from 0 and gives -1 for nowhere.
uint32_t LineOf(const YAML::Mark& mark) { return mark.line < 0 ? 0 : static_cast<uint32_t>(mark.line) + 1; }

Result<std::vector<ConfigEntry>> WalkYaml(const YAML::Node& root, std::string_view path) {
  std::vector<ConfigEntry> entries;
  if (root.IsNull() || !root.IsDefined()) return entries;
  if (!root.IsMap()) return Malformed(path, LineOf(root.Mark()), "the document is not a map");
  size_t nodes_left = kYamlNodesMax;
  for (const auto& each : root) {
    const uint32_t line = LineOf(each.first.Mark());
    if (!each.first.IsScalar()) return Malformed(path, line, "a key that is not a plain text");
    Result<Json> value = YamlToJson(each.second, &nodes_left, 0);
    if (!value.ok()) return Malformed(path, line, value.status().message());
    if (value->is_null()) continue;
    entries.push_back({.key = each.first.Scalar(), .text = JsonText(*value), .line = line});
  }
  return entries;
}

// Where a second document would begin. LoadAll is not asked: it makes documents without end of a text such as ",",
// since nothing of it is ever consumed (yaml-cpp before 0.9, its issue 1040).
class DocumentStarts final : public YAML::EventHandler {
 public:
  uint32_t line() const { return line_; }

  void OnDocumentStart(const YAML::Mark& mark) override { line_ = LineOf(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnAlias(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& /*value*/) override {}
  void OnSequenceStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {}
  void OnMapEnd() override {}

 private:
  uint32_t line_ = 0;
};

Result<std::vector<ConfigEntry>> ParseYamlConfig(std::string_view text, std::string_view path) {
  try {
    const std::string document(text);
    std::istringstream stream(document);
    YAML::Parser parser(stream);
    DocumentStarts starts;
    if (!parser.HandleNextDocument(starts)) return std::vector<ConfigEntry>();
    if (parser.HandleNextDocument(starts)) {
      return Malformed(path, starts.line(), "more than one document, or text that is no part of one");
    }
    return WalkYaml(YAML::Load(document), path);
  } catch (const YAML::Exception& error) {
    return Malformed(path, LineOf(error.mark), error.msg);
  } catch (const std::bad_alloc&) {
    return OutOfMemory(path);
  } catch (const std::exception& error) {
    return ConfigError(fmt::format("{}: {}", path, error.what()));
  }
}

bool IsNameByte(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

// The value of an env line: `text` begins after the '='. Null-like failures come back as a message.
Result<std::string> EnvValue(std::string_view text) {
  text = Trim(text);
  if (text.empty() || (text[0] != '\'' && text[0] != '"')) {
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t'))
        return std::string(Trim(text.substr(0, i)));
    }
    return std::string(text);
  }
  const char quote = text[0];
  std::string value;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) {
      const std::string_view rest = Trim(text.substr(i + 1));
      if (!rest.empty() && rest[0] != '#') return InvalidArgument("text after the closing quote");
      return value;
    }
    if (quote == '"' && text[i] == '\\' && i + 1 < text.size()) {
      const char c = text[++i];
      value += c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
      continue;
    }
    value += text[i];
  }
  return InvalidArgument("a quote that is not closed");
}

Result<std::vector<ConfigEntry>> ParseEnvConfig(std::string_view text, std::string_view path) {
  std::vector<ConfigEntry> entries;
  uint32_t number = 0;
  for (const std::string& raw : Split(text, '\n')) {
    ++number;
    std::string_view line = Trim(raw);
    if (line.empty() || line[0] == '#') continue;
    if (StartsWith(line, "export ") || StartsWith(line, "export\t")) line = Trim(line.substr(7));
    size_t length = 0;
    while (length < line.size() && IsNameByte(line[length])) ++length;
    const std::string_view rest = Trim(line.substr(length));
    if (length == 0 || rest.empty() || (rest[0] != '=' && rest[0] != ':')) {
      return Malformed(path, number, "not of the form NAME=VALUE");
    }
    Result<std::string> value = EnvValue(rest.substr(1));
    if (!value.ok()) return Malformed(path, number, value.status().message());
    entries.push_back({.key = std::string(line.substr(0, length)), .text = std::move(*value), .line = number});
  }
  return entries;
}

// The extension of the last path element in lower case, without the dot. ".walg" has none, ".env" is an extension.
std::string ExtensionOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || (dot == 0 && name != ".env")) return {};
  return ToLower(name.substr(dot + 1));
}

ConfigFormat GuessFormat(std::string_view text) {
  for (const std::string& raw : Split(text, '\n')) {
    const std::string_view line = Trim(raw);
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '{') return ConfigFormat::kJson;
    const size_t at = line.find_first_of("=:");
    return at != std::string_view::npos && line[at] == '=' ? ConfigFormat::kEnv : ConfigFormat::kYaml;
  }
  return ConfigFormat::kEnv;
}

}  // namespace

Result<ConfigFormat> FormatOfConfig(std::string_view path, std::string_view text) {
  const std::string extension = ExtensionOf(path);
  if (extension == "json") return ConfigFormat::kJson;
  if (extension == "yaml" || extension == "yml") return ConfigFormat::kYaml;
  if (extension == "env" || extension == "dotenv") return ConfigFormat::kEnv;
  for (const std::string_view other : {"toml", "hcl", "tfvars", "ini", "properties", "props", "prop"}) {
    if (extension != other) continue;
    return ConfigError(fmt::format("{}: files of the form \"{}\" are not read", path, extension))
        .Hint("write it as JSON, YAML or env (NAME=VALUE lines)");
  }
  return GuessFormat(text);
}

Result<std::vector<ConfigEntry>> ParseConfig(ConfigFormat format, std::string_view text, std::string_view path) {
  if (text.size() > kConfigBytesMax)
    return ConfigError(fmt::format("{}: larger than {}", path, FormatBytes(kConfigBytesMax)));
  if (StartsWith(text, "\xEF\xBB\xBF")) text.remove_prefix(3);
  switch (format) {
    case ConfigFormat::kJson:
      return ParseJsonConfig(text, path);
    case ConfigFormat::kYaml:
      return ParseYamlConfig(text, path);
    case ConfigFormat::kEnv:
      return ParseEnvConfig(text, path);
  }
  return Internal("no such format");
}

}  // namespace walrig
