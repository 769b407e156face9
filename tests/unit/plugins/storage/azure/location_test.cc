#include "plugins/storage/azure/location.h"

#include <gtest/gtest.h>

namespace walrig::azure {
namespace {

Location Resolved(LocationInput input) {
  auto where = ResolveLocation(input);
  EXPECT_TRUE(where.ok()) << where.status().ToString();
  return where.ok() ? *where : Location();
}
LocationInput Input(std::string prefix, std::string account = "acme") {
  LocationInput input;
  input.prefix = std::move(prefix);
  input.account = std::move(account);
  return input;
}

TEST(LocationTest, IsTheAccountsHostInThePublicCloud) {
  const Location where = Resolved(Input("azure://backups/pg/main/"));
  EXPECT_EQ(where.service_url, "https://acme.blob.core.windows.net");
  EXPECT_EQ(where.container, "backups");
  EXPECT_EQ(where.prefix, "pg/main/");
  EXPECT_EQ(where.BlobUrl("pg/main/a b+c"), "https://acme.blob.core.windows.net/backups/pg/main/a%20b%2Bc");
  EXPECT_EQ(Resolved(Input("azure://backups")).prefix, "");
}

TEST(LocationTest, KnowsOtherCloudsAndSuffixes) {
  LocationInput input = Input("azure://backups");
  input.environment = "AzureUSGovernmentCloud";
  EXPECT_EQ(Resolved(input).service_url, "https://acme.blob.core.usgovcloudapi.net");
  EXPECT_EQ(Resolved(input).authority, "https://login.microsoftonline.us");
  input.endpoint_suffix = "local.azurestack.external";
  EXPECT_EQ(Resolved(input).service_url, "https://acme.blob.local.azurestack.external");
  input.environment = "Moon";
  EXPECT_EQ(ResolveLocation(input).status().code(), Code::kConfig);
}

TEST(LocationTest, TakesAnEndpointWithTheAccountInThePath) {
  LocationInput input = Input("azure://backups");
  for (const char* endpoint : {"http://127.0.0.1:10000/acme", "http://127.0.0.1:10000/acme/", "http://127.0.0.1:10000"}) {
    input.endpoint = endpoint;
    EXPECT_EQ(Resolved(input).service_url, "http://127.0.0.1:10000/acme") << endpoint;
    EXPECT_TRUE(Resolved(input).loopback);
  }
  input.endpoint = "https://blobs.example.com";
  EXPECT_EQ(Resolved(input).service_url, "https://blobs.example.com");
  input.account.clear();
  input.endpoint = "https://other.blob.core.windows.net";
  EXPECT_EQ(Resolved(input).account, "other");
}

TEST(LocationTest, RefusesWhatIsNoPlace) {
  for (const char* prefix : {"", "s3://b", "azure://", "azure://ab", "azure://UPPER/x", "azure://con/a//b", "azure://con/../x"}) {
    EXPECT_EQ(ResolveLocation(Input(prefix)).status().code(), Code::kConfig) << prefix;
  }
  EXPECT_EQ(ResolveLocation(Input("azure://con", "")).status().code(), Code::kConfig);
  EXPECT_EQ(ResolveLocation(Input("azure://con", "evil.example.com/")).status().code(), Code::kConfig);
}

}  // namespace
}  // namespace walrig::azure
