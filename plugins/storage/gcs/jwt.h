// A signed statement of who we are (RFC 7523), which the token endpoint exchanges for a token.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig::gcs {

struct JwtClaims {
  std::string issuer;    // the service account's address
  std::string key_id;    // may be empty
  std::string audience;  // the token endpoint
  std::string scope;
  int64_t issued_s = 0;  // since 1970 UTC; it ends an hour later
};

// header.claims.signature, RS256. `private_key_pem` is PKCS#8 or PKCS#1, without passphrase.
// FAILS WITH: kConfig when the key cannot be read or is no RSA key of 2048 bits and more. No message holds any of it.
Result<std::string> SignJwt(const JwtClaims& claims, std::string_view private_key_pem);

}  // namespace walrig::gcs
