#include "plugins/storage/gcs/place.h"

#include <fmt/format.h>

#include <charconv>

#include "plugins/common/http/response.h"
#include "plugins/common/http/text.h"
#include "walrig/storage.h"

namespace walrig::gcs {
namespace {

constexpr size_t kObjectNameBytesMax = 1024;
constexpr std::string_view kOurUploads = "walrig-";

// Without surrogates, overlong forms and what is above U+10FFFF.
bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t more = lead < 0x80 ? 0 : lead >= 0xC2 && lead < 0xE0 ? 1 : lead >= 0xE0 && lead < 0xF0 ? 2
                        : lead >= 0xF0 && lead < 0xF5 ? 3 : SIZE_MAX;
    if (more == SIZE_MAX || more >= text.size() - i) return false;
    for (size_t k = 1; k <= more; ++k) {
      if ((static_cast<uint8_t>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    const uint8_t second = more > 0 ? static_cast<uint8_t>(text[i + 1]) : uint8_t{0};
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
        (lead == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += more + 1;
  }
  return true;
}

std::string Normalized(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c == '/' && (out.empty() || out.back() == '/')) continue;
    out += c;
  }
  return out;
}

}  // namespace

Result<Place> ParsePlace(std::string_view prefix, bool normalize) {
  constexpr std::string_view kScheme = "gs://";
  const auto wrong = [&](std::string_view why) {
    return ConfigError(fmt::format("the prefix {} {}", PrintableLine(prefix), why)).Hint("write gs://bucket/path");
  };
  if (prefix.substr(0, kScheme.size()) != kScheme) return wrong("does not begin with gs://");
  prefix.remove_prefix(kScheme.size());
  const size_t slash = prefix.find('/');
  Place place;
  place.bucket = prefix.substr(0, slash);
  if (place.bucket.size() < 3 || place.bucket.size() > 222) return wrong("names no bucket");
  for (const char c : place.bucket) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    if (!fine) return wrong("names a bucket with other letters than a-z, 0-9, '-', '_' and '.'");
  }
  const std::string_view path = slash == std::string_view::npos ? std::string_view() : prefix.substr(slash + 1);
  place.prefix = normalize ? Normalized(path) : std::string(path);
  if (!place.prefix.empty() && place.prefix.back() != '/') place.prefix += '/';
  if (!IsUtf8(place.prefix) || place.prefix.size() > kObjectNameBytesMax / 2) return wrong("is no UTF-8 or too long");
  return place;
}

Result<std::string> ParseEndpoint(std::string_view text, std::string_view scheme_default) {
  std::string url(text);
  if (url.find("://") == std::string::npos && !scheme_default.empty()) url = fmt::format("{}://{}", scheme_default, url);
  while (!url.empty() && url.back() == '/') url.pop_back();
  const Result<http::Url> parsed = http::ParseUrl(url);
  if (!parsed.ok() || !parsed->query.empty()) {
    return ConfigError(fmt::format("the endpoint {} is no URL", PrintableLine(text))).Hint("write https://host:port");
  }
  return parsed->ToString();
}

Status CheckKey(std::string_view prefix, std::string_view key) {
  const auto refuse = [&](std::string_view why) {
    return NameInvalid(fmt::format("gcs cannot hold the name {}: {}", PrintableLine(key), why));
  };
  if (key.empty()) return refuse("it is empty");
  if (prefix.size() + key.size() > kObjectNameBytesMax) return refuse("it is longer than 1024 bytes");
  if (!IsUtf8(key)) return refuse("it is not UTF-8");
  for (const char c : key) {
    if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) return refuse("it has a control byte");
  }
  if (IsPiece(key)) return refuse("pieces of uploads stand below _chunks/");
  for (size_t begin = 0; begin <= key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view part = key.substr(begin, end - begin);
    // Many tools change such names, so they are refused although a bucket could hold them.
    if (part.empty() || part == "." || part == "..") return refuse("a part of it is empty, '.' or '..'");
    begin = end + 1;
  }
  if (prefix.empty() && key.starts_with(".well-known/acme-challenge/")) return refuse("the server reserves it");
  return OkStatus();
}

bool IsPiece(std::string_view name) { return name.find(kChunksMark) != std::string_view::npos; }

PieceName SplitPiece(std::string_view name) {
  const size_t at = name.find(kChunksMark);
  if (at == std::string_view::npos) return {name, {}};
  PieceName piece{name.substr(0, at), {}};
  const std::string_view rest = name.substr(at + kChunksMark.size());
  const size_t slash = rest.find('/');
  if (slash != std::string_view::npos && rest.starts_with(kOurUploads)) piece.upload = rest.substr(0, slash);
  return piece;
}

std::string NewUploadFolder(std::string_view key, int64_t now_ns, uint64_t seed) {
  return fmt::format("{}{}{}{:016x}-{:016x}/", key, kChunksMark, kOurUploads, static_cast<uint64_t>(now_ns), seed);
}

int64_t UploadStartNs(std::string_view upload) {
  if (!upload.starts_with(kOurUploads)) return kUnknownTime;
  const std::string_view digits = upload.substr(kOurUploads.size(), 16);
  int64_t ns = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ns, 16);
  return error == std::errc() && end == digits.data() + digits.size() && digits.size() == 16 ? ns : kUnknownTime;
}

}  // namespace walrig::gcs
