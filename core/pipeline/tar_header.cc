#include "core/pipeline/tar_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "core/pipeline/tar_fields.h"

namespace walrig {

namespace {

using namespace tar_fields;

constexpr std::string_view kUstarMagic("ustar\0" "00", 8);
constexpr std::string_view kGnuMagic("ustar  \0", 8);

std::string_view Raw(ByteSpan block, Field field) { return AsText(block.subspan(field.offset, field.bytes)); }

std::string Text(ByteSpan block, Field field) {
  const std::string_view raw = Raw(block, field);
  return std::string(raw.substr(0, raw.find('\0')));
}

// Octal digits between spaces and zero bytes, or GNU's base 256 where the first bit is set.
std::optional<int64_t> Number(ByteSpan block, Field field) {
  std::string_view raw = Raw(block, field);
  const auto first = static_cast<uint8_t>(raw.front());
  if ((first & 0x80) != 0) {
    const bool negative = (first & 0x40) != 0;
    const uint8_t filler = negative ? 0xff : 0;
    uint64_t value = negative ? UINT64_MAX : 0;
    for (size_t i = 0; i < raw.size(); i++) {
      auto byte = static_cast<uint8_t>(raw[i]);
      if (i == 0) byte = static_cast<uint8_t>(negative ? byte | 0x80 : byte & 0x7f);
      if (i + 8 < raw.size() && byte != filler) return std::nullopt;
      value = value << 8 | byte;
    }
    const auto number = static_cast<int64_t>(value);
    if ((number < 0) != negative) return std::nullopt;
    return number;
  }
  while (!raw.empty() && (raw.front() == ' ' || raw.front() == '\0')) raw.remove_prefix(1);
  int64_t number = 0;
  while (!raw.empty() && raw.front() >= '0' && raw.front() <= '7') {
    number = number * 8 + (raw.front() - '0');  // at most 12 digits
    raw.remove_prefix(1);
  }
  const bool clean = std::all_of(raw.begin(), raw.end(), [](char c) { return c == ' ' || c == '\0'; });
  return clean ? std::optional(number) : std::nullopt;
}

// Old writers summed signed characters; both sums are accepted, as by GNU tar and Go.
bool ChecksumHolds(ByteSpan block) {
  const std::optional<int64_t> stored = Number(block, kChecksum);
  int64_t unsigned_sum = 0;
  int64_t signed_sum = 0;
  for (size_t i = 0; i < block.size(); i++) {
    const bool inside = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.bytes;
    const uint8_t byte = inside ? uint8_t{' '} : block[i];
    unsigned_sum += byte;
    signed_sum += static_cast<int8_t>(byte);
  }
  return stored.has_value() && (*stored == unsigned_sum || *stored == signed_sum);
}

Result<int64_t> Decimal(std::string_view key, std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Corruption(fmt::format("pax record {} is no number", key));
  }
  return number;
}

Result<uint64_t> Natural(std::string_view key, std::string_view text) {
  WALRIG_ASSIGN(const int64_t number, Decimal(key, text));
  if (number < 0) return Corruption(fmt::format("pax record {} is negative", key));
  return static_cast<uint64_t>(number);
}

// "1700000000.25": the fraction is dropped, downwards.
Result<int64_t> Seconds(std::string_view key, std::string_view text) {
  const size_t dot = text.find('.');
  if (dot == text.npos) return Decimal(key, text);
  const std::string_view fraction = text.substr(dot + 1);
  const bool digits = std::all_of(fraction.begin(), fraction.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return Corruption(fmt::format("pax record {} is no number", key));
  WALRIG_ASSIGN(const int64_t whole, Decimal(key, text.substr(0, dot)));
  const bool below = text.front() == '-' && fraction.find_first_not_of('0') != fraction.npos;
  return below && whole > INT64_MIN ? whole - 1 : whole;
}

Status CheckText(std::string_view key, std::string_view value) {
  if (value.find('\0') == value.npos) return OkStatus();
  return Corruption(fmt::format("pax record {} holds a zero byte", key));
}

}  // namespace

bool IsZeroBlock(ByteSpan block) {
  return std::all_of(block.begin(), block.end(), [](uint8_t byte) { return byte == 0; });
}

TarEntry::Type TarTypeOf(char flag, std::string_view name) {
  switch (flag) {
    case '\0':
    case '0':
    case '7':
      return name.ends_with('/') ? TarEntry::Type::kDirectory : TarEntry::Type::kFile;
    case '1': return TarEntry::Type::kHardlink;
    case '2': return TarEntry::Type::kSymlink;
    case '3': return TarEntry::Type::kCharDevice;
    case '4': return TarEntry::Type::kBlockDevice;
    case '5': return TarEntry::Type::kDirectory;
    case '6': return TarEntry::Type::kFifo;
    default: return TarEntry::Type::kOther;
  }
}

Result<TarEntry> ParseTarBlock(ByteSpan block) {
  if (!ChecksumHolds(block)) return Corruption("the header's checksum does not hold");
  const auto number = [&](Field field, const char* what) -> Result<int64_t> {
    const std::optional<int64_t> value = Number(block, field);
    if (!value.has_value()) return Corruption(fmt::format("the header's {} is no number", what));
    return *value;
  };
  const auto natural = [&](Field field, const char* what) -> Result<uint64_t> {
    WALRIG_ASSIGN(const int64_t value, number(field, what));
    if (value < 0) return Corruption(fmt::format("the header's {} is negative", what));
    return static_cast<uint64_t>(value);
  };
  TarEntry entry;
  const std::string_view magic = Raw(block, kMagicAndVersion);
  entry.name = Text(block, kName);
  if (magic == kUstarMagic) {
    if (std::string prefix = Text(block, kPrefix); !prefix.empty()) entry.name = prefix + "/" + entry.name;
  }
  if (magic == kUstarMagic || magic == kGnuMagic) {
    entry.uname = Text(block, kUname);
    entry.gname = Text(block, kGname);
  }
  entry.link = Text(block, kLink);
  entry.type_flag = static_cast<char>(block[kType.offset]);
  entry.type = TarTypeOf(entry.type_flag, entry.name);
  WALRIG_ASSIGN(const uint64_t mode, natural(kMode, "mode"));
  entry.mode = static_cast<uint32_t>(mode & 07777);
  WALRIG_ASSIGN(entry.uid, natural(kUid, "uid"));
  WALRIG_ASSIGN(entry.gid, natural(kGid, "gid"));
  WALRIG_ASSIGN(entry.size_bytes, natural(kSize, "size"));
  WALRIG_ASSIGN(entry.mtime_s, number(kMtime, "time"));
  return entry;
}

// "27 mtime=1700000000.123456\n": the length is that of the whole record, itself included.
Status ParsePaxRecords(std::string_view data, PaxRecords& records) {
  const Status broken = Corruption("a pax record is broken");
  while (!data.empty()) {
    size_t length = 0;
    const auto [end, error] = std::from_chars(data.data(), data.data() + data.size(), length);
    const auto digits = static_cast<size_t>(end - data.data());
    if (error != std::errc() || digits == data.size() || *end != ' ') return broken;
    if (length > data.size() || length < digits + 4 || data[length - 1] != '\n') return broken;
    const std::string_view record = data.substr(digits + 1, length - digits - 2);
    const size_t equals = record.find('=');
    if (equals == record.npos || equals == 0) return broken;
    records[std::string(record.substr(0, equals))] = std::string(record.substr(equals + 1));
    data.remove_prefix(length);
  }
  return OkStatus();
}

Status ApplyPaxRecords(const PaxRecords& records, TarEntry& entry) {
  for (const auto& [key, value] : records) {
    if (key.starts_with("GNU.sparse.")) return NotSupported("sparse files in a tar are not supported");
    if (value.empty()) continue;
    if (key == "path" || key == "linkpath" || key == "uname" || key == "gname") WALRIG_TRY(CheckText(key, value));
    if (key == "path") {
      entry.name = value;
    } else if (key == "linkpath") {
      entry.link = value;
    } else if (key == "uname") {
      entry.uname = value;
    } else if (key == "gname") {
      entry.gname = value;
    } else if (key == "uid") {
      WALRIG_ASSIGN(entry.uid, Natural(key, value));
    } else if (key == "gid") {
      WALRIG_ASSIGN(entry.gid, Natural(key, value));
    } else if (key == "size") {
      WALRIG_ASSIGN(entry.size_bytes, Natural(key, value));
    } else if (key == "mtime") {
      WALRIG_ASSIGN(entry.mtime_s, Seconds(key, value));
    }
  }
  return OkStatus();
}

}  // namespace walrig
