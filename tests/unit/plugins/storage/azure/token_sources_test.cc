#include "plugins/storage/azure/token_sources.h"

#include <gtest/gtest.h>

#include "tests/support/test_context.h"
#include "tests/unit/plugins/common/http/script_server.h"

namespace walrig::azure {
namespace {

TEST(TokenSourcesTest, ReadsTheFormsOfTheEndpoints) {
  const auto machine = ParseTokenAnswer(R"({"access_token":"T","expires_in":"3599","expires_on":"1"})", 1'000'000'000);
  ASSERT_TRUE(machine.ok());
  EXPECT_EQ(machine->text, "T");
  EXPECT_EQ(machine->expires_ns, 3600'000'000'000);
  EXPECT_EQ(ParseTokenAnswer(R"({"access_token":"T","expires_in":60})", 0)->expires_ns, 60'000'000'000);
  EXPECT_EQ(ParseTokenAnswer(R"({"access_token":"T","expires_on":"1700000000"})", 0)->expires_ns,
            1'700'000'000'000'000'000);
}

// As a machine without an identity answers: taken for the storage's word, every object would look absent.
TEST(TokenSourcesTest, ATokenThatIsNotFoundIsNoObjectThatIsNotFound) {
  ASSERT_TRUE(HttpGlobalInit().ok());
  test::TestContext context;
  context.UseRealClock();
  HttpOptions options;
  options.proxy = "-";
  for (const int number : {404, 410}) {
    test::ScriptServer server([&](const test::ScriptRequest&) { return test::ScriptAnswer::Of(number, "{}"); });
    auto client = HttpClient::New(options);
    ASSERT_TRUE(client.ok());
    EXPECT_EQ(VirtualMachineToken(**client, server.url(""), "")(context).status().code(), Code::kUnauthenticated);
  }
}

TEST(TokenSourcesTest, RefusesNonsenseWithoutRepeatingIt) {
  for (const char* text : {"", "S3cret", "[\"S3cret\"]", R"({"access_token":"S3cret"})", R"({"access_token":"S3 cret","expires_in":1})",
                           R"({"access_token":"S3cret\r\nX: y","expires_in":1})", R"({"access_token":"S3cret","expires_in":1e99})",
                           R"({"access_token":"S3cret","expires_in":"99999999999999999999"})", R"({"expires_in":1})"}) {
    const auto token = ParseTokenAnswer(text, 0);
    ASSERT_FALSE(token.ok()) << text;
    EXPECT_EQ(token.status().ToString().find("cret"), std::string::npos) << token.status().ToString();
  }
}

}  // namespace
}  // namespace walrig::azure
