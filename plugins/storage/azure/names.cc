#include "plugins/storage/azure/names.h"

#include <cstdint>

namespace walrig::azure {
namespace {

constexpr size_t kUnitsMax = 1024;
constexpr size_t kPartsMax = 254;

// The length of the UTF-8 sequence at the beginning of `text`, and its code point; 0 when there is none.
size_t DecodeOne(std::string_view text, uint32_t* code_point) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  const size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
  if (length == 0 || length > text.size()) return 0;
  constexpr uint8_t kMask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  uint32_t value = first & kMask[length];
  for (size_t i = 1; i < length; ++i) {
    if (byte(i) >> 6 != 2) return 0;
    value = value << 6 | (byte(i) & 0x3Fu);
  }
  if (value < kLeast[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return 0;
  *code_point = value;
  return length;
}

Status CheckText(std::string_view name) {
  size_t units = 0;
  while (!name.empty()) {
    uint32_t code_point = 0;
    const size_t length = DecodeOne(name, &code_point);
    if (length == 0) return NameInvalid("a name that is not UTF-8");
    if (code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0)) return NameInvalid("a name with control bytes");
    if (code_point == 0xFFFE || code_point == 0xFFFF) return NameInvalid("a name with what is no character");
    if (code_point == '\\') return NameInvalid("a name with a backslash, which the service reads as a slash");
    units += code_point >= 0x10000 ? 2 : 1;
    name.remove_prefix(length);
  }
  return units > kUnitsMax ? NameInvalid("a name of more than 1024 characters, prefix included") : OkStatus();
}

}  // namespace

Status CheckName(std::string_view name) {
  if (name.empty()) return NameInvalid("an empty name");
  WALRIG_TRY(CheckText(name));
  size_t parts = 0;
  for (std::string_view rest = name;;) {
    const size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty()) return NameInvalid("a name with an empty part");
    // "." and ".." are among them.
    if (part.ends_with('.')) return NameInvalid("a name with a part that ends in a dot, which the service drops");
    ++parts;
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return parts > kPartsMax ? NameInvalid("a name of more than 254 parts") : OkStatus();
}

}  // namespace walrig::azure
