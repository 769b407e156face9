#include "plugins/storage/gcs/jwt.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "plugins/common/http/client.h"
#include "plugins/common/http/digest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig::gcs {
namespace {

using test::HasCode;

// The openssl program makes the key and checks the signature: another implementation than the one that signs.
class GcsJwtTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(HttpGlobalInit()); }
  std::string Path(const std::string& name) { return dir_.path() + "/" + name; }
  bool Run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }
  std::string Read(const std::string& name) {
    std::ifstream in(Path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void Write(const std::string& name, const std::string& bytes) { std::ofstream(Path(name), std::ios::binary) << bytes; }

  const JwtClaims claims_{.issuer = "me@project", .key_id = "k1", .audience = "https://x/token", .scope = "s", .issued_s = 1'700'000'000};
  test::TempDir dir_;
};

TEST_F(GcsJwtTest, SignsWhatOpensslTakesForGenuine) {
  ASSERT_TRUE(Run("openssl genrsa -out " + Path("key") + " 2048 && openssl rsa -in " + Path("key") + " -pubout -out " + Path("pub")));
  ASSERT_OK_AND_ASSIGN(const std::string jwt, SignJwt(claims_, Read("key")));
  const size_t dot = jwt.rfind('.');
  ASSERT_OK_AND_ASSIGN(const std::string signature, http::Base64Decode(jwt.substr(dot + 1)));
  Write("signed", jwt.substr(0, dot));
  Write("signature", signature);
  const std::string verify = "openssl dgst -sha256 -verify " + Path("pub") + " -signature " + Path("signature") + " " + Path("signed");
  EXPECT_TRUE(Run(verify));
  Write("signed", jwt.substr(0, dot - 1));
  EXPECT_FALSE(Run(verify));
  ASSERT_OK_AND_ASSIGN(const std::string body, http::Base64Decode(jwt.substr(jwt.find('.') + 1, dot - jwt.find('.') - 1)));
  EXPECT_EQ(body, R"({"aud":"https://x/token","exp":1700003600,"iat":1700000000,"iss":"me@project","scope":"s"})");
}

TEST_F(GcsJwtTest, RefusesKeysThatAreNoneAndNeverQuotesThem) {
  const auto status = SignJwt(claims_, "-----BEGIN PRIVATE KEY-----\nhidden\n-----END PRIVATE KEY-----\n").status();
  EXPECT_THAT(status, HasCode(Code::kConfig));
  EXPECT_EQ(status.ToString().find("hidden"), std::string::npos);
  ASSERT_TRUE(Run("openssl genrsa -out " + Path("short") + " 1024"));
  EXPECT_THAT(SignJwt(claims_, Read("short")), HasCode(Code::kConfig));
  ASSERT_TRUE(Run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out " + Path("ec")));
  EXPECT_THAT(SignJwt(claims_, Read("ec")), HasCode(Code::kConfig));
}

}  // namespace
}  // namespace walrig::gcs
