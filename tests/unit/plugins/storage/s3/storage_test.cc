// The storage against a scripted server: what goes over the wire, and what is made of odd answers.
#include "plugins/storage/s3/storage.h"

#include <stdlib.h>

#include "plugins/common/http/digest.h"
#include "plugins/storage/s3/writer.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"
#include "tests/unit/plugins/common/http/script_server.h"

namespace walrig::s3 {
namespace {

using test::HasCode;
using test::IsOk;
using test::ScriptAnswer;
using test::ScriptRequest;
using test::ScriptServer;

constexpr const char* kSecret = "the-secret-of-the-test";
std::string ErrorXml(std::string_view code, std::string_view more = "") {
  return "<Error><Code>" + std::string(code) + "</Code><Message>m</Message>" + std::string(more) + "</Error>";
}

class S3StorageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(HttpGlobalInit(), IsOk());
    context_.UseRealClock();
  }
  std::unique_ptr<Storage> Open(const ScriptServer& server, Settings settings = {}) {
    settings.bucket = "bucket";
    settings.folder = "p/";
    settings.endpoint = server.url("");
    settings.proxy = "-";
    settings.versions = Versions::kNewest;
    if (settings.credentials.access_key.empty()) {
      settings.credentials.access_key = "AKID";
      settings.credentials.secret_key = kSecret;
    }
    auto storage = S3Storage::Open(std::move(settings));
    EXPECT_THAT(storage, IsOk());
    return *std::move(storage);
  }
  Status PutBytes(Storage& storage, std::string_view bytes, const PutOptions& options = {}) {
    WALRIG_ASSIGN(std::unique_ptr<Sink> sink, storage.Put(context_, "k", options));
    WALRIG_TRY(sink->Write(context_, AsBytes(bytes)));
    return sink->Commit(context_);
  }
  // A server that takes multipart uploads; `part_answer` may say something else for the n-th request with a part.
  ScriptServer::Script Multipart(std::function<std::optional<ScriptAnswer>(const ScriptRequest&, int)> odd) {
    return [odd = std::move(odd), n = 0](const ScriptRequest& r) mutable {
      if (const auto answer = odd(r, ++n)) return *answer;
      if (r.method == "POST" && r.target.find("?uploads") != std::string::npos) {
        return ScriptAnswer::Of(200, "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>");
      }
      if (r.method == "PUT") return ScriptAnswer::Of(200, "", {{"ETag", "\"e\""}});
      if (r.method == "POST") return ScriptAnswer::Of(200, "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>");
      return ScriptAnswer::Of(204, "");
    };
  }
  test::TestContext context_;
};

// A page for maintenance, a portal: everything is answered with 200.
TEST_F(S3StorageTest, AnAnswerOfAnybodyIsNoStoredObject) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(200, "<html>"); });
  const Status status = PutBytes(*Open(server), "hello");
  EXPECT_THAT(status, HasCode(Code::kProtocol));
  EXPECT_TRUE(status.retryable());
  EXPECT_TRUE(status.outcome_unknown());
}

TEST_F(S3StorageTest, ASmallObjectThatTheServerHasOtherwiseIsDamage) {
  ScriptServer server([](const ScriptRequest&) {
    return ScriptAnswer::Of(200, "", {{"ETag", "\"e\""}, {"x-amz-checksum-crc32c", http::Crc32cBase64(http::Crc32c(0, AsBytes("hellO")))}});
  });
  EXPECT_THAT(PutBytes(*Open(server), "hello"), HasCode(Code::kCorruption));
}

TEST_F(S3StorageTest, AnUploadThatSomebodyRemovedIsWrittenAnewAndNotAbsent) {
  ScriptServer server(Multipart([](const ScriptRequest& r, int) -> std::optional<ScriptAnswer> {
    if (r.method == "PUT") return ScriptAnswer::Of(404, ErrorXml("NoSuchUpload"));
    return std::nullopt;
  }));
  const Status status = PutBytes(*Open(server), std::string(12u << 20, 'x'));
  EXPECT_THAT(status, HasCode(Code::kConflict));
  EXPECT_TRUE(status.retryable());
  EXPECT_FALSE(status.resumable());
}

