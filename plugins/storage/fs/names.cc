#include "plugins/storage/fs/names.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>

namespace walrig::fs {
namespace {

constexpr std::string_view kMark = ".tmp.";
constexpr size_t kStampBytes = 16;  // 20261123T101112Z
constexpr size_t kHexBytes = 16;
static_assert(kTempSuffixBytes == kMark.size() + kStampBytes + 1 + kHexBytes);

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }

Status Bad(std::string_view key, const char* why) {
  // The key is a stranger's: what a terminal would obey is not printed.
  std::string shown;
  for (const char c : key.substr(0, 80)) shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return NameInvalid("object name \"" + shown + (key.size() > 80 ? "...\": " : "\": ") + why);
}

}  // namespace

Status CheckKey(std::string_view key) {
  if (key.empty()) return Bad(key, "is empty");
  if (key.size() > kKeyBytesMax) return Bad(key, "is longer than 1024 bytes");
  if (key.find('\0') != std::string_view::npos) return Bad(key, "holds a zero byte");
  size_t begin = 0;
  while (true) {
    const size_t end = key.find('/', begin);
    const std::string_view part = key.substr(begin, end == std::string_view::npos ? end : end - begin);
    if (part.empty()) return Bad(key, "has an empty part");
    if (part == "." || part == "..") return Bad(key, "has a part that means a directory");
    if (part.size() > kPartBytesMax) return Bad(key, "has a part longer than 255 bytes");
    if (end == std::string_view::npos) {
      return IsTempName(part) ? Bad(key, "looks like a temporary file's name") : OkStatus();
    }
    begin = end + 1;
  }
}

std::pair<std::string, std::string> SplitKey(std::string_view key) {
  const size_t slash = key.rfind('/');
  if (slash == std::string_view::npos) return {std::string(), std::string(key)};
  return {std::string(key.substr(0, slash)), std::string(key.substr(slash + 1))};
}

bool IsTempName(std::string_view name) {
  if (name.size() < kTempSuffixBytes) return false;
  const std::string_view suffix = name.substr(name.size() - kTempSuffixBytes);
  if (suffix.substr(0, kMark.size()) != kMark) return false;
  const std::string_view stamp = suffix.substr(kMark.size(), kStampBytes);
  for (size_t i = 0; i < kStampBytes; ++i) {
    const bool right = i == 8 ? stamp[i] == 'T' : i == 15 ? stamp[i] == 'Z' : IsDigit(stamp[i]);
    if (!right) return false;
  }
  if (suffix[kMark.size() + kStampBytes] != '-') return false;
  for (const char c : suffix.substr(kMark.size() + kStampBytes + 1)) {
    if (!IsHex(c)) return false;
  }
  return true;
}

std::string TempName(std::string_view name, int64_t wall_ns) {
  const time_t seconds = static_cast<time_t>(wall_ns / 1'000'000'000);
  tm utc{};
  ::gmtime_r(&seconds, &utc);
  uint64_t random = 0;
  if (::getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random) {
    // Only uniqueness is needed, and O_EXCL guards it.
    random = static_cast<uint64_t>(wall_ns) * 0x9E3779B97F4A7C15u ^ static_cast<uint64_t>(::getpid());
  }
  char stamp[32];
  if (::strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc) != kStampBytes) {
    std::snprintf(stamp, sizeof stamp, "19700101T000000Z");
  }
  char suffix[64];
  const int n = std::snprintf(suffix, sizeof suffix, ".tmp.%s-%016llx", stamp, static_cast<unsigned long long>(random));
  return std::string(name.substr(0, kPartBytesMax - kTempSuffixBytes)).append(suffix, static_cast<size_t>(n));
}

}  // namespace walrig::fs
