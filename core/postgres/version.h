// PgVersion: server_version_num (150004) and what depends on it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig {

inline constexpr int kPgMajorMin = 13;
inline constexpr int kPgMajorMax = 18;

struct PgVersion {
  int number = 0;  // server_version_num

  constexpr int major() const noexcept { return number / 10000; }
  constexpr bool supported() const noexcept { return major() >= kPgMajorMin && major() <= kPgMajorMax; }
  friend constexpr auto operator<=>(const PgVersion&, const PgVersion&) = default;
};

// "15.4" for 150004; "18beta" forms do not exist as numbers.
std::string FormatPgVersion(PgVersion version);
// The content of a PG_VERSION file: "15\n". FAILS WITH: kCorruption for other content.
Result<int> ParsePgVersionFile(std::string_view content);
// FAILS WITH: kNotSupported, naming the range, for versions outside 13 to 18.
Status CheckSupported(PgVersion version);

}  // namespace walrig