TEST_F(S3StorageTest, ACustomersKeyNeverGoesInTheClear) {
  Settings settings;
  settings.bucket = "bucket";
  settings.endpoint = "http://storage.example.org";
  settings.sse_c_key = std::string(32, 'k');
  EXPECT_THAT(S3Storage::Open(settings), HasCode(Code::kConfig));
}

TEST_F(S3StorageTest, PutsASmallObjectByOneSignedRequestWithItsChecksum) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(200, "", {{"ETag", "\"e\""}}); });
  EXPECT_THAT(PutBytes(*Open(server), "hello", {.only_if_absent = true}), IsOk());
  ASSERT_EQ(server.requests().size(), 1u);
  const ScriptRequest request = server.requests()[0];
  EXPECT_EQ(request.target, "/bucket/p/k");
  EXPECT_EQ(request.body, "hello");
  EXPECT_EQ(FindHeader(request.headers, "If-None-Match"), "*");
  EXPECT_EQ(FindHeader(request.headers, "x-amz-content-sha256"), http::HexOf(http::Sha256Of(AsBytes("hello"))));
  EXPECT_EQ(FindHeader(request.headers, "x-amz-checksum-crc32c"), http::Crc32cBase64(http::Crc32c(0, AsBytes("hello"))));
  EXPECT_TRUE(FindHeader(request.headers, "Authorization").find(kSecret) == std::string_view::npos);
}

TEST_F(S3StorageTest, SaysAlreadyExistsWhenTheConditionFails) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(412, ErrorXml("PreconditionFailed")); });
  EXPECT_THAT(PutBytes(*Open(server), "x", {.only_if_absent = true}), HasCode(Code::kAlreadyExists));
}

TEST_F(S3StorageTest, TakesSlowDownAsAWishToWait) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(503, ErrorXml("SlowDown"), {{"Retry-After", "3"}}); });
  const Status status = PutBytes(*Open(server), "x");
  EXPECT_THAT(status, HasCode(Code::kThrottled));
  EXPECT_TRUE(status.resumable());
  EXPECT_TRUE(status.outcome_unknown()) << "whoever gave the 503 need not be who did the work";
  EXPECT_EQ(status.detail().retry_after_ms, 3000u);
  EXPECT_EQ(server.requests().size(), 2u - 1u);
}

TEST_F(S3StorageTest, SendsAPartThatFailedAgainAndNoByteTwice) {
  std::string sent;
  ScriptServer server(Multipart([&](const ScriptRequest& r, int n) -> std::optional<ScriptAnswer> {
    if (r.method == "PUT" && n == 2) return ScriptAnswer::Of(500, ErrorXml("InternalError"));
    if (r.method == "PUT") sent += r.body;
    return std::nullopt;
  }));
  auto storage = Open(server);
  const std::string bytes = std::string(6u << 20, 'a') + std::string(6u << 20, 'b');
  auto sink = storage->Put(context_, "k", {.memory_budget_bytes = 5u << 20});
  ASSERT_THAT(sink, IsOk());
  int resumed = 0;
  Status status = (*sink)->Write(context_, AsBytes(bytes));
  for (; status.resumable() && resumed < 5; ++resumed) status = (*sink)->Write(context_, AsBytes(bytes));
  ASSERT_THAT(status, IsOk());
  ASSERT_THAT((*sink)->Commit(context_), IsOk());
  EXPECT_EQ(resumed, 1);
  EXPECT_TRUE(sent == bytes);
}

