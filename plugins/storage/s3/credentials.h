// Credentials: who signs, and CredentialChain: where that comes from. The first source that has something is used:
//
//   access_key and secret_key of the plugin's options (settings and environment stand behind them)
//   web identity: AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN
//   the profile in the shared credentials and configuration files: keys, role_arn with source_profile or
//     credential_source, web_identity_token_file, credential_process
//   the container's: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI
//   the instance's: IMDSv2
//
// A role (role_arn of the options) is then assumed with what was found. Temporary ones are renewed before they expire.
//
// OWNS: the cache. THREADS: any.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "plugins/common/http/client.h"
#include "plugins/common/http/token.h"
#include "plugins/common/key/secret_bytes.h"
#include "plugins/storage/s3/ini.h"

namespace walrig::s3 {

struct Credentials {
  std::string access_key;
  SecretBytes secret_key;
  std::string session_token;  // of temporary ones
  int64_t expires_ns = kNeverExpires;
  std::string source;         // for messages: "the instance's role"
};

struct CredentialOptions {
  std::string access_key, secret_key, session_token;
  std::string role_arn, role_session_name, external_id;
  std::string web_identity_token_file;
  std::string profile, config_file, credentials_file;
  std::string region;        // for STS; "" asks at us-east-1
  std::string sts_endpoint;  // "" for AWS's own
  std::string imds_endpoint; // "" for http://169.254.169.254
  bool anonymous = false;    // sign nothing
};

class CredentialChain {
 public:
  CredentialChain(CredentialOptions options, HttpClient& http);

  // FAILS WITH: kUnauthenticated when no source has any, naming what was looked at; what the sources say.
  Result<std::shared_ptr<const Credentials>> Get(const Context& ctx) { return cache_.Get(ctx); }
  // The server says that those in use are expired or unknown. Answers whether others can be fetched; the next Get does.
  bool Refused();

 private:
  Result<Credentials> Find(const Context& ctx);
  Result<Credentials> Base(const Context& ctx);
  Result<Credentials> FromProfile(const Context& ctx, const Profiles& profiles, const std::string& name, int depth);
  Result<Credentials> FromProcess(const Context& ctx, const std::string& command);
  Result<Credentials> FromWebIdentity(const Context& ctx, const std::string& token_file, const std::string& role_arn);
  Result<Credentials> FromContainer(const Context& ctx);
  Result<Credentials> FromInstance(const Context& ctx);
  Result<Credentials> AssumeRole(const Context& ctx, const Credentials& base, const std::string& role_arn,
                                 const std::string& external_id);
  Result<Credentials> AskSts(const Context& ctx, const std::string& form, const Credentials* signer);
  bool HasWebIdentity() const;

  const CredentialOptions options_;
  HttpClient& http_;
  TokenCache<Credentials> cache_;
};

// FAILS WITH: kProtocol. `text` is JSON with AccessKeyId, SecretAccessKey, Token or SessionToken, Expiration.
Result<Credentials> CredentialsFromJson(std::string_view text, std::string_view what);
// The answer of STS, AssumeRoleResponse or AssumeRoleWithWebIdentityResponse. FAILS WITH: kProtocol.
Result<Credentials> CredentialsFromSts(std::string_view text);

}  // namespace walrig::s3
