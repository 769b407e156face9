#include "core/postgres/version.h"

#include <charconv>

#include <fmt/format.h>

namespace walrig {

std::string FormatPgVersion(PgVersion version) {
  return fmt::format("{}.{}", version.major(), version.number % 10000);
}

Result<int> ParsePgVersionFile(std::string_view content) {
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.remove_suffix(1);
  int major = 0;
  const auto [end, error] = std::from_chars(content.data(), content.data() + content.size(), major);
  // Up to 9.6 the file holds "9.6"; such a cluster is named by its first number.
  const bool whole = end == content.data() + content.size() || (major == 9 && *end == '.');
  if (content.empty() || error != std::errc() || !whole || major <= 0 || major > 1000) {
    return Corruption(fmt::format("PG_VERSION holds '{}'", content.substr(0, 32)));
  }
  return major;
}

Status CheckSupported(PgVersion version) {
  if (version.supported()) return OkStatus();
  return NotSupported(fmt::format("PostgreSQL {} is not supported", FormatPgVersion(version)))
      .Hint(fmt::format("walrig knows PostgreSQL {} to {}", kPgMajorMin, kPgMajorMax));
}

}  // namespace walrig
