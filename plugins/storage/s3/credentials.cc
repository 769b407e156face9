#include "plugins/storage/s3/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/document.h"
#include "plugins/common/http/response.h"
#include "plugins/common/http/text.h"
#include "plugins/common/key/key_source.h"
#include "plugins/storage/s3/signer.h"

namespace walrig::s3 {
namespace {

constexpr std::streamsize kFileBytesMax = 1 << 20;
constexpr int kProfileDepthMax = 5;
constexpr uint32_t kSlowInstanceAttempts = 3;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string FileText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  std::string text(static_cast<size_t>(kFileBytesMax), '\0');
  file.read(text.data(), kFileBytesMax);
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

std::string AwsFile(const std::string& option, const char* variable, const char* name) {
  if (!option.empty()) return option;
  std::string path = Environment(variable);
  if (path.empty()) path = Environment("HOME") + "/.aws/" + name;
  return path;
}

std::string Value(const Profile& profile, const char* key) {
  const auto at = profile.find(key);
  return at == profile.end() ? std::string() : at->second;
}

Result<Credentials> Make(std::string access_key, std::string_view secret_key, std::string session_token, std::string source) {
  if (access_key.empty() || secret_key.empty()) {
    return Status(Code::kUnauthenticated, fmt::format("{}: no access key or no secret in it", source));
  }
  // A line break would end the header.
  for (const std::string_view text : {std::string_view(access_key), std::string_view(session_token)}) {
    if (text.find_first_of("\r\n") != std::string_view::npos) {
      return Status(Code::kUnauthenticated, fmt::format("{}: a line break in a key", source));
    }
  }
  Credentials credentials;
  credentials.access_key = std::move(access_key);
  WALRIG_ASSIGN(credentials.secret_key, SecretBytes::CopyOf(AsBytes(secret_key)));
  credentials.session_token = std::move(session_token);
  credentials.source = std::move(source);
  return credentials;
}

Status NoCredentials(std::string_view what) { return NotFound(std::string(what)); }

// A source that was named and answers 404 is no source that is not there: the next one would be another identity.
Status Refusal(const HttpResponse& response, const HttpErrorText& about) {
  Status status = HttpStatusError(response.status, response.headers, about);
  if (status.code() != Code::kNotFound) return status;
  return Status(Code::kUnauthenticated, std::string(status.message())).WithDetail(status.detail());
}

// STS says some of these with 400. https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
bool SaysLater(std::string_view name) {
  constexpr std::string_view kNames[] = {"Throttling", "ThrottlingException", "RequestLimitExceeded", "IDPCommunicationError",
                                         "ServiceUnavailable", "InternalFailure"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

bool Nothing(const Result<Credentials>& found) { return !found.ok() && found.status().code() == Code::kNotFound; }

// Services of the machine answer at once or not at all.
HttpRequest LocalRequest(std::string method, std::string url) {
  HttpRequest request;
  request.method = std::move(method);
  request.url = std::move(url);
  request.bypass_proxy = true;
  request.connect_timeout_ms = 1000;
  request.total_timeout_ms = 5000;
  return request;
}

}  // namespace

Result<Credentials> CredentialsFromJson(std::string_view text, std::string_view what) {
  WALRIG_ASSIGN(const http::HttpJson json, http::ParseHttpJson(text, what));
  std::string token = http::JsonMember(json, "Token");
  if (token.empty()) token = http::JsonMember(json, "SessionToken");
  std::string secret = http::JsonMember(json, "SecretAccessKey");
  Result<Credentials> made = Make(http::JsonMember(json, "AccessKeyId"), secret, std::move(token), std::string(what));
  Wipe({reinterpret_cast<uint8_t*>(secret.data()), secret.size()});
  if (!made.ok()) return ProtocolError(std::string(made.status().message()));
  const std::string expires = http::JsonMember(json, "Expiration");
  if (!expires.empty()) {
    WALRIG_ASSIGN(made->expires_ns, http::ParseRfc3339Time(expires));
  }
  return made;
}

Result<Credentials> CredentialsFromSts(std::string_view text) {
  pugi::xml_document document;
  WALRIG_ASSIGN(const pugi::xml_node root, http::ParseXml(text, "the answer of STS", &document));
  for (const pugi::xml_node& result : root.children()) {
    for (const pugi::xml_node& node : result.children()) {
      if (!http::XmlIs(node, "Credentials")) continue;
      Result<Credentials> made = Make(http::XmlText(node, "AccessKeyId"), http::XmlText(node, "SecretAccessKey"),
                                      http::XmlText(node, "SessionToken"), "the role");
      if (!made.ok()) return ProtocolError(std::string(made.status().message()));
      WALRIG_ASSIGN(made->expires_ns, http::ParseRfc3339Time(http::XmlText(node, "Expiration")));
      return made;
    }
  }
  return ProtocolError("the answer of STS has no credentials");
}

CredentialChain::CredentialChain(CredentialOptions options, HttpClient& http)
    : options_(std::move(options)), http_(http), cache_([this](const Context& ctx) { return Find(ctx); }) {}

bool CredentialChain::Refused() {
  const std::shared_ptr<const Credentials> used = cache_.Present();
  if (used == nullptr) return true;
  if (used->expires_ns == kNeverExpires) return false;
  cache_.Refused(used);
  return true;
}

bool CredentialChain::HasWebIdentity() const {
  return !options_.web_identity_token_file.empty() && !options_.role_arn.empty();
}

Result<Credentials> CredentialChain::Find(const Context& ctx) {
  Result<Credentials> found = Base(ctx);
  // A web identity has assumed it already.
  if (found.ok() && !options_.role_arn.empty() && !HasWebIdentity()) {
    found = AssumeRole(ctx, *found, options_.role_arn, options_.external_id);
  }
  // Credentials that are not there are no object that is not there.
  if (Nothing(found)) return Status(Code::kUnauthenticated, std::string(found.status().message())).WithDetail(found.status().detail());
  return found;
}

Result<Credentials> CredentialChain::Base(const Context& ctx) {
  if (!options_.access_key.empty()) {
    return Make(options_.access_key, options_.secret_key, options_.session_token, "the settings");
  }
  if (HasWebIdentity()) return FromWebIdentity(ctx, options_.web_identity_token_file, options_.role_arn);
  std::string name = options_.profile.empty() ? Environment("AWS_PROFILE") : options_.profile;
  const bool named = !name.empty();
  if (name.empty()) name = "default";
  Profiles profiles;
  ParseIni(FileText(AwsFile(options_.config_file, "AWS_CONFIG_FILE", "config")), &profiles);
  ParseIni(FileText(AwsFile(options_.credentials_file, "AWS_SHARED_CREDENTIALS_FILE", "credentials")), &profiles);
  Result<Credentials> found = FromProfile(ctx, profiles, name, 0);
  if (named && Nothing(found)) {
    return Status(Code::kUnauthenticated, fmt::format("the AWS profile {} is not there or holds no credentials", name));
  }
  if (Nothing(found)) found = FromContainer(ctx);
  if (Nothing(found)) found = FromInstance(ctx);
  if (!Nothing(found)) return found;
  return Status(Code::kUnauthenticated, "no credentials for S3: none in the settings, the AWS files, the container or the instance")
      .Hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; in a container on an instance its metadata need a hop limit of 2");
}

Result<Credentials> CredentialChain::FromProfile(const Context& ctx, const Profiles& profiles, const std::string& name, int depth) {
  const auto at = profiles.find(name);
  if (at == profiles.end()) return NoCredentials("no such profile");
  if (depth > kProfileDepthMax) return ConfigError("AWS profiles name each other in a circle");
  const Profile& profile = at->second;
  const std::string role = Value(profile, "role_arn");
  const std::string token_file = Value(profile, "web_identity_token_file");
  if (!role.empty() && !token_file.empty()) return FromWebIdentity(ctx, token_file, role);
  if (!role.empty()) {
    const std::string source = Value(profile, "source_profile"), credential_source = Value(profile, "credential_source");
    Result<Credentials> base = NoCredentials("no source");
    if (source == name && !Value(profile, "aws_access_key_id").empty()) {
      base = Make(Value(profile, "aws_access_key_id"), Value(profile, "aws_secret_access_key"), Value(profile, "aws_session_token"), "profile " + name);
    } else if (!source.empty()) {
      base = FromProfile(ctx, profiles, source, depth + 1);
    } else if (credential_source == "Environment") {
      base = Make(Environment("AWS_ACCESS_KEY_ID"), Environment("AWS_SECRET_ACCESS_KEY"), Environment("AWS_SESSION_TOKEN"), "the environment");
    } else if (credential_source == "EcsContainer") {
      base = FromContainer(ctx);
    } else if (credential_source == "Ec2InstanceMetadata") {
      base = FromInstance(ctx);
    }
    if (Nothing(base)) return ConfigError(fmt::format("the AWS profile {} has a role, but nothing to assume it with", name));
    if (!base.ok()) return base;
    return AssumeRole(ctx, *base, role, Value(profile, "external_id"));
  }
  if (!Value(profile, "aws_access_key_id").empty()) {
    return Make(Value(profile, "aws_access_key_id"), Value(profile, "aws_secret_access_key"), Value(profile, "aws_session_token"), "profile " + name);
  }
  const std::string process = Value(profile, "credential_process");
  if (!process.empty()) return FromProcess(ctx, process);
  return NoCredentials("nothing in the profile");
}

Result<Credentials> CredentialChain::FromProcess(const Context& ctx, const std::string& command) {
  KeySource source;
  source.what = "credential_process";
  source.command = command;
  WALRIG_ASSIGN(const SecretBytes output, ReadKey(ctx, source));
  return CredentialsFromJson(output.text(), "the output of credential_process");
}

Result<Credentials> CredentialChain::FromContainer(const Context& ctx) {
  const std::string relative = Environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  std::string url = Environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!relative.empty()) url = "http://169.254.170.2" + relative;
  if (url.empty()) return NoCredentials("no container");
  WALRIG_ASSIGN(const http::Url parsed, http::ParseUrl(url));
  // The token must not travel in the clear to a host that is not this machine's.
  const bool local = http::IsLoopback(parsed.host) || parsed.host == "169.254.170.2" || parsed.host == "169.254.170.23" || parsed.host == "[fd00:ec2::23]";
  if (parsed.scheme != "https" && !local) return ConfigError("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor local");
  HttpRequest request = LocalRequest("GET", url);
  request.bypass_proxy = local;
  std::string token = Environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  const std::string token_file = Environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!token_file.empty()) {
    token = std::string(TrimSpace(FileText(token_file)));
    if (token.empty()) return ConfigError(fmt::format("the container's token {} is empty or cannot be read", token_file));
  }
  if (token.find_first_of("\r\n") != std::string::npos) return ConfigError("a line break in the container's token");
  if (!token.empty()) request.headers.emplace_back("Authorization", token);
  Result<HttpResponse> response = http_.Send(ctx, request);
  if (!response.ok()) return std::move(response).status().With("the container's credentials");
  if (!response->ok()) return Refusal(*response, {.what = "the container's credentials"});
  return CredentialsFromJson(response->body, "the container's credentials");
}

Result<Credentials> CredentialChain::FromInstance(const Context& ctx) {
  if (Environment("AWS_EC2_METADATA_DISABLED") == "true") return NoCredentials("switched off");
  const std::string base = options_.imds_endpoint.empty() ? "http://169.254.169.254" : options_.imds_endpoint;
  HttpRequest ask = LocalRequest("PUT", base + "/latest/api/token");
  ask.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  const Result<HttpResponse> token = http_.Send(ctx, ask);
  if (!token.ok() && token.status().code() == Code::kCancelled) return token.status();
  // A service that is slow for once is no service that is not there; but most machines are no instances.
  if (token.status().code() == Code::kTimeout && ctx.attempt < kSlowInstanceAttempts) {
    return Unavailable("the instance's metadata did not answer in time").Retryable();
  }
  // Nobody there: the machine is no instance of AWS.
  if (!token.ok() || token->status == 404 || token->status == 405) return NoCredentials("no instance");
  if (!token->ok()) return HttpStatusError(token->status, token->headers, {.what = "the instance's metadata"});
  const std::string folder = base + "/latest/meta-data/iam/security-credentials/";
  HttpRequest list = LocalRequest("GET", folder);
  list.headers = {{"X-aws-ec2-metadata-token", token->body}};
  WALRIG_ASSIGN(const HttpResponse roles, http_.Send(ctx, list));
  if (roles.status == 404) return NoCredentials("an instance without a role");
  if (!roles.ok()) return HttpStatusError(roles.status, roles.headers, {.what = "the instance's metadata"});
  const std::string role(TrimSpace(roles.body.substr(0, roles.body.find('\n'))));
  HttpRequest get = LocalRequest("GET", folder + http::PercentEncode(role));
  get.headers = list.headers;
  WALRIG_ASSIGN(const HttpResponse answer, http_.Send(ctx, get));
  if (!answer.ok()) return HttpStatusError(answer.status, answer.headers, {.what = "the instance's metadata"});
  return CredentialsFromJson(answer.body, "the instance's role");
}

Result<Credentials> CredentialChain::FromWebIdentity(const Context& ctx, const std::string& token_file, const std::string& role_arn) {
  // Read anew each time: Kubernetes replaces it.
  const std::string token(TrimSpace(FileText(token_file)));
  if (token.empty()) return ConfigError(fmt::format("the web identity token {} is empty or cannot be read", token_file));
  return AskSts(ctx, CanonicalQuery({{"Action", "AssumeRoleWithWebIdentity"}, {"Version", "2011-06-15"}, {"RoleArn", role_arn},
                                     {"RoleSessionName", options_.role_session_name}, {"WebIdentityToken", token}}), nullptr);
}

Result<Credentials> CredentialChain::AssumeRole(const Context& ctx, const Credentials& base, const std::string& role_arn,
                                                const std::string& external_id) {
  Query form = {{"Action", "AssumeRole"}, {"Version", "2011-06-15"}, {"RoleArn", role_arn},
                {"RoleSessionName", options_.role_session_name}};
  if (!external_id.empty()) form.emplace_back("ExternalId", external_id);
  return AskSts(ctx, CanonicalQuery(std::move(form)), &base);
}

Result<Credentials> CredentialChain::AskSts(const Context& ctx, const std::string& form, const Credentials* signer) {
  const std::string region = options_.region.empty() ? "us-east-1" : options_.region;
  const std::string endpoint = options_.sts_endpoint.empty() ? fmt::format("https://sts.{}.amazonaws.com{}", region, region.substr(0, 3) == "cn-" ? ".cn" : "")
                                                             : options_.sts_endpoint;
  WALRIG_ASSIGN(http::Url url, http::ParseUrl(endpoint));
  if (url.path.empty()) url.path = "/";
  HttpRequest request;
  request.method = "POST";
  request.url = url.ToString();
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.SetBody(form);
  if (signer != nullptr) {
    const std::string hash = http::HexOf(http::Sha256Of(AsBytes(form)));
    Sign({.method = "POST", .authority = url.Authority(), .encoded_path = url.path, .query = "", .payload_hash = hash,
          .region = region, .service = "sts", .wall_ns = ctx.clock->WallNs()}, *signer, &request.headers);
  }
  Result<HttpResponse> response = http_.Send(ctx, request);
  if (!response.ok()) return std::move(response).status().With("assume role");
  if (response->ok()) return CredentialsFromSts(response->body);
  pugi::xml_document document;
  std::string name, message;
  if (const auto root = http::ParseXml(response->body, "STS", &document); root.ok()) {
    for (const pugi::xml_node& node : root->children()) {
      if (!http::XmlIs(node, "Error")) continue;
      name = http::XmlText(node, "Code");
      message = http::XmlText(node, "Message");
    }
  }
  Status refusal = Refusal(*response, {.what = "assume role", .name = name, .message = message});
  return SaysLater(name) ? std::move(refusal).Retryable() : refusal;
}

}  // namespace walrig::s3
