#include "plugins/storage/s3/signer.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/text.h"

namespace walrig::s3 {
namespace {

std::string LowerName(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Runs of blanks count as one.
std::string Squeezed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    out += c;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

http::Sha256Digest SigningKey(const SecretBytes& secret, std::string_view day, std::string_view region, std::string_view service) {
  // "AWS4" and the secret, in memory that is wiped.
  std::string first = "AWS4";
  first.reserve(4 + secret.size());
  first.append(secret.text());
  auto key = http::HmacSha256(AsBytes(first), AsBytes(day));
  Wipe({reinterpret_cast<uint8_t*>(first.data()), first.size()});
  key = http::HmacSha256(key, AsBytes(region));
  key = http::HmacSha256(key, AsBytes(service));
  return http::HmacSha256(key, AsBytes(std::string_view("aws4_request")));
}

}  // namespace

std::string CanonicalQuery(Query query) {
  for (auto& [name, value] : query) {
    name = http::PercentEncode(name);
    value = http::PercentEncode(value);
  }
  std::sort(query.begin(), query.end());
  std::string text;
  for (const auto& [name, value] : query) text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, value);
  return text;
}

void Sign(const ToSign& request, const Credentials& credentials, HttpHeaders* headers) {
  const std::string time = http::BasicIsoTime(request.wall_ns);
  const std::string day = time.substr(0, 8);
  headers->emplace_back("x-amz-date", time);
  if (request.service == "s3") headers->emplace_back("x-amz-content-sha256", request.payload_hash);
  if (!credentials.session_token.empty()) headers->emplace_back("x-amz-security-token", credentials.session_token);

  std::vector<std::pair<std::string, std::string>> to_sign = {{"host", std::string(request.authority)}};
  for (const auto& [name, value] : *headers) {
    std::string lower = LowerName(name);
    const bool wanted = lower.substr(0, 6) == "x-amz-" || lower == "content-type" || lower == "content-md5";
    if (wanted) to_sign.emplace_back(std::move(lower), Squeezed(value));
  }
  std::sort(to_sign.begin(), to_sign.end());
  std::string canonical_headers, names;
  for (const auto& [name, value] : to_sign) {
    canonical_headers += fmt::format("{}:{}\n", name, value);
    names += (names.empty() ? "" : ";") + name;
  }
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.encoded_path, request.query,
                                            canonical_headers, names, request.payload_hash);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, request.region, request.service);
  const std::string text = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope,
                                       http::HexOf(http::Sha256Of(AsBytes(canonical))));
  const auto key = SigningKey(credentials.secret_key, day, request.region, request.service);
  headers->emplace_back("Authorization",
                        fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                                    credentials.access_key, scope, names, http::HexOf(http::HmacSha256(key, AsBytes(text)))));
}

}  // namespace walrig::s3
