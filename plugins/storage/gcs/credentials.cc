#include "plugins/storage/gcs/credentials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "plugins/common/http/document.h"
#include "plugins/common/http/response.h"
#include "plugins/common/http/text.h"

namespace walrig::gcs {
namespace {

using http::HttpJson;
using http::JsonMember;

constexpr size_t kFileBytesMax = 256 * 1024;
constexpr int kNestingMax = 2;
constexpr const char* kGoogleTokenUrl = "https://oauth2.googleapis.com/token";

sdk::Secret SecretFrom(const std::string& text) { return sdk::Secret(std::vector<char>(text.begin(), text.end())); }

Status Missing(std::string_view type, std::string_view member) {
  return ConfigError(fmt::format("the credentials of type {} have no {}", type, member));
}

// A token must not travel in the clear, but for servers on this machine.
Status CheckUrl(std::string_view member, const std::string& text, bool local_http) {
  const Result<http::Url> url = http::ParseUrl(text);
  if (!url.ok()) return ConfigError(fmt::format("{} in the credentials is no URL", member));
  const std::string& host = url->host;
  const bool here = host == "localhost" || host == "127.0.0.1" || host == "[::1]" ||
                    (local_http && (host == "169.254.169.254" || host == "metadata.google.internal"));
  if (url->scheme == "https" || here) return OkStatus();
  return ConfigError(fmt::format("{} in the credentials is not https", member));
}

Result<Credentials> FromServiceAccount(const HttpJson& json) {
  Credentials c;
  c.kind = CredentialKind::kServiceAccount;
  c.email = JsonMember(json, "client_email");
  c.key_id = JsonMember(json, "private_key_id");
  c.private_key = SecretFrom(JsonMember(json, "private_key"));
  c.token_url = JsonMember(json, "token_uri");
  if (c.token_url.empty()) c.token_url = kGoogleTokenUrl;
  if (c.email.empty()) return Missing("service_account", "client_email");
  if (c.private_key.bytes().empty()) return Missing("service_account", "private_key");
  WALRIG_TRY(CheckUrl("token_uri", c.token_url, false));
  return c;
}

Result<Credentials> FromUser(const HttpJson& json) {
  Credentials c;
  c.kind = CredentialKind::kAuthorizedUser;
  c.client_id = JsonMember(json, "client_id");
  c.client_secret = SecretFrom(JsonMember(json, "client_secret"));
  c.refresh_token = SecretFrom(JsonMember(json, "refresh_token"));
  c.token_url = JsonMember(json, "token_uri");
  if (c.token_url.empty()) c.token_url = kGoogleTokenUrl;
  if (c.client_id.empty()) return Missing("authorized_user", "client_id");
  if (c.refresh_token.bytes().empty()) return Missing("authorized_user", "refresh_token");
  WALRIG_TRY(CheckUrl("token_uri", c.token_url, false));
  return c;
}

Status ReadSubject(const HttpJson& from, Credentials* c) {
  c->subject_file = JsonMember(from, "file");
  c->subject_url = JsonMember(from, "url");
  if (c->subject_file.empty() && c->subject_url.empty()) {
    return NotSupported("credential_source has neither file nor url: other sources are not supported")
        .Hint("let a helper write the token into a file, and name that file");
  }
  if (!c->subject_url.empty()) WALRIG_TRY(CheckUrl("credential_source.url", c->subject_url, true));
  if (const auto headers = from.find("headers"); headers != from.end() && headers->is_object()) {
    for (const auto& [name, value] : headers->items()) {
      if (!value.is_string()) return ConfigError("a header of credential_source is no text");
      const std::string text = value.get<std::string>();
      if ((name + text).find_first_of("\r\n") != std::string::npos) return ConfigError("a header of credential_source has a line end");
      c->subject_headers.emplace_back(name, text);
    }
  }
  if (const auto format = from.find("format"); format != from.end() && format->is_object()) {
    if (JsonMember(*format, "type") == "json") {
      c->subject_field = JsonMember(*format, "subject_token_field_name");
      if (c->subject_field.empty()) return Missing("external_account", "subject_token_field_name");
    }
  }
  return OkStatus();
}

Result<Credentials> FromExternal(const HttpJson& json) {
  Credentials c;
  c.kind = CredentialKind::kExternal;
  c.audience = JsonMember(json, "audience");
  c.subject_token_type = JsonMember(json, "subject_token_type");
  c.token_url = JsonMember(json, "token_url");
  c.impersonation_url = JsonMember(json, "service_account_impersonation_url");
  if (c.audience.empty()) return Missing("external_account", "audience");
  if (c.subject_token_type.empty()) return Missing("external_account", "subject_token_type");
  if (c.token_url.empty()) c.token_url = "https://sts.googleapis.com/v1/token";
  WALRIG_TRY(CheckUrl("token_url", c.token_url, false));
  if (!c.impersonation_url.empty()) {
    WALRIG_TRY(CheckUrl("service_account_impersonation_url", c.impersonation_url, false));
  }
  const auto source = json.find("credential_source");
  if (source == json.end() || !source->is_object()) return Missing("external_account", "credential_source");
  WALRIG_TRY(ReadSubject(*source, &c));
  return c;
}

Result<Credentials> FromJson(const HttpJson& json, int nesting) {
  if (!json.is_object()) return ConfigError("the credentials are no JSON object");
  const std::string type = JsonMember(json, "type");
  Result<Credentials> got = NotSupported(fmt::format("credentials of type '{}' are not supported", PrintableLine(type)));
  if (type == "service_account") got = FromServiceAccount(json);
  if (type == "authorized_user") got = FromUser(json);
  if (type == "external_account") got = FromExternal(json);
  if (type == "impersonated_service_account") {
    const auto source = json.find("source_credentials");
    if (source == json.end()) return Missing(type, "source_credentials");
    if (nesting >= kNestingMax) return ConfigError("the credentials are nested too deeply");
    WALRIG_ASSIGN(Credentials inner, FromJson(*source, nesting + 1));
    Credentials c;
    c.kind = CredentialKind::kImpersonated;
    c.impersonation_url = JsonMember(json, "service_account_impersonation_url");
    if (c.impersonation_url.empty()) return Missing(type, "service_account_impersonation_url");
    WALRIG_TRY(CheckUrl("service_account_impersonation_url", c.impersonation_url, false));
    c.source = std::make_unique<Credentials>(std::move(inner));
    got = std::move(c);
  }
  if (got.ok()) {
    got->quota_project = JsonMember(json, "quota_project_id");
    if (got->quota_project.find_first_of("\r\n") != std::string::npos) return ConfigError("quota_project_id has a line end");
  }
  return got;
}

std::string Env(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Result<Credentials> FromFile(const std::string& path) {
  WALRIG_ASSIGN(const sdk::Secret text, ReadSecretFile(path, kFileBytesMax));
  Result<Credentials> got = ParseCredentials(text.bytes());
  if (!got.ok()) return std::move(got).status().With(path);
  return got;
}

}  // namespace

Result<sdk::Secret> ReadSecretFile(const std::string& path, size_t bytes_max) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const int error = errno;
    const std::string text = fmt::format("{}: {}", path, std::strerror(error));
    if (error == ENOENT || error == ENOTDIR) return ConfigError(text);
    return error == EACCES ? PermissionDenied(text) : IoError(text);
  }
  std::vector<char> bytes(bytes_max + 1);
  size_t got = 0;
  ssize_t n = 0;
  while (got < bytes.size() && (n = ::read(fd, bytes.data() + got, bytes.size() - got)) > 0) got += static_cast<size_t>(n);
  const int error = errno;
  ::close(fd);
  sdk::Secret all(std::move(bytes));
  if (n < 0) return IoError(fmt::format("{}: {}", path, std::strerror(error)));
  if (got > bytes_max) return TooLarge(fmt::format("{} is larger than {} bytes", path, bytes_max));
  return sdk::Secret(std::vector<char>(all.bytes().begin(), all.bytes().begin() + static_cast<std::ptrdiff_t>(got)));
}

