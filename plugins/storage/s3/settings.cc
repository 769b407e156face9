#include "plugins/storage/s3/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/document.h"

namespace walrig::s3 {
namespace {

constexpr uint64_t kMillisecondNs = 1'000'000;
constexpr uint64_t kPartBytesMin = 5u << 20;
constexpr uint64_t kPartBytesMax = 5ull << 30;
constexpr int64_t kRetentionMaxS = int64_t{100} * 366 * 86'400;  // far below where a date in nanoseconds overflows

std::string_view WithoutSlashes(std::string_view text) {
  while (!text.empty() && text.front() == '/') text.remove_prefix(1);
  while (!text.empty() && text.back() == '/') text.remove_suffix(1);
  return text;
}

Status AddHeader(std::string name, std::string value, HttpHeaders* into) {
  if (name.empty()) return ConfigError("request_headers: a header without a name");
  into->emplace_back(std::move(name), std::move(value));
  return OkStatus();
}

Status AddJsonHeaders(const http::HttpJson& json, HttpHeaders* into) {
  if (json.is_array()) {
    for (const http::HttpJson& one : json) WALRIG_TRY(AddJsonHeaders(one, into));
    return OkStatus();
  }
  if (!json.is_object()) return ConfigError("request_headers: neither a map nor a list of maps");
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) return ConfigError(fmt::format("request_headers: {} is no text", name));
    WALRIG_TRY(AddHeader(name, value.get<std::string>(), into));
  }
  return OkStatus();
}

Result<std::string> SecretText(const sdk::ConfigReader& config, const char* name) {
  Result<sdk::Secret> secret = config.SecretOf(name);
  if (!secret.ok() && secret.status().code() == Code::kNotFound) return std::string();
  if (!secret.ok()) return secret.status();
  return std::string(secret->bytes());
}

Status ReadCredentialOptions(const sdk::ConfigReader& config, CredentialOptions* into) {
  WALRIG_ASSIGN(into->access_key, SecretText(config, "access_key"));
  WALRIG_ASSIGN(into->secret_key, SecretText(config, "secret_key"));
  WALRIG_ASSIGN(into->session_token, SecretText(config, "session_token"));
  WALRIG_ASSIGN(into->role_arn, config.TextOr("role_arn", ""));
  WALRIG_ASSIGN(into->role_session_name, config.TextOr("role_session_name", "walrig"));
  WALRIG_ASSIGN(into->external_id, config.TextOr("external_id", ""));
  WALRIG_ASSIGN(into->web_identity_token_file, config.TextOr("web_identity_token_file", ""));
  WALRIG_ASSIGN(into->profile, config.TextOr("profile", ""));
  WALRIG_ASSIGN(into->config_file, config.TextOr("config_file", ""));
  WALRIG_ASSIGN(into->credentials_file, config.TextOr("credentials_file", ""));
  WALRIG_ASSIGN(into->sts_endpoint, config.TextOr("sts_endpoint", ""));
  WALRIG_ASSIGN(into->imds_endpoint, config.TextOr("imds_endpoint", ""));
  WALRIG_ASSIGN(into->anonymous, config.BoolOr("anonymous", false));
  if (into->access_key.empty() != into->secret_key.empty()) {
    return ConfigError(into->access_key.empty() ? "secret_key is set, but access_key is not"
                                                : "access_key is set, but secret_key is not");
  }
  return OkStatus();
}

// Settings of WAL-G that lead to another server or other keys: to ignore them would send the objects elsewhere.
Status RefuseOtherPlaces(const sdk::ConfigReader& config) {
  WALRIG_ASSIGN(const std::string source, config.TextOr("endpoint_source", ""));
  if (!source.empty()) {
    return NotSupported("endpoint_source (S3_ENDPOINT_SOURCE) is not supported").Hint("set AWS_ENDPOINT to the server's URL");
  }
  WALRIG_ASSIGN(const std::string token, config.TextOr("yc_session_token", ""));
  if (!token.empty() && token != "false") {
    return NotSupported("yc_session_token (S3_USE_YC_SESSION_TOKEN) is not supported")
        .Hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a static key");
  }
  return OkStatus();
}

