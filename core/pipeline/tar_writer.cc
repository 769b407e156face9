#include "core/pipeline/tar_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "core/pipeline/tar_fields.h"
#include "core/pipeline/tar_header.h"

namespace walrig {

namespace {

using namespace tar_fields;

using Block = std::array<char, kTarBlockBytes>;

constexpr uint64_t kNumberMax = INT64_MAX;

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0; });
}

std::string ToAscii(std::string_view text) {
  std::string ascii;
  std::copy_if(text.begin(), text.end(), std::back_inserter(ascii), [](char c) { return c > 0; });
  return ascii;
}

bool FitsOctal(Field field, int64_t number) {
  return number >= 0 && (static_cast<uint64_t>(number) >> ((field.bytes - 1) * 3)) == 0;
}

// As Go: a string that is cut must not end in a slash, lest a file look like a directory to old readers.
void SetString(Block& block, Field field, std::string_view text) {
  char* const to = block.data() + field.offset;
  const size_t count = std::min(text.size(), field.bytes);
  std::memcpy(to, text.data(), count);
  if (text.size() <= field.bytes || to[field.bytes - 1] != '/') return;
  size_t end = field.bytes - 1;
  while (end > 0 && to[end - 1] == '/') end--;
  to[end] = '\0';
}

// What does not fit is 0: a pax record says it.
void SetOctal(Block& block, Field field, int64_t number) {
  const std::string digits = fmt::format("{:0{}o}", FitsOctal(field, number) ? number : 0, field.bytes - 1);
  std::memcpy(block.data() + field.offset, digits.data(), field.bytes - 1);
}

void Seal(Block& block) {
  SetString(block, kMagic, "ustar");
  SetString(block, kVersion, "00");
  uint32_t sum = 0;
  std::fill_n(block.data() + kChecksum.offset, kChecksum.bytes, ' ');
  for (char c : block) sum += static_cast<unsigned char>(c);
  const std::string digits = fmt::format("{:06o}", sum);
  std::memcpy(block.data() + kChecksum.offset, digits.data(), digits.size());
  block[kChecksum.offset + digits.size()] = '\0';
}

// The slash at which a long name parts into prefix and name (Go: splitUSTARPath).
std::optional<size_t> UstarSplit(std::string_view name) {
  size_t length = name.size();
  if (length <= kName.bytes || !IsAscii(name)) return std::nullopt;
  if (length > kPrefix.bytes + 1) {
    length = kPrefix.bytes + 1;
  } else if (name.back() == '/') {
    length--;
  }
  const size_t slash = name.substr(0, length).rfind('/');
  if (slash == name.npos || slash == 0 || slash > kPrefix.bytes) return std::nullopt;
  const size_t rest = name.size() - slash - 1;
  if (rest == 0 || rest > kName.bytes) return std::nullopt;
  return slash;
}

// Go's path.Join(dir, "PaxHeaders.0", file), cleaned.
std::string PaxHeaderName(std::string_view name) {
  const size_t slash = name.rfind('/');
  std::string joined(slash == name.npos ? std::string_view() : name.substr(0, slash + 1));
  joined += joined.empty() || joined.back() == '/' ? "PaxHeaders.0" : "/PaxHeaders.0";
  if (slash == name.npos ? !name.empty() : slash + 1 < name.size()) {
    joined += '/';
    joined += slash == name.npos ? name : name.substr(slash + 1);
  }
  const bool rooted = joined.front() == '/';
  std::vector<std::string_view> parts;
  for (std::string_view rest = joined; !rest.empty();) {
    const size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!rooted) {
      parts.push_back(part);
    }
  }
  if (parts.empty()) return rooted ? "/" : ".";
  return fmt::format("{}{}", rooted ? "/" : "", fmt::join(parts, "/"));
}

std::string PaxRecord(std::string_view key, std::string_view value) {
  const size_t fixed = key.size() + value.size() + 3;  // ' ', '=' and '\n'
  size_t size = fixed + fmt::formatted_size("{}", fixed);
  size = fixed + fmt::formatted_size("{}", size);
  return fmt::format("{} {}={}\n", size, key, value);
}

char TypeFlag(TarEntry::Type type) {
  switch (type) {
    case TarEntry::Type::kFile: return '0';
    case TarEntry::Type::kDirectory: return '5';
    case TarEntry::Type::kSymlink: return '2';
    default: return '\0';
  }
}

