// JsonLine: a JSON object written key by key on one line, as Go writes a struct.
//
// THREADS: one at a time.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/go_json.h"

namespace walrig {

class JsonLine {
 public:
  void Raw(std::string_view key, std::string_view json) {
    text_ += text_.empty() ? "{" : ",";
    text_ += GoJsonString(key, true);
    text_ += ':';
    text_ += json;
  }
  void String(std::string_view key, std::string_view value) { Raw(key, GoJsonString(value, true)); }
  void Bool(std::string_view key, bool value) { Raw(key, value ? "true" : "false"); }
  template <typename Integer>
  void Number(std::string_view key, Integer value) {
    Raw(key, fmt::format("{}", value));
  }
  void NumberOrNull(std::string_view key, std::optional<uint64_t> value) {
    Raw(key, value.has_value() ? fmt::format("{}", *value) : "null");
  }
  // The members of an object.
  void All(const Json& object) {
    for (auto it = object.begin(); object.is_object() && it != object.end(); ++it) {
      Raw(it.key(), GoJson(it.value(), true, false));
    }
  }
  std::string Finish() && { return (text_.empty() ? "{" : std::move(text_)) + "}"; }

 private:
  std::string text_;
};

}  // namespace walrig
