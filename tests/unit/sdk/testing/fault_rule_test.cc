#include "sdk/testing/fault_rule.h"

#include <gtest/gtest.h>

namespace walrig::faults {
namespace {

Fault Judge(FaultScript& script, std::string_view method, std::string_view target,
            const std::vector<HttpHeader>& headers = {}) {
  bool hit = false;
  return script.Judge(method, target, headers, &hit).fault;
}

FaultScript& With(FaultScript& script, std::string_view text) {
  auto rules = ParseFaultRules(text);
  EXPECT_TRUE(rules.ok()) << rules.status().ToString();
  if (rules.ok()) script.Set(*rules);
  return script;
}

TEST(FaultRuleTest, ReadsEveryFaultByItsName) {
  for (int i = 0; i <= static_cast<int>(Fault::kWrongEtag); ++i) {
    const auto rule = ParseFaultRule(FaultName(static_cast<Fault>(i)));
    ASSERT_TRUE(rule.ok()) << FaultName(static_cast<Fault>(i));
    EXPECT_EQ(rule->fault, static_cast<Fault>(i));
  }
}

TEST(FaultRuleTest, ReadsEveryKey) {
  const auto rule = ParseFaultRule(
      "  status method=PUT target=partNumber%3D2 header=Authorization:old skip=3 every=2 times=all at=7 ms=8 rate=9 "
      "status=429 late=1 retry-after=5 body=a%20b");
  ASSERT_TRUE(rule.ok()) << rule.status().ToString();
  EXPECT_EQ(rule->method, "PUT");
  EXPECT_EQ(rule->target, "partNumber=2");
  EXPECT_EQ(rule->header_name, "Authorization");
  EXPECT_EQ(rule->header_text, "old");
  EXPECT_EQ(rule->skip, 3u);
  EXPECT_EQ(rule->every, 2u);
  EXPECT_EQ(rule->times, kAlways);
  EXPECT_EQ(rule->at_bytes, 7u);
  EXPECT_EQ(rule->stall_ms, 8u);
  EXPECT_EQ(rule->rate_bytes_s, 9u);
  EXPECT_EQ(rule->status, 429u);
  EXPECT_TRUE(rule->late);
  EXPECT_EQ(rule->retry_after_s, "5");
  EXPECT_EQ(rule->body, "a b");
}

TEST(FaultRuleTest, NamesTheWordThatIsWrong) {
  for (const char* text : {"explode", "status status=99", "status status=600", "drip rate=0", "reset at=-1", "reset at=",
                           "reset at=18446744073709551616", "pass every=0", "pass whatever=1", "pass late=2",
                           "pass target=%4", "pass target=%zz", "pass header=:x", "pass word", ""}) {
    const auto rule = ParseFaultRule(text);
    ASSERT_FALSE(rule.ok()) << text;
    EXPECT_EQ(rule.status().code(), Code::kInvalidArgument);
    const std::string_view last = std::string_view(text).substr(std::string_view(text).rfind(' ') + 1);
    EXPECT_NE(rule.status().message().find(last), std::string_view::npos) << rule.status().message();
  }
}

TEST(FaultRuleTest, LeavesOutEmptyLinesAndComments) {
  const auto rules = ParseFaultRules("# words\n\n reset at=1\r\n\t\nstatus");
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(rules->size(), 2u);
}

TEST(FaultScriptTest, HitsAfterSkipEveryNthAndSoManyTimes) {
  FaultScript script;
  With(script, "drop skip=1 every=2 times=2");
  std::vector<bool> hits;
  for (int i = 0; i < 8; ++i) hits.push_back(Judge(script, "GET", "/") == Fault::kDrop);
  EXPECT_EQ(hits, (std::vector<bool>{false, true, false, true, false, false, false, false}));
}

TEST(FaultScriptTest, TheFirstRuleThatFitsDecides) {
  FaultScript script;
  With(script, "pass method=HEAD times=all\nreset target=key\nstatus times=all");
  EXPECT_EQ(Judge(script, "HEAD", "/key"), Fault::kPass);
  EXPECT_EQ(Judge(script, "GET", "/key"), Fault::kReset);
  EXPECT_EQ(Judge(script, "GET", "/key"), Fault::kStatus);
  EXPECT_EQ(Judge(script, "GET", "/other"), Fault::kStatus);
}

TEST(FaultScriptTest, LooksIntoHeadersWithoutRegardToCaseOfNames) {
  FaultScript script;
  With(script, "status status=403 header=authorization:old-token times=all");
  EXPECT_EQ(Judge(script, "GET", "/", {{"Authorization", "Bearer old-token"}}), Fault::kStatus);
  EXPECT_EQ(Judge(script, "GET", "/", {{"Authorization", "Bearer new-token"}}), Fault::kPass);
  EXPECT_EQ(Judge(script, "GET", "/", {{"X", "old-token"}}), Fault::kPass);
}

TEST(FaultScriptTest, TellsAHitOfPassFromNoHit) {
  FaultScript script;
  With(script, "pass");
  bool hit = false;
  script.Judge("GET", "/", {}, &hit);
  EXPECT_TRUE(hit);
  script.Judge("GET", "/", {}, &hit);
  EXPECT_FALSE(hit);
}

}  // namespace
}  // namespace walrig::faults
