#include "plugins/common/http/document.h"

#include <fmt/format.h>

namespace walrig::http {
namespace {

std::string_view LocalName(std::string_view name) {
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// By hand rather than by pugi's walker, which knows no limit.
bool DeeperThan(const pugi::xml_node& root, int depth_max) {
  int depth = 0;
  for (pugi::xml_node node = root; node;) {
    if (node.first_child()) {
      node = node.first_child();
      if (++depth > depth_max) return true;
      continue;
    }
    while (node != root && !node.next_sibling()) {
      node = node.parent();
      --depth;
    }
    if (node == root) return false;
    node = node.next_sibling();
  }
  return false;
}

// Before nlohmann's parser makes values: its destructor goes as deep as the text does.
bool JsonDeeperThan(std::string_view text, int depth_max) {
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      in_text = c != '"';
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > depth_max) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<pugi::xml_node> ParseXml(std::string_view text, std::string_view what, pugi::xml_document* into) {
  const pugi::xml_parse_result parsed = into->load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) {
    return ProtocolError(fmt::format("{} is not XML: {} at byte {}", what, parsed.description(), parsed.offset));
  }
  const pugi::xml_node root = into->document_element();
  if (!root) return ProtocolError(fmt::format("{} is XML without an element", what));
  if (DeeperThan(root, kDocumentDepthMax)) return ProtocolError(fmt::format("{} is XML nested too deep", what));
  return root;
}

bool XmlIs(const pugi::xml_node& node, std::string_view wanted) { return LocalName(node.name()) == wanted; }

std::string XmlText(const pugi::xml_node& parent, const char* child) {
  for (const pugi::xml_node& node : parent.children()) {
    if (!XmlIs(node, child)) continue;
    // Escapes split text into several pieces.
    std::string text;
    for (const pugi::xml_node& piece : node.children()) {
      if (piece.type() == pugi::node_pcdata || piece.type() == pugi::node_cdata) text += piece.value();
    }
    return text;
  }
  return {};
}

std::string XmlEscape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      // What XML readers change when it stands bare: line ends are normalised.
      case '\r': out += "&#xD;"; break;
      case '\n': out += "&#xA;"; break;
      case '\t': out += "&#x9;"; break;
      default: out += c;
    }
  }
  return out;
}

Result<HttpJson> ParseHttpJson(std::string_view text, std::string_view what) {
  if (JsonDeeperThan(text, kDocumentDepthMax)) return ProtocolError(fmt::format("{} is JSON nested too deep", what));
  HttpJson json = HttpJson::parse(text, nullptr, false);
  if (json.is_discarded()) return ProtocolError(fmt::format("{} is not JSON", what));
  return json;
}

std::string JsonMember(const HttpJson& object, const char* key) {
  if (!object.is_object()) return {};
  const auto member = object.find(key);
  if (member == object.end()) return {};
  if (member->is_string()) return member->get<std::string>();
  if (member->is_number_integer()) return member->dump();
  return {};
}

}  // namespace walrig::http