TEST_F(S3StorageTest, SeesTheErrorWithinASuccessOfComplete) {
  int completes = 0;
  ScriptServer server(Multipart([&](const ScriptRequest& r, int) -> std::optional<ScriptAnswer> {
    if (r.method == "POST" && r.target.find("uploadId=id") != std::string::npos && ++completes == 1) {
      return ScriptAnswer::Of(200, ErrorXml("InternalError"));
    }
    return std::nullopt;
  }));
  auto storage = Open(server);
  auto sink = storage->Put(context_, "k", {.memory_budget_bytes = 5u << 20});
  ASSERT_THAT((*sink)->Write(context_, AsBytes(std::string(6u << 20, 'a'))), IsOk());
  const Status status = (*sink)->Commit(context_);
  EXPECT_THAT(status, HasCode(Code::kUnavailable));
  EXPECT_TRUE(status.resumable());
  EXPECT_THAT((*sink)->Commit(context_), IsOk());
  EXPECT_EQ(completes, 2);
}

TEST_F(S3StorageTest, RemovesTheUploadOfAWriterThatWasDropped) {
  ScriptServer server(Multipart([](const ScriptRequest&, int) { return std::nullopt; }));
  auto storage = Open(server);
  {
    auto sink = storage->Put(context_, "k", {.memory_budget_bytes = 5u << 20});
    ASSERT_THAT((*sink)->Write(context_, AsBytes(std::string(6u << 20, 'a'))), IsOk());
  }
  EXPECT_EQ(server.requests().back().method, "DELETE");
  EXPECT_EQ(server.requests().back().target, "/bucket/p/k?uploadId=id");
}

TEST_F(S3StorageTest, NoticesThatTheBytesChangedOnTheWay) {
  ScriptServer server([](const ScriptRequest&) {
    return ScriptAnswer::Of(200, "hellO", {{"ETag", "\"e\""}, {"x-amz-checksum-crc32c", http::Crc32cBase64(http::Crc32c(0, AsBytes("hello")))}});
  });
  auto storage = Open(server);
  auto source = storage->Get(context_, "k", {});
  ASSERT_THAT(source, IsOk());
  Buffer buffer(100);
  ASSERT_THAT((*source)->Read(context_, buffer.span()), IsOk());
  EXPECT_THAT((*source)->Read(context_, buffer.span()), HasCode(Code::kCorruption));
}

TEST_F(S3StorageTest, TellsAMissingBucketFromAMissingObject) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(404, ""); });
  auto storage = Open(server);
  EXPECT_THAT(storage->Stat(context_, "k"), HasCode(Code::kConfig));
  ScriptServer other([](const ScriptRequest& r) { return ScriptAnswer::Of(r.target == "/bucket" ? 200 : 404, ""); });
  auto there = Open(other);
  EXPECT_THAT(there->Stat(context_, "k"), HasCode(Code::kNotFound));
}

TEST_F(S3StorageTest, LearnsTheServersClock) {
  ScriptServer server([](const ScriptRequest& r) {
    if (FindHeader(r.headers, "x-amz-date").substr(0, 8) == "19941106") return ScriptAnswer::Of(200, "", {{"ETag", "\"e\""}});
    return ScriptAnswer::Of(403, ErrorXml("RequestTimeTooSkewed"), {{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}});
  });
  auto storage = Open(server);
  EXPECT_TRUE(PutBytes(*storage, "x").retryable());
  EXPECT_THAT(PutBytes(*storage, "x"), IsOk());
}

TEST_F(S3StorageTest, LearnsTheBucketsRegion) {
  ScriptServer server([](const ScriptRequest& r) {
    if (FindHeader(r.headers, "Authorization").find("/eu-west-9/s3/") != std::string_view::npos) return ScriptAnswer::Of(200, "", {{"ETag", "\"e\""}});
    return ScriptAnswer::Of(400, ErrorXml("AuthorizationHeaderMalformed", "<Region>eu-west-9</Region>"));
  });
  auto storage = Open(server);
  EXPECT_TRUE(PutBytes(*storage, "x").retryable());
  EXPECT_THAT(PutBytes(*storage, "x"), IsOk());
}

