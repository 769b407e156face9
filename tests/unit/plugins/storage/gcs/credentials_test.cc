#include "plugins/storage/gcs/credentials.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace walrig::gcs {
namespace {

using test::HasCode;

TEST(GcsCredentialsTest, ReadsAServiceAccount) {
  ASSERT_OK_AND_ASSIGN(const Credentials c, ParseCredentials(R"({"type":"service_account","client_email":"a@b","private_key":"PEM","private_key_id":"k"})"));
  EXPECT_EQ(c.kind, CredentialKind::kServiceAccount);
  EXPECT_EQ(c.email, "a@b");
  EXPECT_EQ(c.private_key.bytes(), "PEM");
  EXPECT_EQ(c.token_url, "https://oauth2.googleapis.com/token");
}

TEST(GcsCredentialsTest, ReadsWorkloadIdentityWithFileAndUrl) {
  ASSERT_OK_AND_ASSIGN(const Credentials file, ParseCredentials(R"({"type":"external_account","audience":"//iam/x","subject_token_type":"jwt",
      "token_url":"https://sts.googleapis.com/v1/token","credential_source":{"file":"/var/run/token"}})"));
  EXPECT_EQ(file.subject_file, "/var/run/token");
  ASSERT_OK_AND_ASSIGN(const Credentials url, ParseCredentials(R"({"type":"external_account","audience":"//iam/x","subject_token_type":"jwt",
      "credential_source":{"url":"http://169.254.169.254/t","headers":{"Metadata":"true"},"format":{"type":"json","subject_token_field_name":"access_token"}}})"));
  EXPECT_EQ(url.subject_field, "access_token");
  EXPECT_EQ(url.subject_headers.at(0).second, "true");
}

TEST(GcsCredentialsTest, ReadsAnImpersonatedAccountWithItsSource) {
  ASSERT_OK_AND_ASSIGN(const Credentials c, ParseCredentials(R"({"type":"impersonated_service_account",
      "service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/x:generateAccessToken",
      "source_credentials":{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r"}})"));
  ASSERT_NE(c.source, nullptr);
  EXPECT_EQ(c.source->kind, CredentialKind::kAuthorizedUser);
}

TEST(GcsCredentialsTest, RefusesTokensInTheClearAndWhatItDoesNotKnow) {
  EXPECT_THAT(ParseCredentials(R"({"type":"service_account","client_email":"a","private_key":"P","token_uri":"http://example.com/t"})"), HasCode(Code::kConfig));
  EXPECT_THAT(ParseCredentials(R"({"type":"gdch_service_account"})"), HasCode(Code::kNotSupported));
  EXPECT_THAT(ParseCredentials(R"({"type":"external_account","audience":"a","subject_token_type":"t","credential_source":{"environment_id":"aws1"}})"),
              HasCode(Code::kNotSupported));
  EXPECT_THAT(ParseCredentials("not json"), HasCode(Code::kConfig));
  EXPECT_THAT(ParseCredentials("[]"), HasCode(Code::kConfig));
}

TEST(GcsCredentialsTest, NamesWhatIsMissingAndNeverASecret) {
  const auto status = ParseCredentials(R"({"type":"service_account","private_key":"hidden-secret"})").status();
  EXPECT_THAT(status, test::MessageHas("client_email"));
  const auto broken = ParseCredentials(R"({"type":"service_account","private_key":"hidden-secret",,})").status();
  EXPECT_EQ(broken.ToString().find("hidden-secret"), std::string::npos);
}

TEST(GcsCredentialsTest, FindsTheSubjectsToken) {
  ASSERT_OK_AND_ASSIGN(const sdk::Secret text, SubjectToken("abc\n", ""));
  EXPECT_EQ(text.bytes(), "abc");
  ASSERT_OK_AND_ASSIGN(const sdk::Secret json, SubjectToken(R"({"t":"abc"})", "t"));
  EXPECT_EQ(json.bytes(), "abc");
  EXPECT_THAT(SubjectToken("{}", "t"), HasCode(Code::kUnauthenticated));
  EXPECT_THAT(SubjectToken("\n", ""), HasCode(Code::kUnauthenticated));
}

}  // namespace
}  // namespace walrig::gcs
