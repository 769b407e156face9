// SPDX-License-Identifier: MIT-0
// Option: one row of a plugin's constant table of options, with a default for everything that is seldom said.
//
//   constexpr const char* kPrefixSettings[] = {"WALG_FILE_PREFIX", nullptr};
//   constexpr walrig_option kOptions[] = {
//       sdk::Option{.name = "prefix", .type = OptionType::kPath, .required = true, .settings = kPrefixSettings,
//                   .help = "Directory that holds the objects."},
//   };
//
// Lists end with a nullptr. See walrig/options.h for what the fields mean. THREADS: constants.
#pragma once

#include <cstdint>

#include "walrig/abi/options.h"
#include "walrig/options.h"

namespace walrig::sdk {

struct Option {
  const char* name = nullptr;
  OptionType type = OptionType::kString;
  bool required = false;
  bool secret = false;
  bool advanced = false;
  bool deprecated = false;
  bool test_only = false;
  const char* const* aliases = nullptr;
  const char* const* settings = nullptr;
  const char* default_text = nullptr;
  const char* const* choices = nullptr;
  const char* min_text = nullptr;
  const char* max_text = nullptr;
  const char* help = "";
  const char* group = nullptr;
  const char* replaced_by = nullptr;

  // Implicit on purpose: a table of walrig_option is written as a list of Options.
  constexpr operator walrig_option() const {
    walrig_option row{};
    row.struct_size = sizeof(walrig_option);
    row.type = static_cast<uint32_t>(type);
    row.flags = (required ? WALRIG_OPTF_REQUIRED : 0u) | (secret ? WALRIG_OPTF_SECRET : 0u) |
                (advanced ? WALRIG_OPTF_ADVANCED : 0u) | (deprecated ? WALRIG_OPTF_DEPRECATED : 0u) |
                (test_only ? WALRIG_OPTF_TEST_ONLY : 0u);
    row.name = name;
    row.aliases = aliases;
    row.settings = settings;
    row.default_text = default_text;
    row.choices = choices;
    row.min_text = min_text;
    row.max_text = max_text;
    row.help = help;
    row.group = group;
    row.replaced_by = replaced_by;
    return row;
  }
};

}  // namespace walrig::sdk
