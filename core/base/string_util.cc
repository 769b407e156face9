#include "core/base/string_util.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace walrig {
namespace {

Status NotA(std::string_view kind, std::string_view text) {
  return InvalidArgument(fmt::format("not {}: \"{}\"", kind, Printable(text, 80)));
}

template <typename T>
bool Whole(std::string_view text, T* value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The exponent of 1024 of a unit, or -1.
int UnitPower(std::string_view unit) {
  std::string lower = ToLower(unit);
  if (lower.empty() || lower == "b") return 0;
  size_t power = std::string_view("kmgtp").find(lower[0]);
  std::string_view rest = std::string_view(lower).substr(1);
  if (power == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "ib")) return -1;
  return static_cast<int>(power) + 1;
}

// Length of the UTF-8 sequence at the start of `text`, 0 when there is no valid one. C1 control characters count as
// invalid: a terminal obeys them.
size_t Utf8Length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t lead = byte(0);
  size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (lead == 0xc2 && byte(1) < 0xa0) return 0;
  if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f)) return 0;
  if ((lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) return 0;
  return length;
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replace, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string ComparableName(std::string_view name) {
  std::string lower = ToLower(name);
  std::replace(lower.begin(), lower.end(), '-', '_');
  return lower;
}

}  // namespace

Result<uint64_t> ParseUint(std::string_view text) {
  uint64_t value = 0;
  if (!Whole(text, &value)) return NotA("a number from 0 to 2^64-1", text);
  return value;
}

Result<int64_t> ParseInt(std::string_view text) {
  std::string_view digits = text;
  if (StartsWith(text, "+")) digits.remove_prefix(1);
  int64_t value = 0;
  if ((digits.size() != text.size() && StartsWith(digits, "-")) || !Whole(digits, &value)) {
    return NotA("an integer", text);
  }
  return value;
}

Result<double> ParseDouble(std::string_view text) {
  double value = 0;
  if (!Whole(text, &value) || !std::isfinite(value)) return NotA("a finite number", text);
  return value;
}

Result<uint64_t> ParseSize(std::string_view text) {
  std::string_view trimmed = Trim(text);
  size_t number_end = trimmed.find_first_not_of("0123456789.");
  std::string_view number = trimmed.substr(0, number_end);
  std::string_view unit = number_end == std::string_view::npos ? "" : Trim(trimmed.substr(number_end));
  int power = UnitPower(unit);
  constexpr std::string_view kKind = "a size such as 8MiB, 20 kB or 1024";
  if (power < 0 || number.empty() || !IsDigit(number[0])) return NotA(kKind, text);
  const uint64_t factor = uint64_t{1} << (10 * power);
  uint64_t whole = 0;
  uint64_t bytes = 0;
  if (Whole(number, &whole)) {
    if (__builtin_mul_overflow(whole, factor, &bytes)) return NotA("a size that fits into 64 bits", text);
    return bytes;
  }
  double fraction = 0;
  if (power == 0 || !Whole(number, &fraction)) return NotA(kKind, text);
  fraction *= static_cast<double>(factor);
  if (!(fraction < 0x1.0p64)) return NotA("a size that fits into 64 bits", text);
  return static_cast<uint64_t>(fraction);
}

Result<bool> ParseGoBool(std::string_view text) {
  for (std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return NotA("a truth value (true or false)", text);
}

std::string FormatBytes(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::string_view kUnits = "KMGTPE";
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 1023.95 would be printed as 1024 of the smaller unit.
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return value < 99.95 ? fmt::format("{:.1f} {}iB", value, kUnits[unit])
                       : fmt::format("{:.0f} {}iB", value, kUnits[unit]);
}

std::string HexEncode(ByteSpan bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Result<std::string> HexDecode(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    uint8_t byte = 0;
    auto [end, error] = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    if (error != std::errc() || end != text.data() + i + 2) return NotA("hexadecimal", text);
    bytes += static_cast<char>(byte);
  }
  if (text.size() % 2 != 0) return NotA("an even number of hexadecimal digits", text);
  return bytes;
}

std::string NearestName(std::string_view name, std::span<const std::string> candidates) {
  constexpr size_t kNameBytesMax = 128;  // bounds the work for hostile names
  if (name.size() > kNameBytesMax) return "";
  std::string wanted = ComparableName(name);
  std::string nearest;
  size_t best = SIZE_MAX;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kNameBytesMax) continue;
    size_t distance = EditDistance(wanted, ComparableName(candidate));
    if (distance > std::min(wanted.size(), candidate.size()) / 3 || distance >= best) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string Join(std::span<const std::string> parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  size_t start = text.find_first_not_of(kSpace);
  if (start == std::string_view::npos) return "";
  return text.substr(start, text.find_last_not_of(kSpace) - start + 1);
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string ToUpper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

std::string Printable(std::string_view text, size_t bytes_max) {
  std::string line;
  for (size_t i = 0; i < text.size();) {
    if (line.size() >= bytes_max) return line + "...";
    size_t length = Utf8Length(text.substr(i));
    uint8_t byte = static_cast<uint8_t>(text[i]);
    if (length == 0 || byte < 0x20 || byte == 0x7f) {
      line += fmt::format("\\x{:02x}", byte);
      i += 1;
    } else {
      line += text.substr(i, length);
      i += length;
    }
  }
  return line;
}

}  // namespace walrig