TEST_F(S3StorageTest, LearnsTheBucketsRegionFromAnAnswerToHead) {
  for (const char* name : {"", "x-minio-error-code: AuthorizationHeaderMalformed\r\n"}) {
    ScriptServer server([&](const ScriptRequest& r) {
      if (FindHeader(r.headers, "Authorization").find("/eu-west-9/s3/") != std::string_view::npos) return ScriptAnswer::Of(200, "");
      return ScriptAnswer{"HTTP/1.1 400 X\r\nContent-Length: 0\r\n" + std::string(name) + "x-amz-bucket-region: eu-west-9\r\n\r\n"};
    });
    auto storage = Open(server);
    EXPECT_TRUE(storage->Stat(context_, "k").status().retryable()) << name;
    EXPECT_THAT(storage->Stat(context_, "k"), IsOk()) << name;
  }
}

TEST_F(S3StorageTest, TakesCredentialsFromTheInstanceAndRenewsThemWhenRefused) {
  int tokens = 0, keys = 0;
  ScriptServer imds([&](const ScriptRequest& r) {
    if (r.method == "PUT") return ScriptAnswer::Of(200, "token-" + std::to_string(++tokens));
    if (FindHeader(r.headers, "X-aws-ec2-metadata-token").empty()) return ScriptAnswer::Of(401, "");
    if (r.target == "/latest/meta-data/iam/security-credentials/") return ScriptAnswer::Of(200, "role\n");
    return ScriptAnswer::Of(200, "{\"AccessKeyId\":\"AK" + std::to_string(++keys) + "\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"2200-01-01T00:00:00Z\"}");
  });
  ScriptServer server([](const ScriptRequest& r) {
    if (FindHeader(r.headers, "Authorization").find("Credential=AK2/") != std::string_view::npos) return ScriptAnswer::Of(200, "", {{"ETag", "\"e\""}});
    return ScriptAnswer::Of(400, ErrorXml("ExpiredToken"));
  });
  for (const char* name : {"AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"}) unsetenv(name);
  Settings settings;
  settings.credentials.imds_endpoint = imds.url("");
  settings.credentials.config_file = settings.credentials.credentials_file = "/dev/null";
  settings.bucket = "bucket";
  settings.endpoint = server.url("");
  settings.proxy = "-";
  auto storage = S3Storage::Open(settings);
  ASSERT_THAT(storage, IsOk());
  const Status refused = PutBytes(**storage, "x");
  EXPECT_TRUE(refused.retryable()) << refused.ToString();
  EXPECT_THAT(PutBytes(**storage, "x"), IsOk());
  EXPECT_EQ(FindHeader(server.requests().back().headers, "x-amz-security-token"), "t");
}

// Five parts on their way when the keys end: one fetch is enough for those that failed together.
TEST_F(S3StorageTest, FetchesOnceForARequestThatIsRefused) {
  int keys = 0;
  ScriptServer imds([&](const ScriptRequest& r) {
    if (r.method == "PUT") return ScriptAnswer::Of(200, "token");
    if (r.target == "/latest/meta-data/iam/security-credentials/") return ScriptAnswer::Of(200, "role");
    return ScriptAnswer::Of(200, "{\"AccessKeyId\":\"AK" + std::to_string(++keys) + "\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"2200-01-01T00:00:00Z\"}");
  });
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(403, ErrorXml("ExpiredToken")); });
  unsetenv("AWS_PROFILE");
  Settings settings;
  settings.credentials.imds_endpoint = imds.url("");
  settings.credentials.config_file = settings.credentials.credentials_file = "/dev/null";
  settings.bucket = "bucket";
  settings.endpoint = server.url("");
  settings.proxy = "-";
  auto client = S3Client::New(settings);
  ASSERT_THAT(client, IsOk());
  S3Request first;
  first.what = "first";
  EXPECT_TRUE((*client)->Send(context_, first).status().retryable());
  const HttpResponse late{.status = 403, .headers = {}, .body = ErrorXml("ExpiredToken")};
  for (int i = 0; i < 4; ++i) EXPECT_TRUE((*client)->Judge(context_, late, "late", true).retryable());
  EXPECT_EQ(keys, 1);
}

