// XML and JSON answers of servers, of bounded size and depth, parsed strictly enough to be safe.
//
// Document types and entities beyond the five of XML are not expanded. THREADS: values; functions without state.
#pragma once

#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig::http {

inline constexpr int kDocumentDepthMax = 64;

// `what` names it in messages: "the answer to list". FAILS WITH: kProtocol for what is no document.
// The document is held by `into`, which must be empty; the answer is its root element.
Result<pugi::xml_node> ParseXml(std::string_view text, std::string_view what, pugi::xml_document* into);
// The text of a child of that name, whatever its namespace prefix; "" when there is none.
std::string XmlText(const pugi::xml_node& parent, const char* child);
// Whether a name is `wanted`, with or without a namespace prefix.
bool XmlIs(const pugi::xml_node& node, std::string_view wanted);
// As text inside of an element.
std::string XmlEscape(std::string_view text);

using HttpJson = nlohmann::json;
// FAILS WITH: kProtocol.
Result<HttpJson> ParseHttpJson(std::string_view text, std::string_view what);
// A member that is text (or a number, as text); "" when there is none.
std::string JsonMember(const HttpJson& object, const char* key);

}  // namespace walrig::http
