#include "plugins/storage/azure/block_id.h"

#include <fmt/format.h>
#include <sys/random.h>

#include "plugins/common/http/digest.h"

namespace walrig::azure {
namespace {

constexpr std::string_view kMark = "walrig1-";
constexpr size_t kIdBytes = 8 + 8 + 16 + 8;
constexpr int64_t kSecondNs = 1'000'000'000;

}  // namespace

WriterId NewWriterId(int64_t wall_ns) {
  WriterId id;
  id.started_s = static_cast<uint32_t>(wall_ns / kSecondNs);
  // Without random bytes from the system the clock's have to do.
  if (::getrandom(&id.random, sizeof id.random, 0) != sizeof id.random) id.random = static_cast<uint64_t>(wall_ns);
  return id;
}

std::string BlockId(const WriterId& writer, uint32_t number) {
  return http::Base64Of(AsBytes(fmt::format("{}{:08x}{:016x}{:08x}", kMark, writer.started_s, writer.random, number)));
}

std::optional<int64_t> StartedNs(std::string_view block_id) {
  const Result<std::string> text = http::Base64Decode(block_id);
  if (!text.ok() || text->size() != kIdBytes || !text->starts_with(kMark)) return std::nullopt;
  int64_t seconds = 0;
  for (const char c : text->substr(kMark.size(), 8)) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return std::nullopt;
    seconds = seconds * 16 + digit;
  }
  return seconds * kSecondNs;
}

}  // namespace walrig::azure