TEST_F(S3StorageTest, AssumesARoleWithASignedRequest) {
  ScriptServer sts([](const ScriptRequest&) {
    return ScriptAnswer::Of(200, "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                                 "<SessionToken>t</SessionToken><Expiration>2200-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>");
  });
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(200, "", {{"ETag", "\"e\""}}); });
  Settings settings;
  settings.credentials.role_arn = "arn:aws:iam::1:role/r";
  settings.credentials.role_session_name = "walrig";
  settings.credentials.sts_endpoint = sts.url("");
  auto storage = Open(server, settings);
  EXPECT_THAT(PutBytes(*storage, "x"), IsOk());
  EXPECT_EQ(sts.requests()[0].body, "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=walrig&Version=2011-06-15");
  EXPECT_TRUE(FindHeader(sts.requests()[0].headers, "Authorization").find("/sts/aws4_request") != std::string_view::npos);
  EXPECT_TRUE(FindHeader(server.requests()[0].headers, "Authorization").find("Credential=ROLE/") != std::string_view::npos);
}

TEST_F(S3StorageTest, NeverTakesARoleThatIsNotFoundForAnObjectThatIsNotFound) {
  bool there = true;
  ScriptServer sts([&](const ScriptRequest&) { return there ? ScriptAnswer::Of(200,
      "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
      "<SessionToken>t</SessionToken><Expiration>2001-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>")
      : ScriptAnswer::Of(404, ""); });
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(200, "", {{"ETag", "\"e\""}}); });
  Settings settings;
  settings.credentials.role_arn = "arn:aws:iam::1:role/r";
  settings.credentials.role_session_name = "walrig";
  settings.credentials.sts_endpoint = sts.url("");
  auto storage = Open(server, settings);
  ASSERT_THAT(storage->Stat(context_, "k"), IsOk());  // the bucket was seen
  there = false;
  EXPECT_THAT(storage->Stat(context_, "k"), HasCode(Code::kUnauthenticated));
}

// The question for the bucket ends without an answer: whether it is there, and the object is absent in it, is not known.
TEST_F(S3StorageTest, SaysNothingOfAnObjectWhenTheBucketWasNotSeen) {
  ScriptServer server([&](const ScriptRequest& r) {
    if (r.target == "/bucket") context_.stop().RequestStop();
    return r.target == "/bucket" ? ScriptAnswer{"", ScriptAnswer::Then::kHang} : ScriptAnswer::Of(404, "");
  });
  auto storage = Open(server);
  EXPECT_THAT(storage->Stat(context_, "k"), HasCode(Code::kCancelled));
}

TEST_F(S3StorageTest, EndsAListOfVersionsThatGoesInACircle) {
  ScriptServer server([n = 0](const ScriptRequest&) mutable {
    const std::string more = ++n < 50 ? "true" : "false";
    return ScriptAnswer::Of(200, "<ListVersionsResult><IsTruncated>" + more + "</IsTruncated><NextKeyMarker>p/k</NextKeyMarker>"
                                 "<NextVersionIdMarker>v</NextVersionIdMarker></ListVersionsResult>");
  });
  Settings settings;
  settings.bucket = "bucket";
  settings.folder = "p/";
  settings.endpoint = server.url("");
  settings.proxy = "-";
  settings.versions = Versions::kAll;
  settings.credentials.access_key = "AKID";
  settings.credentials.secret_key = kSecret;
  auto storage = S3Storage::Open(std::move(settings));
  ASSERT_THAT(storage, IsOk());
  const std::vector<std::string> keys = {"k"};
  std::vector<Status> each;
  ASSERT_THAT((*storage)->Delete(context_, keys, &each), IsOk());
  EXPECT_THAT(each.at(0), HasCode(Code::kProtocol));
}