Status Check(const TarEntry& entry) {
  const auto bad = [&](std::string_view why) {
    return InvalidArgument(fmt::format("tar member '{}': {}", entry.name, why));
  };
  if (entry.name.empty()) return bad("the name is empty");
  for (const std::string* text : {&entry.name, &entry.link, &entry.uname, &entry.gname}) {
    if (text->find('\0') != text->npos) return bad("a text holds a zero byte");
  }
  if (TypeFlag(entry.type) == '\0') return bad("not a file, directory or symbolic link");
  if (entry.type == TarEntry::Type::kFile && entry.name.ends_with('/')) return bad("a file's name ends in a slash");
  if (entry.type != TarEntry::Type::kFile && entry.size_bytes != 0) return bad("only a file has a body");
  if (entry.mode > 07777) return bad("the mode holds more than permissions");
  if (std::max({entry.size_bytes, entry.uid, entry.gid}) > kNumberMax) return bad("a number is too large");
  return OkStatus();
}

// The fields that ustar cannot hold, and whether there are any but a name that can be split.
PaxRecords RecordsOf(const TarEntry& entry, bool& needed) {
  PaxRecords records;
  needed = false;
  const auto text = [&](const char* key, const std::string& value, Field field) {
    if (IsAscii(value) && value.size() <= field.bytes) return;
    records[key] = value;
    if (std::string_view(key) != "path" || !UstarSplit(value).has_value()) needed = true;
  };
  const auto number = [&](const char* key, int64_t value, Field field) {
    if (FitsOctal(field, value)) return;
    records[key] = fmt::format("{}", value);
    needed = true;
  };
  text("path", entry.name, kName);
  text("linkpath", entry.link, kLink);
  text("uname", entry.uname, kUname);
  text("gname", entry.gname, kGname);
  number("uid", static_cast<int64_t>(entry.uid), kUid);
  number("gid", static_cast<int64_t>(entry.gid), kGid);
  number("size", static_cast<int64_t>(entry.size_bytes), kSize);
  number("mtime", entry.mtime_s, kMtime);
  return records;
}

std::string EncodePaxHeader(const TarEntry& entry, const PaxRecords& records) {
  std::string data;
  for (const auto& [key, value] : records) data += PaxRecord(key, value);

  std::string name = ToAscii(PaxHeaderName(entry.name)).substr(0, kName.bytes);
  name.erase(name.find_last_not_of('/') + 1);
  Block block{};
  SetString(block, kName, name);
  block[kType.offset] = 'x';
  for (Field field : {kMode, kUid, kGid, kMtime}) SetOctal(block, field, 0);
  SetOctal(block, kSize, static_cast<int64_t>(data.size()));
  Seal(block);

  std::string encoded(block.data(), block.size());
  encoded += data;
  encoded.append(TarPadding(data.size()), '\0');
  return encoded;
}

std::string EncodeBlock(const TarEntry& entry, bool pax) {
  Block block{};
  const auto text = [&](Field field, const std::string& value) {
    SetString(block, field, pax ? ToAscii(value) : value);
  };
  const std::optional<size_t> split = pax ? std::nullopt : UstarSplit(entry.name);
  if (split.has_value()) {
    SetString(block, kPrefix, std::string_view(entry.name).substr(0, *split));
    SetString(block, kName, std::string_view(entry.name).substr(*split + 1));
  } else {
    text(kName, entry.name);
  }
  text(kLink, entry.link);
  text(kUname, entry.uname);
  text(kGname, entry.gname);
  SetOctal(block, kMode, entry.mode);
  SetOctal(block, kUid, static_cast<int64_t>(entry.uid));
  SetOctal(block, kGid, static_cast<int64_t>(entry.gid));
  SetOctal(block, kSize, static_cast<int64_t>(entry.size_bytes));
  SetOctal(block, kMtime, entry.mtime_s);
  SetOctal(block, kMajor, 0);
  SetOctal(block, kMinor, 0);
  block[kType.offset] = TypeFlag(entry.type);
  Seal(block);
  return {block.data(), block.size()};
}

}  // namespace

Result<std::string> EncodeTarHeader(const TarEntry& entry) {
  WALRIG_TRY(Check(entry));
  bool pax = false;
  const PaxRecords records = RecordsOf(entry, pax);
  std::string encoded;
  if (pax) encoded = EncodePaxHeader(entry, records);
  return encoded + EncodeBlock(entry, pax);
}

ByteSpan TarZeros() {
  static constexpr std::array<uint8_t, kTarTrailerBytes> kZeros{};
  return kZeros;
}

int64_t TarMtime(int64_t mtime_ns) {
  constexpr int64_t kNsPerS = 1'000'000'000;
  int64_t seconds = mtime_ns / kNsPerS;
  int64_t rest = mtime_ns % kNsPerS;
  if (rest < 0) rest += kNsPerS, seconds--;
  return rest >= kNsPerS / 2 ? seconds + 1 : seconds;
}

}  // namespace walrig
