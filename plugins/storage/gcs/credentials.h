// Credentials: what a credentials file of Google says, and where the clients of Google look for one.
//
// THREADS: values; functions without state. They hold secrets: they are wiped when they go and never in a message.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/sdk/config_reader.h"

namespace walrig::gcs {

enum class CredentialKind {
  kNone,            // no Authorization: an emulator, a public bucket
  kServiceAccount,  // a key of our own signs a JWT
  kAuthorizedUser,  // a refresh token of a person
  kExternal,        // workload identity federation: a token of somebody else, exchanged
  kImpersonated,    // another account's token, got with the token of `source`
  kMetadata,        // the machine's own account, from its metadata server
};

struct Credentials {
  CredentialKind kind = CredentialKind::kNone;
  std::string token_url;
  // kServiceAccount
  std::string email, key_id;
  sdk::Secret private_key;
  // kAuthorizedUser
  std::string client_id;
  sdk::Secret client_secret, refresh_token;
  // kExternal: the subject's token is in a file, or in the answer to a GET
  std::string audience, subject_token_type;
  std::string subject_file, subject_url;
  std::vector<std::pair<std::string, std::string>> subject_headers;
  std::string subject_field;  // of JSON; "" when the token is the whole text
  // kExternal and kImpersonated
  std::string impersonation_url;
  std::unique_ptr<Credentials> source;  // kImpersonated
  // kMetadata
  std::string metadata_url;  // "http://metadata.google.internal"
  // Who pays for requests, when it is not the bucket's project.
  std::string quota_project;
};

// Parses a credentials file. FAILS WITH: kConfig (no JSON, a member is missing, a URL that is neither https nor of this
// machine), kNotSupported for a kind that we do not know.
Result<Credentials> ParseCredentials(std::string_view json);

// `file`: the configured one; "" looks where Google's clients look: GOOGLE_APPLICATION_CREDENTIALS, gcloud's folder, the
// metadata server. FAILS WITH: kConfig, kPermission, kIoError.
Result<Credentials> FindCredentials(const Context& ctx, const std::string& file);

// The subject's token in `text`, as `subject_field` says. FAILS WITH: kUnauthenticated.
Result<sdk::Secret> SubjectToken(std::string_view text, const std::string& field);

// At most `bytes_max` of a file. FAILS WITH: kConfig (missing), kPermission, kIoError, kTooLarge.
Result<sdk::Secret> ReadSecretFile(const std::string& path, size_t bytes_max);

}  // namespace walrig::gcs