// MinIO takes the prefix of a list of uploads for a whole key; asked without one it lists all.
TEST_F(S3StorageTest, AsksForAllUploadsWhenNoneIsFoundBelowThePrefix) {
  const std::string all = "<ListMultipartUploadsResult><Upload><Key>p/base/x</Key><UploadId>1</UploadId></Upload>"
                          "<Upload><Key>p/wal/y</Key><UploadId>2</UploadId></Upload><Upload><Key>q/base/x</Key><UploadId>3</UploadId></Upload>"
                          "<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>";
  ScriptServer minio([&](const ScriptRequest& r) {
    const bool everything = r.target.find("&prefix=&") != std::string::npos;
    return ScriptAnswer::Of(200, everything ? all : "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>");
  });
  const auto page = Open(minio)->ListUnfinished(context_, "base/", "");
  ASSERT_THAT(page, IsOk());
  ASSERT_EQ(page->entries.size(), 1u);
  EXPECT_EQ(page->entries[0].key, "base/x");
  EXPECT_EQ(page->entries[0].id, "1");
}

TEST_F(S3StorageTest, DoesNotAskForAllUploadsWhenThePrefixFindsSome) {
  ScriptServer server([](const ScriptRequest&) {
    return ScriptAnswer::Of(200, "<ListMultipartUploadsResult><Upload><Key>p/base/x</Key><UploadId>1</UploadId></Upload></ListMultipartUploadsResult>");
  });
  const auto page = Open(server)->ListUnfinished(context_, "base/", "");
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->entries.size(), 1u);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(S3StorageTest, TakesNoUploadsForAnAnswerWhenAllMayNotBeSeen) {
  ScriptServer server([](const ScriptRequest& r) {
    if (r.target.find("&prefix=&") != std::string::npos) return ScriptAnswer::Of(403, ErrorXml("AccessDenied"));
    return ScriptAnswer::Of(200, "<ListMultipartUploadsResult></ListMultipartUploadsResult>");
  });
  const auto page = Open(server)->ListUnfinished(context_, "base/", "");
  ASSERT_THAT(page, IsOk());
  EXPECT_TRUE(page->entries.empty());
}

TEST_F(S3StorageTest, RemovesTheUploadOfACopyThatWasStopped) {
  ScriptServer server(Multipart([&](const ScriptRequest& r, int) -> std::optional<ScriptAnswer> {
    if (r.method == "HEAD") return ScriptAnswer{"HTTP/1.1 200 X\r\nContent-Length: 3221225472\r\nETag: \"e\"\r\n\r\n"};
    if (r.method != "PUT") return std::nullopt;
    context_.stop().RequestStop();
    return ScriptAnswer{"", ScriptAnswer::Then::kHang};
  }));
  auto storage = Open(server);
  EXPECT_THAT(storage->Copy(context_, "from", "to"), HasCode(Code::kCancelled));
  EXPECT_EQ(server.requests().back().method, "DELETE");
  EXPECT_EQ(server.requests().back().target, "/bucket/p/to?uploadId=id");
}

TEST_F(S3StorageTest, RefusesNamesThatAServerWouldChange) {
  for (const char* bad : {"", "/a", "a/", "a//b", "a/./b", "..", "a\nb", "\xff"}) {
    EXPECT_THAT(CheckKey("p/", bad), HasCode(Code::kNameInvalid)) << bad;
  }
  EXPECT_THAT(CheckKey("p/", std::string(1022, 'x')), IsOk());
  EXPECT_THAT(CheckKey("p/", std::string(1023, 'x')), HasCode(Code::kNameInvalid));
  EXPECT_THAT(CheckKey("", "a b/\xc3\xa4%2F+&<"), IsOk());
}

TEST(PartBytes, GrowSoThatTenThousandHoldTheObject) {
  constexpr uint64_t kMiB = 1u << 20;
  EXPECT_EQ(PartBytes(1, kUnknownSize, 32 * kMiB, 20 * kMiB), 8 * kMiB);
  EXPECT_EQ(PartBytes(1, kUnknownSize, 1 * kMiB, 20 * kMiB), 5 * kMiB);
  EXPECT_EQ(PartBytes(5000, kUnknownSize, 32 * kMiB, 20 * kMiB), 32 * kMiB);
  EXPECT_EQ(PartBytes(1, 1000 * 1024 * kMiB, 32 * kMiB, 20 * kMiB), (1000 * 1024 * kMiB + 9999) / 10000);
}

}  // namespace
}  // namespace walrig::s3
