// JSON documents of bounded size: strict parsing, typed reading, writing in the order of insertion.
//
// The only door to nlohmann::json. Documents that may be large (files_metadata.json, backup_manifest) are read as a
// stream of events by their own readers, never through ParseJson.
// THREADS: any; a Json is a value.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig {

// Keeps the order of keys, so that a document that is read, changed and written stays comparable.
// Access by key is linear: look up each key once.
using Json = nlohmann::ordered_json;

inline constexpr int kJsonDepthMax = 64;

// Parses one document. `what` names it in messages: "base_1_backup_stop_sentinel.json: not JSON at line 3, byte 41:
// ...". Integers keep all 64 bits. FAILS WITH: kCorruption for anything but one complete document, for nesting beyond
// kJsonDepthMax, for a key that occurs twice in an object, and for text that is not UTF-8.
// Time and memory are proportional to the text (n log n for the keys of an object).
Result<Json> ParseJson(std::string_view text, std::string_view what);

// One line with indent -1; never fails: bytes that are not UTF-8 become U+FFFD.
std::string DumpJson(const Json& json, int indent = -1);

// The member, or nullptr when `object` is no object or has no such key.
const Json* JsonFind(const Json& object, std::string_view key);

// A member of the wanted type. `what` names the document. FAILS WITH: kCorruption when it is absent, null, of another
// type or (numbers) out of range.
Result<std::string> JsonString(const Json& object, std::string_view key, std::string_view what);
Result<uint64_t> JsonUint(const Json& object, std::string_view key, std::string_view what);
Result<int64_t> JsonInt(const Json& object, std::string_view key, std::string_view what);
Result<bool> JsonBool(const Json& object, std::string_view key, std::string_view what);
Result<double> JsonDouble(const Json& object, std::string_view key, std::string_view what);

// The same, but absent and null are no value; another type still fails.
Result<std::optional<std::string>> JsonOptionalString(const Json& object, std::string_view key, std::string_view what);
Result<std::optional<uint64_t>> JsonOptionalUint(const Json& object, std::string_view key, std::string_view what);
Result<std::optional<int64_t>> JsonOptionalInt(const Json& object, std::string_view key, std::string_view what);
Result<std::optional<bool>> JsonOptionalBool(const Json& object, std::string_view key, std::string_view what);
Result<std::optional<double>> JsonOptionalDouble(const Json& object, std::string_view key, std::string_view what);

}  // namespace walrig
