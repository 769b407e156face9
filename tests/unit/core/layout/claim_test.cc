#include "core/layout/claim.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace walrig::test {
namespace {

TEST(ClaimTextTest, SurvivesBeingWrittenAndRead) {
  const ClaimText claim{"0123", "db \"1\"", {"boot pid:[4026531836]", 123, 18446744073709551615u}};
  ASSERT_OK_AND_ASSIGN(const ClaimText read, ParseClaim(SerializeClaim(claim)));
  EXPECT_EQ(read.token, claim.token);
  EXPECT_EQ(read.host, claim.host);
  EXPECT_EQ(read.process, claim.process);
}

TEST(ClaimTextTest, RefusesWhatNamesNoWriter) {
  EXPECT_THAT(ParseClaim("walrig 1 0123456789abcdef 77\n"), HasCode(Code::kNotSupported));
  EXPECT_THAT(ParseClaim(R"({"version":2,"token":"x"})"), HasCode(Code::kNotSupported));
  for (const char* text : {"", "x", "[]", R"({"version":1})", R"({"token":"x"})", R"({"version":1,"token":""})",
                           R"({"version":1,"token":"x","pid":-1})"}) {
    EXPECT_THAT(ParseClaim(text), HasCode(Code::kCorruption)) << text;
  }
}

}  // namespace
}  // namespace walrig::test
