#include "core/layout/document_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/string_util.h"
#include "core/base/time_format.h"

namespace walrig {

Result<DocumentReader> DocumentReader::New(const Json& json, std::string_view what) {
  if (!json.is_object()) return Corruption(fmt::format("{}: is no JSON object", what));
  DocumentReader reader(what);
  for (auto it = json.begin(); it != json.end(); ++it) {
    reader.sorted_.push_back(reader.members_.size());
    reader.members_.push_back({ToLower(it.key()), &it.key(), &it.value(), false});
  }
  const std::vector<Member>& members = reader.members_;
  std::sort(reader.sorted_.begin(), reader.sorted_.end(),
            [&](size_t a, size_t b) { return members[a].lower_key < members[b].lower_key; });
  for (size_t i = 1; i < reader.sorted_.size(); ++i) {
    if (members[reader.sorted_[i - 1]].lower_key == members[reader.sorted_[i]].lower_key) {
      return reader.Bad(*members[reader.sorted_[i]].key, "occurs twice");
    }
  }
  return reader;
}

const Json* DocumentReader::Take(std::string_view key) {
  const std::string lower = ToLower(key);
  const auto at = std::lower_bound(sorted_.begin(), sorted_.end(), lower,
                                   [&](size_t i, const std::string& wanted) { return members_[i].lower_key < wanted; });
  if (at == sorted_.end() || members_[*at].lower_key != lower) return nullptr;
  Member& member = members_[*at];
  member.known = true;
  return member.value->is_null() ? nullptr : member.value;
}

Status DocumentReader::Bad(std::string_view key, std::string_view why) const {
  return Corruption(fmt::format("{}: {} {}", what_, Printable(key), why));
}

Status DocumentReader::String(std::string_view key, std::string* value) {
  const Json* json = Take(key);
  if (json == nullptr) return OkStatus();
  if (!json->is_string()) return Bad(key, "is no string");
  *value = json->get_ref<const std::string&>();
  return OkStatus();
}

Status DocumentReader::Bool(std::string_view key, bool* value) {
  const Json* json = Take(key);
  if (json == nullptr) return OkStatus();
  if (!json->is_boolean()) return Bad(key, "is no boolean");
  *value = json->get<bool>();
  return OkStatus();
}

Status DocumentReader::Uint(std::string_view key, std::optional<uint64_t>* value) {
  const Json* json = Take(key);
  if (json == nullptr) return OkStatus();
  if (!json->is_number_unsigned()) return Bad(key, "is no unsigned 64-bit integer");
  *value = json->get<uint64_t>();
  return OkStatus();
}

Status DocumentReader::Int(std::string_view key, std::optional<int64_t>* value) {
  const Json* json = Take(key);
  if (json == nullptr) return OkStatus();
  if (!json->is_number_integer() || (json->is_number_unsigned() && json->get<uint64_t>() > INT64_MAX)) {
    return Bad(key, "is no 64-bit integer");
  }
  *value = json->get<int64_t>();
  return OkStatus();
}

Status DocumentReader::Int64(std::string_view key, int64_t* value) {
  std::optional<int64_t> number;
  WALRIG_TRY(Int(key, &number));
  if (number.has_value()) *value = *number;
  return OkStatus();
}

Status DocumentReader::Int32(std::string_view key, int* value) {
  std::optional<int64_t> number;
  WALRIG_TRY(Int(key, &number));
  if (!number.has_value()) return OkStatus();
  if (*number < INT32_MIN || *number > INT32_MAX) return Bad(key, "is out of range");
  *value = static_cast<int>(*number);
  return OkStatus();
}

Status DocumentReader::Time(std::string_view key, int64_t* value_ns) {
  std::string text;
  WALRIG_TRY(String(key, &text));
  if (text.empty() || text == kGoZeroTime) return OkStatus();
  Result<int64_t> ns = ParseRfc3339(text);
  if (!ns.ok()) return Bad(key, "is no moment in RFC 3339");
  *value_ns = *ns;
  return OkStatus();
}

Json DocumentReader::Unknown() const {
  Json unknown = Json::object();
  // By hand, since operator[] would search for the key among all before it.
  auto& object = unknown.get_ref<Json::object_t&>();
  for (const Member& member : members_) {
    if (!member.known) object.emplace_back(*member.key, *member.value);
  }
  return unknown;
}

std::string GoTime(int64_t ns) { return ns == 0 ? std::string(kGoZeroTime) : FormatRfc3339Nano(ns); }

}  // namespace walrig
