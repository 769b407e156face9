#include "core/plugin/pins.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/io/durable_file.h"

namespace walrig {
namespace {

constexpr uint64_t kLockBytesMax = 1 << 20;
constexpr std::string_view kHashHead = "sha256:";

bool IsHash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::vector<std::string> Words(std::string_view line) {
  std::vector<std::string> words;
  for (std::string& word : Split(line, ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

Result<std::vector<Pin>> ParsePins(std::string_view text, std::string_view path) {
  std::vector<Pin> pins;
  size_t number = 0;
  for (const std::string& line : Split(text, '\n')) {
    ++number;
    const std::string_view content = Trim(line);
    if (content.empty() || content[0] == '#') continue;
    const std::vector<std::string> words = Words(content);
    if (words.size() != 4 || !StartsWith(words[3], kHashHead) || !IsHash(words[3].substr(kHashHead.size()))) {
      return ConfigError(fmt::format("{} line {} is not of the form ID VERSION TRIPLET sha256:HEX", path, number))
          .Hint("write the file anew with `walrig plugin verify --lock`");
    }
    pins.push_back({words[0], words[1], words[2], words[3].substr(kHashHead.size())});
  }
  return pins;
}

std::string FormatPins(std::vector<Pin> pins) {
  std::sort(pins.begin(), pins.end(), [](const Pin& a, const Pin& b) {
    return std::tie(a.id, a.triplet, a.version) < std::tie(b.id, b.triplet, b.version);
  });
  std::string text = "# Plugins that walrig may load: id version triplet sha256. Made by `walrig plugin verify --lock`.\n";
  for (const Pin& pin : pins) {
    text += fmt::format("{} {} {} {}{}\n", pin.id, pin.version, pin.triplet, kHashHead, pin.sha256);
  }
  return text;
}

Result<std::vector<Pin>> LoadPins(const std::string& path, const TrustPolicy& trust) {
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(path, error).string();
  TrustVerdict verdict = CheckTrustedData(absolute, trust);
  if (verdict.problem == TrustProblem::kMissing) return std::move(verdict.status);
  if (!verdict.status.ok()) return std::move(verdict.status).With("the pins are not trusted");
  WALRIG_ASSIGN(const std::string text, ReadWholeFile(path, kLockBytesMax));
  return ParsePins(text, path);
}

Status SavePins(const Context& ctx, const std::string& path, const std::vector<Pin>& pins) {
  if (const size_t slash = path.rfind('/'); slash != std::string::npos && slash != 0) {
    ::mkdir(path.substr(0, slash).c_str(), 0755);  // /etc/walrig; what is wrong with it, the write will say
  }
  return WriteFileDurably(ctx, path, FormatPins(pins), {.mode = 0644});
}

Status CheckPin(const std::vector<Pin>& pins, const Pin& found, std::string_view lock_path) {
  const Pin* nearest = nullptr;
  for (const Pin& pin : pins) {
    if (pin.id != found.id || pin.triplet != found.triplet) continue;
    if (pin.sha256 == found.sha256 && pin.version == found.version) return OkStatus();
    nearest = &pin;
  }
  if (nearest == nullptr) {
    return PermissionDenied(fmt::format("plugin {} {} ({}) is not pinned in {}", found.id, found.version, found.triplet,
                                        lock_path))
        .Hint("if it is wanted, add it with `walrig plugin verify --lock`");
  }
  return PermissionDenied(fmt::format("plugin {} differs from its pin in {}: pinned version {} sha256 {}, found "
                                      "version {} sha256 {}",
                                      found.id, lock_path, nearest->version, nearest->sha256, found.version,
                                      found.sha256))
      .Hint("if the change is wanted, pin it anew with `walrig plugin verify --lock`");
}

}  // namespace walrig
