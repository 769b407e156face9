#include "core/base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/base/string_util.h"

namespace walrig {
namespace {

// Builds a Json from parser events. nlohmann's own builder has no bound on depth, and for ordered objects looks every
// key up among all before it: a hostile object of a million keys would take hours.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(Json* root) : root_(root) {}
  const std::string& reason() const { return reason_; }
  size_t error_byte() const { return error_byte_; }  // 0: not known

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  // "-0" is the only zero that comes here, and no integer holds it: it is written as it was read.
  bool number_integer(number_integer_t value) override { return value == 0 ? Add(-0.0) : Add(value); }
  bool number_unsigned(number_unsigned_t value) override { return Add(value); }
  bool number_float(number_float_t value, const string_t&) override { return Add(value); }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(Json::value_t::object); }
  bool start_array(size_t) override { return Open(Json::value_t::array); }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool key(string_t& name) override {
    // The vector's own emplace_back: no look-up.
    Json::object_t& object = open_.back()->get_ref<Json::object_t&>();
    member_ = &object.emplace_back(std::move(name), Json()).second;
    return true;
  }
  bool end_object() override {
    const Json::object_t& object = open_.back()->get_ref<const Json::object_t&>();
    std::vector<std::string_view> names;
    names.reserve(object.size());
    for (const auto& [name, value] : object) names.push_back(name);
    std::sort(names.begin(), names.end());
    auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) return Refuse(fmt::format("key \"{}\" occurs twice", Printable(*twice, 80)));
    open_.pop_back();
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    error_byte_ = position;
    return Refuse(ReasonOf(error.what()));
  }

 private:
  template <typename Value>
  bool Add(Value&& value) {
    *Slot() = Json(std::forward<Value>(value));
    return true;
  }
  bool Open(Json::value_t type) {
    if (open_.size() >= static_cast<size_t>(kJsonDepthMax)) {
      return Refuse(fmt::format("nested deeper than {}", kJsonDepthMax));
    }
    Json* slot = Slot();
    *slot = Json(type);
    open_.push_back(slot);
    return true;
  }
  // Where the next value goes. The address holds while the value is open: only the innermost container grows.
  Json* Slot() {
    if (open_.empty()) return root_;
    if (open_.back()->is_object()) return member_;
    return &open_.back()->get_ref<Json::array_t&>().emplace_back();
  }
  // "[json.exception...] parse error at line 1, column 5: what is wrong; last read: 'quotation'; expected something".
  // The quotation is left out: it may be a piece of a secret.
  static std::string ReasonOf(std::string_view text) {
    size_t start = text.find(": ");
    if (start != std::string_view::npos) text.remove_prefix(start + 2);
    return Printable(text.substr(0, text.find("; last read: ")), 160);
  }
  bool Refuse(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }

  Json* root_;
  Json* member_ = nullptr;  // the value of the key that was read last
  std::vector<Json*> open_;
  std::string reason_;
  size_t error_byte_ = 0;
};

Status Wrong(std::string_view what, std::string_view key, std::string_view wanted, const Json* found) {
  if (found == nullptr) return Corruption(fmt::format("{}: \"{}\" is missing, {} expected", what, key, wanted));
  return Corruption(fmt::format("{}: \"{}\" is {}, {} expected", what, key, found->type_name(), wanted));
}

// Each answers whether `json` is of its type and in range.
bool Take(const Json& json, std::string* value) {
  if (!json.is_string()) return false;
  *value = json.get_ref<const std::string&>();
  return true;
}
bool Take(const Json& json, bool* value) {
  if (!json.is_boolean()) return false;
  *value = json.get<bool>();
  return true;
}
bool Take(const Json& json, uint64_t* value) {
  if (!json.is_number_integer()) return false;
  if (!json.is_number_unsigned() && json.get<int64_t>() < 0) return false;
  *value = json.get<uint64_t>();
  return true;
}
bool Take(const Json& json, int64_t* value) {
  if (!json.is_number_integer()) return false;
  if (json.is_number_unsigned() && json.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) return false;
  *value = json.get<int64_t>();
  return true;
}
bool Take(const Json& json, double* value) {
  if (!json.is_number()) return false;
  *value = json.get<double>();
  return true;
}

