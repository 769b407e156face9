// Durations as Go's time package reads and writes them (WAL-G's settings are such text).
#include <fmt/format.h>

#include <array>

#include "core/base/string_util.h"

namespace walrig {
namespace {

struct Unit {
  std::string_view name;
  uint64_t ns;
};

// The micro sign and the Greek letter are both taken, as by Go. Longer names first where one begins another.
constexpr std::array<Unit, 8> kUnits = {{{"ns", 1},
                                         {"us", 1'000},
                                         {"\xc2\xb5s", 1'000},
                                         {"\xce\xbcs", 1'000},
                                         {"ms", 1'000'000},
                                         {"s", 1'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"h", 3'600'000'000'000}}};

bool IsDecimal(char c) { return c >= '0' && c <= '9'; }

// Takes "1.5h" off the front of *text and adds it to *total_ns; false when there is no such piece or no room for it.
bool TakePiece(std::string_view* text, uint64_t* total_ns) {
  uint64_t whole = 0;
  double fraction = 0;
  double scale = 0.1;
  bool digits = false;
  bool point = false;
  for (; !text->empty() && (IsDecimal(text->front()) || (!point && text->front() == '.')); text->remove_prefix(1)) {
    if (text->front() == '.') {
      point = true;
      continue;
    }
    digits = true;
    uint64_t digit = static_cast<uint64_t>(text->front() - '0');
    if (point) {
      fraction += static_cast<double>(digit) * scale;
      scale /= 10;
    } else if (__builtin_mul_overflow(whole, uint64_t{10}, &whole) || __builtin_add_overflow(whole, digit, &whole)) {
      return false;
    }
  }
  if (!digits) return false;
  size_t name_end = 0;
  while (name_end < text->size() && (*text)[name_end] != '.' && !IsDecimal((*text)[name_end])) ++name_end;
  for (const Unit& unit : kUnits) {
    if (text->substr(0, name_end) != unit.name) continue;
    text->remove_prefix(name_end);
    uint64_t ns = 0;
    // Half a nanosecond makes up for decimal fractions that have no exact binary form.
    uint64_t part_ns = static_cast<uint64_t>(fraction * static_cast<double>(unit.ns) + 0.5);
    return !__builtin_mul_overflow(whole, unit.ns, &ns) && !__builtin_add_overflow(ns, part_ns, &ns) &&
           !__builtin_add_overflow(*total_ns, ns, total_ns);
  }
  return false;
}

// "1.5" without trailing zeros.
std::string Decimal(uint64_t value, uint64_t unit) {
  std::string text = fmt::format("{}", value / unit);
  if (value % unit == 0) return text;
  size_t places = fmt::formatted_size("{}", unit) - 1;
  text += fmt::format(".{:0{}}", value % unit, places);
  while (text.back() == '0') text.pop_back();
  return text;
}

}  // namespace

Result<int64_t> ParseGoDuration(std::string_view text) {
  std::string_view rest = text;
  bool negative = StartsWith(rest, "-");
  if (negative || StartsWith(rest, "+")) rest.remove_prefix(1);
  if (rest == "0") return 0;
  uint64_t total_ns = 0;
  bool good = !rest.empty();
  while (good && !rest.empty()) good = TakePiece(&rest, &total_ns);
  if (!good || total_ns > static_cast<uint64_t>(INT64_MAX)) {
    return InvalidArgument(fmt::format("not a duration: \"{}\"", Printable(text, 80)))
        .Hint("write it with units, such as 1m30s, 1.5h or 250ms");
  }
  return negative ? -static_cast<int64_t>(total_ns) : static_cast<int64_t>(total_ns);
}

std::string FormatDuration(int64_t ns) {
  if (ns == 0) return "0s";
  std::string sign = ns < 0 ? "-" : "";
  uint64_t left = ns < 0 ? 0 - static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns);
  if (left < 1'000) return fmt::format("{}{}ns", sign, left);
  if (left < 1'000'000) return fmt::format("{}{}\xc2\xb5s", sign, Decimal(left, 1'000));
  if (left < 1'000'000'000) return fmt::format("{}{}ms", sign, Decimal(left, 1'000'000));
  constexpr uint64_t kMinuteNs = 60'000'000'000;
  std::string text = sign;
  uint64_t minutes = left / kMinuteNs;
  if (minutes >= 60) text += fmt::format("{}h", minutes / 60);
  if (minutes > 0) text += fmt::format("{}m", minutes % 60);
  return text + Decimal(left % kMinuteNs, 1'000'000'000) + "s";
}

}  // namespace walrig
