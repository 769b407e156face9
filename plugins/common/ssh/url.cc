#include "plugins/common/ssh/url.h"

#include <algorithm>
#include <charconv>

namespace walrig::ssh {
namespace {

constexpr std::string_view kScheme = "ssh://";
constexpr size_t kHostBytesMax = 255;
constexpr size_t kPathBytesMax = 4096;

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> Unescape(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 1 < text.size() ? HexValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0) return ConfigError("a % that is not followed by two hexadecimal digits").Hint("write %25");
      bytes += static_cast<char>(high * 16 + low);
      i += 2;
    } else if (text[i] == '?' || text[i] == '#') {
      return ConfigError("a ? or # has no meaning in it").Hint("write %3F or %23 when it is a part of the path");
    } else {
      bytes += text[i];
    }
  }
  if (bytes.find('\0') != std::string::npos) return ConfigError("a zero byte in it");
  return bytes;
}

Result<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return ConfigError("the port is no number from 1 to 65535");
  }
  return port;
}

Status ParseHostPort(std::string_view text, SshUrl* url) {
  std::string_view host = text, port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return ConfigError("a [ without its ]");
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') return ConfigError("something else than a port after the ]");
    if (!rest.empty()) port = rest.substr(1);
    if (!rest.empty() && port.empty()) return ConfigError("no port after the colon");
  } else if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.find(':') != std::string_view::npos) {
      return ConfigError("more than one colon").Hint("an IPv6 address stands in brackets: ssh://[::1]/path");
    }
    if (port.empty()) return ConfigError("no port after the colon");
  }
  if (host.empty()) return ConfigError("no host").Hint("it looks like ssh://user@host/path");
  if (host.size() > kHostBytesMax) return ConfigError("the host's name is too long");
  const bool strange = std::any_of(host.begin(), host.end(), [](char c) {
    return IsControl(c) || c == ' ' || c == ',' || c == '*' || c == '!' || c == '%' || c == '|' || c == '[' || c == ']';
  });
  if (strange || host[0] == '-') return ConfigError("the host's name has a character that no host has");
  url->host = host;
  if (port.empty()) return OkStatus();
  WALRIG_ASSIGN(url->port, ParsePort(port));
  return OkStatus();
}

std::string CleanSlashes(const std::string& path) {
  std::string clean = "/";
  for (const char c : path) {
    if (c != '/' || clean.back() != '/') clean += c;
  }
  if (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  return clean;
}

Result<SshUrl> Parse(std::string_view text) {
  if (!text.starts_with(kScheme)) return ConfigError("it does not begin with ssh://");
  text.remove_prefix(kScheme.size());
  const size_t slash = std::min(text.find('/'), text.size());
  std::string_view authority = text.substr(0, slash);
  SshUrl url;
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = authority.substr(0, at);
    if (user.find(':') != std::string_view::npos) {
      return ConfigError("a password does not belong into it").Hint("use SSH_PASSWORD or WALRIG_SSH_PASSWORD_FILE");
    }
    WALRIG_ASSIGN(url.user, Unescape(user));
    if (url.user.empty() || std::any_of(url.user.begin(), url.user.end(), IsControl)) {
      return ConfigError("the user before the @ is none");
    }
    authority.remove_prefix(at + 1);
  }
  WALRIG_TRY(ParseHostPort(authority, &url));
  WALRIG_ASSIGN(const std::string path, Unescape(text.substr(slash)));
  if (path.size() > kPathBytesMax) return ConfigError("the path is too long");
  url.path = CleanSlashes(path);
  // What lies behind ".." depends on links of the server: the same storage must have one name.
  if ((url.path + "/").find("/../") != std::string::npos || (url.path + "/").find("/./") != std::string::npos) {
    return ConfigError("a . or .. in its path").Hint("write the path without it");
  }
  return url;
}

}  // namespace

Result<SshUrl> ParseSshUrl(std::string_view text) {
  Result<SshUrl> url = Parse(text);
  if (url.ok()) return url;
  return std::move(url).status().With("option prefix (WALG_SSH_PREFIX)").Hint("it looks like ssh://user@host:22/path");
}

}  // namespace walrig::ssh
