#include "core/postgres/lsn.h"

#include <fmt/format.h>

namespace walrig {
namespace {

bool ParseHalf(std::string_view text, uint64_t* half) {
  if (text.empty() || text.size() > 8) return false;
  uint64_t value = 0;
  for (char c : text) {
    uint64_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint64_t>(c - '0');
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<uint64_t>(c - 'A' + 10);
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<uint64_t>(c - 'a' + 10);
    } else {
      return false;
    }
    value = value << 4 | digit;
  }
  *half = value;
  return true;
}

}  // namespace

std::string FormatLsn(Lsn lsn) { return fmt::format("{:X}/{:X}", lsn.value >> 32, lsn.value & 0xFFFFFFFFu); }

Result<Lsn> ParseLsn(std::string_view text) {
  const size_t slash = text.find('/');
  uint64_t high = 0, low = 0;
  if (slash == std::string_view::npos || !ParseHalf(text.substr(0, slash), &high) ||
      !ParseHalf(text.substr(slash + 1), &low)) {
    return InvalidArgument(fmt::format("'{}' is not an LSN", text.substr(0, 64))).Hint("an LSN looks like 16/B374D848");
  }
  return Lsn{high << 32 | low};
}

}  // namespace walrig