Status ReadEncryption(const sdk::ConfigReader& config, Settings* s) {
  WALRIG_ASSIGN(s->sse, config.TextOr("sse", ""));
  WALRIG_ASSIGN(s->sse_kms_id, config.TextOr("sse_kms_id", ""));
  WALRIG_ASSIGN(const std::string customer_key, SecretText(config, "sse_c_key"));
  if ((s->sse == "aws:kms" || s->sse == "aws:kms:dsse") == s->sse_kms_id.empty()) {
    return ConfigError("sse=aws:kms and sse_kms_id go together");
  }
  if (customer_key.empty()) return OkStatus();
  if (!s->sse.empty() && s->sse != "AES256") return ConfigError("sse_c_key goes only with sse=AES256");
  // WAL-G takes the key's own bytes; base64 of 32 bytes is what others take.
  s->sse_c_key = customer_key;
  if (customer_key.size() != 32) {
    const Result<std::string> decoded = http::Base64Decode(customer_key);
    if (!decoded.ok() || decoded->size() != 32) return ConfigError("sse_c_key is neither 32 bytes nor base64 of 32 bytes");
    s->sse_c_key = *decoded;
  }
  return OkStatus();
}

Status ReadObjectOptions(const sdk::ConfigReader& config, Settings* s) {
  WALRIG_ASSIGN(s->storage_class, config.TextOr("storage_class", ""));
  WALRIG_ASSIGN(s->tags, config.TextOr("tags", ""));
  WALRIG_ASSIGN(s->acl, config.TextOr("acl", ""));
  WALRIG_ASSIGN(s->retention_s, config.IntOr("retention_period", -1));
  if (s->retention_s > kRetentionMaxS) return ConfigError("retention_period: more than 100 years are not possible");
  WALRIG_ASSIGN(s->retention_mode, config.TextOr("retention_mode", "GOVERNANCE"));
  if (s->retention_s > 0 && s->retention_mode != "GOVERNANCE" && s->retention_mode != "COMPLIANCE") {
    return ConfigError("retention_mode is neither GOVERNANCE nor COMPLIANCE");
  }
  WALRIG_ASSIGN(const std::string checksum, config.TextOr("checksum", "crc32c"));
  s->checksum = checksum == "crc32c";
  WALRIG_ASSIGN(s->put_if_absent, config.BoolOr("put_if_absent", true));
  WALRIG_ASSIGN(const std::string versioning, config.TextOr("versioning", "auto"));
  s->versions = versioning == "enabled" ? Versions::kAll : versioning == "auto" ? Versions::kAsk : Versions::kNewest;
  return OkStatus();
}

