#include "core/postgres/timeline.h"

#include <charconv>

#include <fmt/format.h>

namespace walrig {

Result<Timeline> ParseTimeline(std::string_view text) {
  std::string_view digits = text;
  int base = 10;
  if (digits.size() > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
    digits.remove_prefix(2);
    base = 16;
  }
  Timeline timeline = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), timeline, base);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || timeline == 0) {
    return InvalidArgument(fmt::format("'{}' is not a timeline", text.substr(0, 64)));
  }
  return timeline;
}

}  // namespace walrig
