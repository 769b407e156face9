// OptionSpec: one line of a plugin's own table of options. The core parses and checks user text against it and hands
// canonical values over; a plugin never parses what a user typed.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace walrig {

enum class OptionType : uint32_t {
  kString = 1,
  kBool = 2,   // canonical "true" or "false"
  kInt = 3,
  kUint = 4,
  kFloat = 5,
  kSize = 6,   // "8MiB"; canonical: bytes
  kTime = 7,   // "30s"; canonical: nanoseconds
  kEnum = 8,   // one of `choices`
  kPath = 9,
  kList = 10,  // comma-separated
};

struct OptionSpec {
  std::string name;                   // [a-z][a-z0-9_]*
  OptionType type = OptionType::kString;
  bool required = false;
  bool secret = false;                // never logged, never in argv, read through Secret()
  bool advanced = false;
  bool deprecated = false;
  bool test_only = false;
  std::vector<std::string> aliases;   // other names in --storage=NAME,alias=value
  std::vector<std::string> settings;  // settings that give the value when the option does not: "WALG_FILE_PREFIX"
  std::string default_text;
  bool has_default = false;
  std::vector<std::string> choices;   // for kEnum
  std::string min_text, max_text;     // same syntax as a value; empty: unbounded
  std::string help;                   // the first sentence is the one-liner
  std::string group;
  std::string replaced_by;            // when deprecated
};

// Option values by name, in the order given.
using OptionValues = std::vector<std::pair<std::string, std::string>>;

}  // namespace walrig
