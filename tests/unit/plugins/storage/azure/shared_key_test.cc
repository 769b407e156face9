#include "plugins/storage/azure/shared_key.h"

#include <gtest/gtest.h>

namespace walrig::azure {
namespace {

TEST(SharedKeyTest, SignsTheTextOfTheServicesOwnExample) {
  HttpRequest request;
  request.url = "https://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=metadata&timeout=20";
  request.headers = {{"x-ms-version", "2015-02-21"}, {"X-MS-Date", "Fri, 26 Jun 2015 23:39:12 GMT"}};
  EXPECT_EQ(StringToSign(request, "myaccount").value(),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
            "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20");
}

TEST(SharedKeyTest, SignsLengthConditionsAndAnAccountInThePath) {
  HttpRequest request;
  request.method = "PUT";
  request.url = "http://127.0.0.1:10000/acme/con/a%20b?comp=block&blockid=eA%3D%3D";
  request.headers = {{"If-None-Match", "*"}, {"Content-Type", "text/plain"}};
  request.SetBody("12345");
  EXPECT_EQ(StringToSign(request, "acme").value(),
            "PUT\n\n\n5\n\ntext/plain\n\n\n\n*\n\n\n/acme/acme/con/a%20b\nblockid:eA==\ncomp:block");
  request.body.clear();
  EXPECT_TRUE(StringToSign(request, "acme").value().starts_with("PUT\n\n\n\n\ntext/plain"));
}

}  // namespace
}  // namespace walrig::azure