Status ReadTraffic(const sdk::ConfigReader& config, Settings* s) {
  WALRIG_ASSIGN(s->ca_file, config.TextOr("ca_file", ""));
  WALRIG_ASSIGN(s->proxy, config.TextOr("proxy", ""));
  WALRIG_ASSIGN(const uint64_t connect_ns, config.UintOr("connect_timeout", 10'000 * kMillisecondNs));
  WALRIG_ASSIGN(const uint64_t stall_ns, config.UintOr("stall_timeout", 60'000 * kMillisecondNs));
  s->connect_timeout_ms = connect_ns / kMillisecondNs;
  s->stall_timeout_ms = stall_ns / kMillisecondNs;
  WALRIG_ASSIGN(s->list_v1, config.BoolOr("list_v1", false));
  WALRIG_ASSIGN(const bool no_continue, config.BoolOr("disable_100_continue", false));
  s->expect_continue = !no_continue;
  WALRIG_ASSIGN(s->delete_batch, config.UintOr("delete_batch_size", 1000));
  if (s->delete_batch == 0 || s->delete_batch > 1000) return ConfigError("delete_batch_size is between 1 and 1000");
  WALRIG_ASSIGN(s->part_bytes_max, config.UintOr("max_part_size", 20u << 20));
  s->part_bytes_max = std::clamp(s->part_bytes_max, kPartBytesMin, kPartBytesMax);
  WALRIG_ASSIGN(s->copy_part_bytes, config.UintOr("copy_part_size", 512u << 20));
  if (s->copy_part_bytes < kPartBytesMin || s->copy_part_bytes > kPartBytesMax) {
    return ConfigError("copy_part_size is between 5 MiB and 5 GiB");
  }
  WALRIG_ASSIGN(s->concurrency, config.UintOr("upload_concurrency", 16));
  if (s->concurrency == 0) s->concurrency = 1;
  WALRIG_ASSIGN(const std::string headers, config.TextOr("request_headers", ""));
  WALRIG_ASSIGN(s->extra_headers, ParseExtraHeaders(headers));
  return OkStatus();
}

}  // namespace

Status SplitPrefix(std::string_view prefix, std::string* bucket, std::string* folder) {
  constexpr std::string_view kScheme = "s3://";
  if (prefix.substr(0, kScheme.size()) != kScheme) {
    return ConfigError("prefix does not begin with s3://").Hint("set WALG_S3_PREFIX=s3://bucket/path");
  }
  prefix = WithoutSlashes(prefix.substr(kScheme.size()));
  const size_t slash = prefix.find('/');
  *bucket = prefix.substr(0, slash);
  const std::string_view path = slash == std::string_view::npos ? std::string_view() : WithoutSlashes(prefix.substr(slash));
  *folder = path.empty() ? "" : std::string(path) + "/";
  const bool odd = bucket->find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") !=
                   std::string::npos;
  if (bucket->size() < 3 || bucket->size() > 255 || odd) return ConfigError("prefix names no bucket as S3 allows");
  if (folder->size() > 900) return ConfigError("the path in prefix is too long");
  return OkStatus();
}

Result<HttpHeaders> ParseExtraHeaders(std::string_view text) {
  HttpHeaders headers;
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return headers;
  if (text[first] == '{' || text[first] == '[') {
    const Result<http::HttpJson> json = http::ParseHttpJson(text, "request_headers");
    if (!json.ok()) return ConfigError("request_headers is not JSON");
    WALRIG_TRY(AddJsonHeaders(*json, &headers));
    return headers;
  }
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const size_t from = line.find_first_not_of(" \t\r-");
    if (from == std::string_view::npos) continue;
    line = line.substr(from, line.find_last_not_of(" \t\r") - from + 1);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return ConfigError("request_headers: a line without a colon");
    const size_t value = line.find_first_not_of(" \t", colon + 1);
    WALRIG_TRY(AddHeader(std::string(line.substr(0, colon)),
                         value == std::string_view::npos ? std::string() : std::string(line.substr(value)), &headers));
  }
  return headers;
}

Result<Settings> Settings::From(const sdk::ConfigReader& config) {
  Settings s;
  WALRIG_ASSIGN(const std::string prefix, config.TextOr("prefix", ""));
  WALRIG_TRY(SplitPrefix(prefix, &s.bucket, &s.folder));
  WALRIG_ASSIGN(s.region, config.TextOr("region", ""));
  WALRIG_ASSIGN(s.endpoint, config.TextOr("endpoint", ""));
  WALRIG_ASSIGN(s.path_style, config.BoolOr("path_style", false));
  WALRIG_ASSIGN(s.dual_stack, config.BoolOr("dual_stack", false));
  WALRIG_TRY(ReadCredentialOptions(config, &s.credentials));
  WALRIG_TRY(RefuseOtherPlaces(config));
  WALRIG_TRY(ReadEncryption(config, &s));
  WALRIG_TRY(ReadObjectOptions(config, &s));
  WALRIG_TRY(ReadTraffic(config, &s));
  s.credentials.region = s.region;
  return s;
}

}  // namespace walrig::s3
