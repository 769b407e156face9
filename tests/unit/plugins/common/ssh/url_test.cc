#include "plugins/common/ssh/url.h"

#include <gtest/gtest.h>

namespace walrig::ssh {
namespace {

TEST(SshUrl, ReadsUserHostPortAndPath) {
  const auto url = ParseSshUrl("ssh://backup@db.example.com:2222/var//backups/");
  ASSERT_TRUE(url.ok()) << url.status().ToString();
  EXPECT_EQ(url->user, "backup");
  EXPECT_EQ(url->host, "db.example.com");
  EXPECT_EQ(url->port, 2222);
  EXPECT_EQ(url->path, "/var/backups");
}

TEST(SshUrl, ReadsTheShortestAndIpv6) {
  const auto short_one = ParseSshUrl("ssh://h");
  ASSERT_TRUE(short_one.ok());
  EXPECT_EQ(short_one->path, "/");
  EXPECT_FALSE(short_one->port.has_value());
  const auto ipv6 = ParseSshUrl("ssh://[::1]:22/x");
  ASSERT_TRUE(ipv6.ok());
  EXPECT_EQ(ipv6->host, "::1");
}

TEST(SshUrl, DecodesBytesOfThePath) {
  const auto url = ParseSshUrl("ssh://h/a%20b%ff%2F");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->path, "/a b\xff");
}

TEST(SshUrl, RefusesWhatIsNoPlace) {
  for (const char* text : {"", "/path", "s3://h/p", "ssh://", "ssh:///p", "ssh://h:0/", "ssh://h:65536/", "ssh://h:/", "ssh://h:2x/",
                           "ssh://a:b:c/", "ssh://[::1/", "ssh://[::1]x/", "ssh://h/%", "ssh://h/%0", "ssh://h/%00", "ssh://h/a?b",
                           "ssh://h/../x", "ssh://h/a/.", "ssh://@h/", "ssh://h ost/", "ssh://-oProxy/", "ssh://h*/"}) {
    const auto url = ParseSshUrl(text);
    EXPECT_EQ(url.status().code(), Code::kConfig) << text;
  }
}

TEST(SshUrl, RefusesAPasswordWithoutRepeatingIt) {
  const auto url = ParseSshUrl("ssh://me:hunter2@h/");
  ASSERT_FALSE(url.ok());
  EXPECT_EQ(url.status().ToString().find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace walrig::ssh
