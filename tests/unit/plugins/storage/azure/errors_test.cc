#include "plugins/storage/azure/errors.h"

#include <gtest/gtest.h>

namespace walrig::azure {
namespace {

Status Meaning(int number, const char* name, HttpHeaders headers = {}, bool changes = false) {
  HttpResponse response;
  response.status = number;
  response.headers = std::move(headers);
  if (*name != '\0') response.headers.emplace_back("x-ms-error-code", name);
  return AnswerError(response, "put x", changes);
}

TEST(ErrorsTest, TellsAMissingBlobFromAMissingContainer) {
  EXPECT_EQ(Meaning(404, "BlobNotFound").code(), Code::kNotFound);
  EXPECT_EQ(Meaning(404, "ContainerNotFound").code(), Code::kConfig);
  EXPECT_EQ(Meaning(404, "").code(), Code::kUnavailable);
  EXPECT_TRUE(Meaning(404, "").retryable());
}

TEST(ErrorsTest, KnowsWhatMayBeTriedAgain) {
  const Status busy = Meaning(503, "ServerBusy", {{"Retry-After", "7"}}, true);
  EXPECT_EQ(busy.code(), Code::kThrottled);
  EXPECT_TRUE(busy.retryable());
  EXPECT_EQ(busy.detail().retry_after_ms, 7000u);
  EXPECT_EQ(Meaning(429, "", {{"x-ms-retry-after-ms", "250"}}).detail().retry_after_ms, 250u);
  EXPECT_TRUE(Meaning(500, "InternalError", {}, true).outcome_unknown());
  EXPECT_TRUE(Meaning(400, "Crc64Mismatch").retryable());
  EXPECT_TRUE(Meaning(400, "InvalidBlockList").retryable());
  EXPECT_FALSE(Meaning(409, "BlobArchived").retryable());
  EXPECT_FALSE(Meaning(409, "SomethingNew").retryable());
  EXPECT_FALSE(Meaning(403, "AuthenticationFailed").retryable());
}

TEST(ErrorsTest, ReadsTheNameFromTheBodyAndSurvivesNonsense) {
  HttpResponse response;
  response.status = 409;
  response.body = "<?xml version=\"1.0\"?><Error><Code>BlobAlreadyExists</Code><Message>It is there.\nRequestId:1</Message></Error>";
  EXPECT_EQ(AnswerError(response, "put x", true).code(), Code::kAlreadyExists);
  EXPECT_EQ(ErrorName(response), "BlobAlreadyExists");
  for (const char* body : {"<", "{}", "<Error>", "\xff\xfe"}) {
    response.body = body;
    EXPECT_EQ(AnswerError(response, "put x", true).code(), Code::kConflict);
  }
}

}  // namespace
}  // namespace walrig::azure
