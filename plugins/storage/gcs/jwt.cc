#include "plugins/storage/gcs/jwt.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <climits>
#include <memory>
#include <vector>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/document.h"

namespace walrig::gcs {
namespace {

constexpr int kRsaBitsMin = 2048;
constexpr int64_t kLifetimeS = 3600;

struct Free {
  void operator()(BIO* p) const { BIO_free_all(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
};

// Never ask a terminal for the passphrase of a key.
int NoPassphrase(char*, int, int, void*) { return -1; }

}  // namespace

Result<std::string> SignJwt(const JwtClaims& claims, std::string_view private_key_pem) {
  if (private_key_pem.size() > INT_MAX) return ConfigError("the private key of the service account is too long");
  const std::unique_ptr<BIO, Free> text(BIO_new_mem_buf(private_key_pem.data(), static_cast<int>(private_key_pem.size())));
  const std::unique_ptr<EVP_PKEY, Free> key(
      text == nullptr ? nullptr : PEM_read_bio_PrivateKey(text.get(), nullptr, NoPassphrase, nullptr));
  ERR_clear_error();
  if (key == nullptr) return ConfigError("the private key of the service account cannot be read");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key.get()) < kRsaBitsMin) {
    return ConfigError("the private key of the service account is no RSA key of 2048 bits");
  }
  http::HttpJson header = {{"alg", "RS256"}, {"typ", "JWT"}};
  if (!claims.key_id.empty()) header["kid"] = claims.key_id;
  const http::HttpJson body = {{"iss", claims.issuer}, {"aud", claims.audience}, {"scope", claims.scope},
                               {"iat", claims.issued_s}, {"exp", claims.issued_s + kLifetimeS}};
  constexpr auto kReplace = http::HttpJson::error_handler_t::replace;
  std::string jwt = http::Base64UrlOf(AsBytes(header.dump(-1, ' ', false, kReplace))) + "." +
                    http::Base64UrlOf(AsBytes(body.dump(-1, ' ', false, kReplace)));

  const std::unique_ptr<EVP_MD_CTX, Free> signer(EVP_MD_CTX_new());
  size_t length = 0;
  std::vector<uint8_t> signature;
  const auto* bytes = reinterpret_cast<const uint8_t*>(jwt.data());
  bool done = signer != nullptr && EVP_DigestSignInit(signer.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
              EVP_DigestSign(signer.get(), nullptr, &length, bytes, jwt.size()) == 1;
  if (done) {
    signature.resize(length);
    done = EVP_DigestSign(signer.get(), signature.data(), &length, bytes, jwt.size()) == 1;
  }
  ERR_clear_error();
  if (!done) return ConfigError("the private key of the service account does not sign");
  signature.resize(length);
  return jwt + "." + http::Base64UrlOf(signature);
}

}  // namespace walrig::gcs
