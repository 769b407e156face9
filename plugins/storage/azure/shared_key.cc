#include "plugins/storage/azure/shared_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/text.h"

namespace walrig::azure {
namespace {

std::string Lower(std::string_view text) {
  std::string low(text);
  for (char& c : low) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return low;
}

std::string CanonicalHeaders(const HttpHeaders& headers) {
  std::map<std::string, std::string> wanted;
  for (const auto& [name, value] : headers) {
    if (std::string low = Lower(name); low.starts_with("x-ms-")) wanted[std::move(low)] = value;
  }
  std::string text;
  for (const auto& [name, value] : wanted) text += name + ":" + value + "\n";
  return text;
}

std::string CanonicalResource(const http::Url& url, std::string_view account) {
  std::string text = fmt::format("/{}{}", account, url.path.empty() ? "/" : url.path);
  std::map<std::string, std::vector<std::string>> parameters;
  for (std::string_view rest = url.query; !rest.empty();) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = equals == pair.size() ? std::string_view() : pair.substr(equals + 1);
    parameters[Lower(http::PercentDecode(pair.substr(0, equals)))].push_back(http::PercentDecode(value));
  }
  for (auto& [name, values] : parameters) {
    std::sort(values.begin(), values.end());
    text += "\n" + name + ":";
    for (size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : ",") + values[i];
  }
  return text;
}

}  // namespace

Result<std::string> StringToSign(const HttpRequest& request, std::string_view account) {
  WALRIG_ASSIGN(const http::Url url, http::ParseUrl(request.url));
  const uint64_t length = request.BodyBytes();
  std::string text = request.method + "\n";
  for (const char* name : {"Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type", "Date",
                           "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range"}) {
    if (std::string_view(name) == "Content-Length") {
      // Since 2015-02-21 a length of zero is signed as nothing.
      text += length == 0 ? "\n" : fmt::format("{}\n", length);
    } else {
      text += fmt::format("{}\n", FindHeader(request.headers, name));
    }
  }
  return text + CanonicalHeaders(request.headers) + CanonicalResource(url, account);
}

std::string SignText(std::string_view key, std::string_view text) {
  return http::Base64Of(http::HmacSha256(AsBytes(key), AsBytes(text)));
}

std::string MakeReadSas(std::string_view key, const BlobSasInput& input) {
  constexpr std::string_view kVersion = "2020-12-06";
  const std::string expires = http::Rfc3339(input.expires_ns);
  const std::string_view protocol = input.https_only ? "https" : "https,http";
  // Permissions, start, end, resource, identifier, addresses, protocol, version, kind, snapshot, encryption scope, and
  // five headers of the answer.
  const std::string text = fmt::format("r\n\n{}\n/blob/{}/{}/{}\n\n\n{}\n{}\nb\n\n\n\n\n\n\n", expires, input.account,
                                       input.container, input.name, protocol, kVersion);
  return fmt::format("sv={}&spr={}&se={}&sr=b&sp=r&sig={}", kVersion, http::PercentEncode(protocol),
                     http::PercentEncode(expires), http::PercentEncode(SignText(key, text)));
}

}  // namespace walrig::azure
