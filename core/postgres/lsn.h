// Lsn: a position in the write-ahead log, in bytes since its beginning.
//
// A strong type, so that it is never mixed up with a size or a segment number. Text is PostgreSQL's "%X/%X"; JSON
// documents of WAL-G hold the plain number.
// THREADS: a value.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig {

struct Lsn {
  uint64_t value = 0;  // 0 is PostgreSQL's InvalidXLogRecPtr

  constexpr bool valid() const noexcept { return value != 0; }
  friend constexpr auto operator<=>(const Lsn&, const Lsn&) = default;
};

// "16/B374D848": upper case, no leading zeros.
std::string FormatLsn(Lsn lsn);
// Both cases; 1 to 8 digits on each side. FAILS WITH: kInvalidArgument.
Result<Lsn> ParseLsn(std::string_view text);

}  // namespace walrig
