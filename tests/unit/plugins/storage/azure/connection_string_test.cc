#include "plugins/storage/azure/connection_string.h"

#include <gtest/gtest.h>

namespace walrig::azure {
namespace {

TEST(ConnectionStringTest, ReadsWhatThePortalGives) {
  const auto c = ParseConnectionString(
      "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=a2V5PT0=;EndpointSuffix=core.windows.net");
  ASSERT_TRUE(c.ok());
  EXPECT_EQ(c->account, "acme");
  EXPECT_EQ(c->key, "a2V5PT0=");  // with its equals sign
  EXPECT_EQ(c->endpoint_suffix, "core.windows.net");
  EXPECT_EQ(c->protocol, "https");
}

TEST(ConnectionStringTest, ReadsSignatureAndEndpointWithoutRegardToCase) {
  const auto c = ParseConnectionString(
      " blobendpoint=http://h:1/acme ; QueueEndpoint=http://q ;SharedAccessSignature=?sv=1&sig=a%3D;");
  ASSERT_TRUE(c.ok());
  EXPECT_EQ(c->blob_endpoint, "http://h:1/acme");
  EXPECT_EQ(c->sas, "sv=1&sig=a%3D");
}

TEST(ConnectionStringTest, KnowsTheEmulator) {
  const auto c = ParseConnectionString("UseDevelopmentStorage=true");
  ASSERT_TRUE(c.ok());
  EXPECT_EQ(c->blob_endpoint, "http://127.0.0.1:10000/devstoreaccount1");
}

TEST(ConnectionStringTest, RefusesNonsenseWithoutRepeatingIt) {
  for (const char* text : {"S3cret", "=S3cret", "AccountKey=S3cret", "AccountName=a;AccountKey=S3cret;AccountKey=x",
                           "AccountName=a;DefaultEndpointsProtocol=S3cret", ""}) {
    const auto c = ParseConnectionString(text);
    ASSERT_FALSE(c.ok()) << text;
    EXPECT_EQ(c.status().code(), Code::kConfig);
    EXPECT_EQ(c.status().ToString().find("S3cret"), std::string::npos) << c.status().ToString();
  }
}

}  // namespace
}  // namespace walrig::azure
