// The table of every setting that walrig knows: WAL-G's names for PostgreSQL and its storages, libpq's environment and
// walrig's own WALRIG_*. Names of plugins that are not installed are in it too, so that a file written for WAL-G is
// understood whole and a typing error stands out.
//
// The table is constant data: it costs nothing at start. THREADS: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace walrig {

enum class KeyType : uint8_t {
  kText,
  kBool,  // Go's ParseBool: 1 t T true TRUE True 0 f F false FALSE False
  kInt,   // signed decimal
  kUint,  // unsigned decimal
  kFloat,
  kSize,      // bytes: "8388608", "8MiB", "20mb"
  kDuration,  // Go's: "1m30s"
  kEnum,      // one of `choices`, letter case ignored
  kPath,
  kJson,  // a JSON text
  kMap,   // a map or list; only a file can hold it as such, elsewhere it is a JSON text
};

struct KeySpec {
  std::string_view name;  // as documented: "WALG_S3_PREFIX", "AWS_REGION"
  KeyType type = KeyType::kText;
  std::string_view default_text;  // "" means none
  std::string_view help;          // one sentence
  std::string_view group;         // a heading for `walrig flags`
  std::string_view choices;       // for kEnum: "text|json"
  bool secret = false;            // never printed, blotted out of logs
  bool any_prefix = false;        // also without prefix, with WALG_ and with WALE_; the bare name wins, then WALG_
  bool no_effect = false;         // understood, since WAL-G has it, and without effect in this version
  bool exported = false;          // put into the process environment for the libraries that read it there (libpq, AWS)
};

// All keys, grouped; within a group in the order in which help shows them.
std::span<const KeySpec> AllKeys();

// The key of this name or of another spelling of it, letter case ignored: "aws_region" and "WALG_AWS_REGION" both find
// AWS_REGION. Null when there is none.
const KeySpec* FindKey(std::string_view name);

// Like FindKey for a command-line flag without its dashes: "walg-file-prefix" finds WALG_FILE_PREFIX.
const KeySpec* FindKeyOfFlag(std::string_view flag);

// The spellings under which a value is looked for, the winner first: {"AWS_REGION", "WALG_AWS_REGION",
// "WALE_AWS_REGION"}, or just the name.
std::vector<std::string> Spellings(const KeySpec& key);

// "walg-file-prefix" for WALG_FILE_PREFIX.
std::string FlagName(std::string_view key_name);

// The known name most like `name`, "" when none is near.
std::string NearestKey(std::string_view name);

std::string_view KeyTypeName(KeyType type);

}  // namespace walrig
