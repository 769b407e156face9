#include "plugins/storage/s3/ini.h"

#include <gtest/gtest.h>

#include "plugins/storage/s3/settings.h"
#include "tests/support/status_matchers.h"

namespace walrig::s3 {
namespace {

TEST(Ini, ReadsProfilesOfBothFiles) {
  Profiles profiles;
  ParseIni("# c\n[default]\nregion = eu-west-1\ns3 =\n  max_concurrent_requests = 20\n[profile \"a b\"]\r\nrole_arn=x # why\r\n", &profiles);
  ParseIni("[default]\nAWS_ACCESS_KEY_ID=AKIA\naws_secret_access_key = a=b#c\n", &profiles);
  EXPECT_EQ(profiles["default"]["region"], "eu-west-1");
  EXPECT_EQ(profiles["default"]["aws_access_key_id"], "AKIA");
  EXPECT_EQ(profiles["default"]["aws_secret_access_key"], "a=b#c");
  EXPECT_EQ(profiles["default"].count("max_concurrent_requests"), 0u);
  EXPECT_EQ(profiles["a b"]["role_arn"], "x");
}

TEST(Ini, LeavesOutWhatItCannotRead) {
  Profiles profiles;
  ParseIni("stray = 1\n[broken\nx = y\n[]\n=\n", &profiles);
  EXPECT_EQ(profiles.count("broken"), 0u);
  EXPECT_TRUE(profiles.count("stray") == 0);
}

TEST(Settings, SplitsThePrefix) {
  std::string bucket, folder;
  EXPECT_TRUE(SplitPrefix("s3://bucket//a/b/", &bucket, &folder).ok());
  EXPECT_EQ(bucket, "bucket");
  EXPECT_EQ(folder, "a/b/");
  EXPECT_TRUE(SplitPrefix("s3://bucket/", &bucket, &folder).ok());
  EXPECT_EQ(folder, "");
  for (const char* bad : {"", "bucket", "s3://", "s3://ab", "s3://bu ck"}) {
    EXPECT_THAT(SplitPrefix(bad, &bucket, &folder), test::HasCode(Code::kConfig)) << bad;
  }
}

TEST(Settings, ReadsExtraHeadersAsMapListAndLines) {
  for (const char* text : {"{\"A\":\"1\",\"B\":\"2\"}", "[{\"A\":\"1\"},{\"B\":\"2\"}]", "A: 1\nB: 2\n", "- A: 1\n- B: 2"}) {
    const auto headers = ParseExtraHeaders(text);
    ASSERT_TRUE(headers.ok()) << text;
    EXPECT_EQ(FindHeader(*headers, "a"), "1") << text;
    EXPECT_EQ(FindHeader(*headers, "b"), "2") << text;
  }
  EXPECT_FALSE(ParseExtraHeaders("{\"A\":1}").ok());
  EXPECT_FALSE(ParseExtraHeaders("nothing").ok());
}

}  // namespace
}  // namespace walrig::s3
