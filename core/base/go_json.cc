#include "core/base/go_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace walrig {
namespace {

// The length of the UTF-8 sequence at the front of `text`, or 0.
size_t CharacterBytes(std::string_view text) {
  const auto at = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto tail = [&](size_t i) { return (at(i) & 0xC0) == 0x80; };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if ((lead & 0xF0) == 0xE0) {
    const bool overlong = lead == 0xE0 && at(1) < 0xA0;
    const bool surrogate = lead == 0xED && at(1) > 0x9F;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool overlong = lead == 0xF0 && at(1) < 0x90;
    const bool beyond = lead == 0xF4 && at(1) > 0x8F;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

void AppendAscii(char c, bool html, std::string* out) {
  switch (c) {
    case '"':
      *out += "\\\"";
      return;
    case '\\':
      *out += "\\\\";
      return;
    case '\b':
      *out += "\\b";
      return;
    case '\f':
      *out += "\\f";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    default:
      break;
  }
  const bool escape = static_cast<unsigned char>(c) < 0x20 || (html && (c == '<' || c == '>' || c == '&'));
  if (escape) {
    *out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  } else {
    out->push_back(c);
  }
}

void AppendString(std::string_view text, bool html, std::string* out) {
  out->push_back('"');
  while (!text.empty()) {
    const size_t length = CharacterBytes(text);
    const std::string_view rune = text.substr(0, length);
    if (length == 0) {
      *out += html ? "\\ufffd" : "\xEF\xBF\xBD";
    } else if (length == 1) {
      AppendAscii(text[0], html, out);
    } else if (html && rune == "\xE2\x80\xA8") {
      *out += "\\u2028";
    } else if (html && rune == "\xE2\x80\xA9") {
      *out += "\\u2029";
    } else {
      *out += rune;
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  out->push_back('"');
}

void AppendDouble(double value, std::string* out) {
  if (!std::isfinite(value)) {
    *out += "null";  // JSON has no other word for it
    return;
  }
  char text[64];
  const double size = std::fabs(value);
  const bool scientific = size != 0 && (size < 1e-6 || size >= 1e21);
  const auto end = std::to_chars(text, text + sizeof(text), value,
                                 scientific ? std::chars_format::scientific : std::chars_format::fixed)
                       .ptr;
  std::string_view written(text, static_cast<size_t>(end - text));
  // Go writes e-9, not e-09.
  if (const size_t n = written.size();
      n >= 4 && written[n - 4] == 'e' && written[n - 3] == '-' && written[n - 2] == '0') {
    out->append(written.substr(0, n - 2)).push_back(written[n - 1]);
  } else {
    *out += written;
  }
}

void Append(const Json& json, bool html, bool sort_keys, std::string* out);

void AppendObject(const Json& json, bool html, bool sort_keys, std::string* out) {
  std::vector<Json::const_iterator> members;
  members.reserve(json.size());
  for (auto it = json.begin(); it != json.end(); ++it) members.push_back(it);
  if (sort_keys) {
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.key() < b.key(); });
  }
  out->push_back('{');
  for (size_t i = 0; i < members.size(); ++i) {
    if (i != 0) out->push_back(',');
    AppendString(members[i].key(), html, out);
    out->push_back(':');
    Append(members[i].value(), html, sort_keys, out);
  }
  out->push_back('}');
}

void Append(const Json& json, bool html, bool sort_keys, std::string* out) {
  switch (json.type()) {
    case Json::value_t::object:
      AppendObject(json, html, sort_keys, out);
      return;
    case Json::value_t::array: {
      out->push_back('[');
      for (size_t i = 0; i < json.size(); ++i) {
        if (i != 0) out->push_back(',');
        Append(json[i], html, sort_keys, out);
      }
      out->push_back(']');
      return;
    }
    case Json::value_t::string:
      AppendString(json.get_ref<const std::string&>(), html, out);
      return;
    case Json::value_t::boolean:
      *out += json.get<bool>() ? "true" : "false";
      return;
    case Json::value_t::number_integer:
      *out += fmt::format("{}", json.get<int64_t>());
      return;
    case Json::value_t::number_unsigned:
      *out += fmt::format("{}", json.get<uint64_t>());
      return;
    case Json::value_t::number_float:
      AppendDouble(json.get<double>(), out);
      return;
    default:
      *out += "null";
      return;
  }
}

}  // namespace

std::string GoJsonString(std::string_view text, bool html) {
  std::string out;
  out.reserve(text.size() + 2);
  AppendString(text, html, &out);
  return out;
}

std::string GoJson(const Json& json, bool html, bool sort_keys) {
  std::string out;
  Append(json, html, sort_keys, &out);
  return out;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = CharacterBytes(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace walrig