Result<Credentials> ParseCredentials(std::string_view json) {
  const Result<HttpJson> parsed = http::ParseHttpJson(json, "the credentials");
  // The parser's own message may quote what it met.
  if (!parsed.ok()) return ConfigError("the credentials are no JSON");
  return FromJson(*parsed, 0);
}

Result<Credentials> FindCredentials(const Context& ctx, const std::string& file) {
  if (!file.empty()) return FromFile(file);
  if (const std::string named = Env("GOOGLE_APPLICATION_CREDENTIALS"); !named.empty()) return FromFile(named);
  std::string folder = Env("CLOUDSDK_CONFIG");
  if (const std::string home = Env("HOME"); folder.empty() && !home.empty()) folder = home + "/.config/gcloud";
  if (!folder.empty()) {
    const std::string path = folder + "/application_default_credentials.json";
    if (::access(path.c_str(), R_OK) == 0) return FromFile(path);
  }
  Credentials machine;
  machine.kind = CredentialKind::kMetadata;
  const std::string host = Env("GCE_METADATA_HOST");
  machine.metadata_url = "http://" + (host.empty() ? std::string("metadata.google.internal") : host);
  ctx.log->Write(LogLevel::kDebug, "gcs", "no credentials file: asking the metadata server for tokens");
  return machine;
}

Result<sdk::Secret> SubjectToken(std::string_view text, const std::string& field) {
  std::string token(text);
  if (!field.empty()) {
    const Result<HttpJson> json = http::ParseHttpJson(text, "the subject's token");
    token = json.ok() ? JsonMember(*json, field.c_str()) : std::string();
  }
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.empty()) return Status(Code::kUnauthenticated, "the source of the subject's token gave none");
  sdk::Secret secret = SecretFrom(token);
  sdk::Secret::WipeBytes(token.data(), token.size());
  return secret;
}

}  // namespace walrig::gcs