template <typename T>
Result<T> Member(const Json& object, std::string_view key, std::string_view what, std::string_view wanted) {
  const Json* member = JsonFind(object, key);
  T value{};
  if (member == nullptr || !Take(*member, &value)) return Wrong(what, key, wanted, member);
  return value;
}

template <typename T>
Result<std::optional<T>> OptionalMember(const Json& object, std::string_view key, std::string_view what,
                                        std::string_view wanted) {
  const Json* member = JsonFind(object, key);
  if (member == nullptr || member->is_null()) return std::optional<T>();
  T value{};
  if (!Take(*member, &value)) return Wrong(what, key, wanted, member);
  return std::optional<T>(std::move(value));
}

constexpr std::string_view kString = "a string";
constexpr std::string_view kUint = "an integer from 0 to 2^64-1";
constexpr std::string_view kInt = "an integer of 64 bits";
constexpr std::string_view kBool = "true or false";
constexpr std::string_view kDouble = "a number";

}  // namespace

Result<Json> ParseJson(std::string_view text, std::string_view what) {
  // The library takes a NUL for the end of the text, whatever follows.
  if (text.find('\0') != std::string_view::npos) return Corruption(fmt::format("{}: not JSON: it holds a NUL", what));
  Json root;
  Builder builder(&root);
  std::string reason;
  try {
    if (Json::sax_parse(text.begin(), text.end(), &builder)) return root;
    reason = builder.reason();
  } catch (const std::bad_alloc&) {
    return OutOfMemory(what);
  } catch (const std::exception& error) {
    reason = error.what();
  }
  if (builder.error_byte() == 0) return Corruption(fmt::format("{}: not acceptable JSON: {}", what, reason));
  size_t byte = std::min(builder.error_byte(), text.size());
  auto line = 1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(byte > 0 ? byte - 1 : 0), '\n');
  return Corruption(fmt::format("{}: not JSON at line {}, byte {}: {}", what, line, byte, reason));
}

std::string DumpJson(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

const Json* JsonFind(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  for (const auto& [name, value] : object.get_ref<const Json::object_t&>()) {
    if (name == key) return &value;
  }
  return nullptr;
}

Result<std::string> JsonString(const Json& object, std::string_view key, std::string_view what) {
  return Member<std::string>(object, key, what, kString);
}
Result<uint64_t> JsonUint(const Json& object, std::string_view key, std::string_view what) {
  return Member<uint64_t>(object, key, what, kUint);
}
Result<int64_t> JsonInt(const Json& object, std::string_view key, std::string_view what) {
  return Member<int64_t>(object, key, what, kInt);
}
Result<bool> JsonBool(const Json& object, std::string_view key, std::string_view what) {
  return Member<bool>(object, key, what, kBool);
}
Result<double> JsonDouble(const Json& object, std::string_view key, std::string_view what) {
  return Member<double>(object, key, what, kDouble);
}

Result<std::optional<std::string>> JsonOptionalString(const Json& object, std::string_view key, std::string_view what) {
  return OptionalMember<std::string>(object, key, what, kString);
}
Result<std::optional<uint64_t>> JsonOptionalUint(const Json& object, std::string_view key, std::string_view what) {
  return OptionalMember<uint64_t>(object, key, what, kUint);
}
Result<std::optional<int64_t>> JsonOptionalInt(const Json& object, std::string_view key, std::string_view what) {
  return OptionalMember<int64_t>(object, key, what, kInt);
}
Result<std::optional<bool>> JsonOptionalBool(const Json& object, std::string_view key, std::string_view what) {
  return OptionalMember<bool>(object, key, what, kBool);
}
Result<std::optional<double>> JsonOptionalDouble(const Json& object, std::string_view key, std::string_view what) {
  return OptionalMember<double>(object, key, what, kDouble);
}

}  // namespace walrig
