// DocumentReader: the members of a JSON object as Go's encoding/json finds them: keys in any case, null as absent.
//
// Messages name the document and the key. THREADS: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "walrig/result.h"

namespace walrig {

class DocumentReader {
 public:
  // `json` is borrowed and must outlive the reader. FAILS WITH: kCorruption for no object, and for keys that differ in
  // case only.
  static Result<DocumentReader> New(const Json& json, std::string_view what);

  // The value, or nullptr when it is absent or null. Marks the key as known.
  const Json* Take(std::string_view key);

  // Absent leaves the target as it is. FAILS WITH: kCorruption for another type or a number out of range.
  Status String(std::string_view key, std::string* value);
  Status Bool(std::string_view key, bool* value);
  Status Uint(std::string_view key, std::optional<uint64_t>* value);
  Status Int(std::string_view key, std::optional<int64_t>* value);
  Status Int64(std::string_view key, int64_t* value);
  Status Int32(std::string_view key, int* value);
  // RFC 3339; Go's zero time becomes 0.
  Status Time(std::string_view key, int64_t* value_ns);

  // What no Take asked for, as an object.
  Json Unknown() const;

  Status Bad(std::string_view key, std::string_view why) const;

 private:
  struct Member {
    std::string lower_key;
    const std::string* key;
    const Json* value;
    bool known;
  };
  explicit DocumentReader(std::string_view what) : what_(what) {}

  std::string what_;
  std::vector<Member> members_;  // in the order of the document
  std::vector<size_t> sorted_;   // by lower_key
};

// Go's zero time, which stands for "unknown" in its documents.
inline constexpr std::string_view kGoZeroTime = "0001-01-01T00:00:00Z";
// 0 becomes the zero time.
std::string GoTime(int64_t ns);

}  // namespace walrig
