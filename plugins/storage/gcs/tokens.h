// Tokens: the Authorization of our requests, got with credentials and renewed before it ends.
//
// OWNS: the credentials. Borrows the client. THREADS: any.
#pragma once

#include <memory>
#include <string>

#include "plugins/common/http/client.h"
#include "plugins/common/http/token.h"
#include "plugins/storage/gcs/credentials.h"

namespace walrig::gcs {

struct Token {
  std::string bearer;  // without "Bearer "
  int64_t expires_ns = kNeverExpires;

  Token() = default;
  Token(Token&&) = default;
  Token& operator=(Token&&) = default;
  ~Token() { sdk::Secret::WipeBytes(bearer.data(), bearer.size()); }
};

class Tokens {
 public:
  Tokens(Credentials credentials, HttpClient& client);

  bool anonymous() const { return credentials_.kind == CredentialKind::kNone; }
  const std::string& quota_project() const { return credentials_.quota_project; }
  // REQUIRES: !anonymous(). FAILS WITH: kUnauthenticated, kConfig, and what the network says.
  Result<std::shared_ptr<const Token>> Get(const Context& ctx) { return cache_.Get(ctx); }
  // The storage refused it.
  void Refused(const std::shared_ptr<const Token>& token) { cache_.Refused(token); }

 private:
  Result<Token> Fetch(const Context& ctx, const Credentials& from, std::string_view scope);
  Result<Token> FetchSigned(const Context& ctx, const Credentials& from, std::string_view scope);
  Result<Token> FetchRefreshed(const Context& ctx, const Credentials& from);
  Result<Token> FetchExchanged(const Context& ctx, const Credentials& from, std::string_view scope);
  Result<Token> FetchFromMachine(const Context& ctx, const Credentials& from);
  Result<Token> Impersonate(const Context& ctx, const Token& base, const std::string& url, std::string_view scope);
  Result<Token> Ask(const Context& ctx, const HttpRequest& request, std::string_view whom);

  const Credentials credentials_;
  HttpClient& client_;
  TokenCache<Token> cache_;
};

// {"access_token": ..., "expires_in": seconds}, or what impersonation answers. FAILS WITH: kProtocol.
Result<Token> ParseTokenAnswer(std::string_view body, int64_t now_ns);

}  // namespace walrig::gcs
