#include "plugins/common/http/client.h"

#include <thread>

#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"
#include "tests/unit/plugins/common/http/script_server.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;
using test::IsOk;
using test::ScriptAnswer;
using test::ScriptRequest;
using test::ScriptServer;

class HttpClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(HttpGlobalInit(), IsOk());
    context_.UseRealClock();
    Make({});
  }
  void Make(HttpOptions options) {
    options.proxy = "-";
    auto made = HttpClient::New(std::move(options));
    ASSERT_THAT(made, IsOk());
    client_ = *std::move(made);
  }
  HttpRequest Get(const ScriptServer& server, std::string_view path = "/") {
    HttpRequest request;
    request.url = server.url(path);
    return request;
  }
  std::string ReadAll(Source& source, Status* status) {
    std::string all;
    Buffer buffer(1000);
    while (true) {
      const Result<size_t> n = source.Read(context_, buffer.span());
      *status = n.status();
      if (!n.ok() || *n == 0) return all;
      all.append(AsText(buffer.first(*n)));
    }
  }

  test::TestContext context_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(HttpClientTest, KeepsTheConnectionForTheNextRequest) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(200, "hello", {{"X-Odd", "a b"}}); });
  for (int i = 0; i < 3; ++i) {
    const auto response = client_->Send(context_, Get(server));
    ASSERT_THAT(response, IsOk());
    EXPECT_EQ(response->body, "hello");
    EXPECT_EQ(response->Header("x-oDD"), "a b");
  }
  EXPECT_EQ(server.requests().back().connection, 1);
}

TEST_F(HttpClientTest, SendsABodyInPiecesAndItsLength) {
  ScriptServer server([](const ScriptRequest& r) { return ScriptAnswer::Of(200, r.body); });
  HttpRequest request = Get(server, "/a/../b");
  request.method = "PUT";
  const std::string one(300'000, 'x'), two = "end";
  request.body = {AsBytes(one), {}, AsBytes(two)};
  const auto response = client_->Send(context_, request);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->body, one + two);
  EXPECT_EQ(server.requests()[0].target, "/a/../b");
  EXPECT_TRUE(FindHeader(server.requests()[0].headers, "Expect").empty());
}

TEST_F(HttpClientTest, AsksBeforeABodyWhenToldTo) {
  ScriptServer server([](const ScriptRequest& r) { return ScriptAnswer::Of(200, r.body); });
  HttpRequest request = Get(server);
  request.method = "PUT";
  request.expect_continue = true;
  request.SetBody("abc");
  EXPECT_THAT(client_->Send(context_, request), IsOk());
  EXPECT_EQ(FindHeader(server.requests()[0].headers, "Expect"), "100-continue");
}

TEST_F(HttpClientTest, CutsAnAnswerThatIsTooLong) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(200, "0123456789"); });
  const auto response = client_->Send(context_, Get(server), 4);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->body, "0123");
  EXPECT_TRUE(response->body_cut);
}

TEST_F(HttpClientTest, FollowsNoRedirect) {
  ScriptServer server([&](const ScriptRequest&) { return ScriptAnswer::Of(302, "", {{"Location", "/elsewhere"}}); });
  const auto response = client_->Send(context_, Get(server));
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(HttpClientTest, StreamsABodyWholeThroughSmallBuffers) {
  std::string body;
  for (int i = 0; i < 1'000'000; ++i) body += static_cast<char>(i * 7);
  ScriptServer server([&](const ScriptRequest&) { return ScriptAnswer::Of(206, body); });
  auto stream = client_->Open(context_, Get(server));
  ASSERT_THAT(stream, IsOk());
  EXPECT_EQ((*stream)->status(), 206);
  Status status;
  EXPECT_TRUE(ReadAll(**stream, &status) == body);
  EXPECT_THAT(status, IsOk());
}

TEST_F(HttpClientTest, SaysTruncatedWhenABodyEndsEarly) {
  ScriptServer server([](const ScriptRequest&) {
    return ScriptAnswer{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234", ScriptAnswer::Then::kClose};
  });
  auto stream = client_->Open(context_, Get(server));
  ASSERT_THAT(stream, IsOk());
  Status status;
  EXPECT_EQ(ReadAll(**stream, &status), "01234");
  EXPECT_THAT(status, HasCode(Code::kTruncated));
  EXPECT_TRUE(status.retryable());
}

TEST_F(HttpClientTest, TriesAChangeOnceAndSaysThatItsOutcomeIsUnknown) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer{"", ScriptAnswer::Then::kReset}; });
  HttpRequest request = Get(server);
  request.method = "POST";
  request.SetBody("change");
  const auto response = client_->Send(context_, request);
  EXPECT_THAT(response, HasCode(Code::kUnavailable));
  EXPECT_TRUE(response.status().retryable());
  EXPECT_TRUE(response.status().outcome_unknown());
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(HttpClientTest, DoesNotRepeatAChangeOnAConnectionThatDiedIdle) {
  ScriptServer server([](const ScriptRequest& r) {
    return r.method == "GET" ? ScriptAnswer::Of(200, "") : ScriptAnswer{"", ScriptAnswer::Then::kReset};
  });
  ASSERT_THAT(client_->Send(context_, Get(server)), IsOk());
  HttpRequest request = Get(server);
  request.method = "POST";
  request.SetBody("change");
  EXPECT_FALSE(client_->Send(context_, request).ok());
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST_F(HttpClientTest, SaysUnavailableWithoutAServer) {
  std::string url;
  { url = ScriptServer([](const ScriptRequest&) { return ScriptAnswer{}; }).url(); }
  HttpRequest request;
  request.url = url;
  const auto response = client_->Send(context_, request);
  EXPECT_THAT(response, HasCode(Code::kUnavailable));
  EXPECT_TRUE(response.status().retryable());
  EXPECT_FALSE(response.status().outcome_unknown());
}

TEST_F(HttpClientTest, GivesUpAServerThatMovesNothing) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer{"HTTP/1.1 200 OK\r\n", ScriptAnswer::Then::kHang}; });
  HttpRequest request = Get(server);
  request.stall_timeout_ms = 200;
  const auto response = client_->Send(context_, request);
  EXPECT_THAT(response, HasCode(Code::kTimeout));
  EXPECT_TRUE(response.status().retryable());
}

// The client's own naps are shorter than a second: such a stall is many of them.
TEST_F(HttpClientTest, GivesUpAServerThatMovesNothingForSeconds) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer{"", ScriptAnswer::Then::kHang}; });
  HttpRequest request = Get(server);
  request.stall_timeout_ms = 2'500;
  Context ctx = context_.ctx();
  ctx.deadline_ns = ctx.clock->MonotonicNs() + 20'000'000'000;
  const auto response = client_->Send(ctx, request);
  EXPECT_THAT(response, HasCode(Code::kTimeout));
  EXPECT_THAT(response, MessageHas("moved no byte"));
}

// The server is not to blame for what the caller did meanwhile.
TEST_F(HttpClientTest, ACallerThatIsAwayIsNoStall) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(200, std::string(3u << 20, 'x')); });
  HttpRequest request = Get(server);
  request.stall_timeout_ms = 300;
  auto stream = client_->Open(context_, request);
  ASSERT_OK(stream);
  Buffer buffer(1u << 20);
  size_t total = 0;
  for (int reads = 0;; ++reads) {
    if (reads == 1) context_.ctx().clock->SleepNs(900'000'000, -1);
    ASSERT_OK_AND_ASSIGN(const size_t got, (*stream)->Read(context_, buffer.span()));
    if (got == 0) break;
    total += got;
  }
  EXPECT_EQ(total, 3u << 20);
}

// A gateway that does not read what it answers.
TEST_F(HttpClientTest, AnAnswerBeforeAllWasSentIsNoSuccess) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer{}; }, /*early=*/"HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  const std::string body(8u << 20, 'x');
  HttpRequest request = Get(server);
  request.method = "PUT";
  request.SetBody(body);
  const auto response = client_->Send(context_, request);
  EXPECT_THAT(response, HasCode(Code::kTruncated));
  EXPECT_TRUE(response.status().retryable());
  EXPECT_TRUE(response.status().outcome_unknown());
}

TEST_F(HttpClientTest, EndsAtTheDeadline) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer{"", ScriptAnswer::Then::kHang}; });
  Context ctx = context_.ctx();
  ctx.deadline_ns = ctx.clock->MonotonicNs() + 100'000'000;
  EXPECT_THAT(client_->Send(ctx, Get(server)), HasCode(Code::kTimeout));
  EXPECT_LT(ctx.clock->MonotonicNs(), ctx.deadline_ns + 1'000'000'000);
}

TEST_F(HttpClientTest, EndsAtAStop) {
  ScriptServer server([this](const ScriptRequest&) {
    context_.stop().RequestStop();
    return ScriptAnswer{"", ScriptAnswer::Then::kHang};
  });
  const uint64_t start = context_.ctx().clock->MonotonicNs();
  EXPECT_THAT(client_->Send(context_, Get(server)), HasCode(Code::kCancelled));
  EXPECT_LT(context_.ctx().clock->MonotonicNs() - start, 1'000'000'000u);
}

TEST_F(HttpClientTest, RefusesHeadersWithLineBreaks) {
  ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(200, ""); });
  HttpRequest request = Get(server);
  request.headers = {{"A", "b\r\nEvil: yes"}};
  EXPECT_THAT(client_->Send(context_, request), HasCode(Code::kInvalidArgument));
}

TEST_F(HttpClientTest, RefusesACaFileThatIsNone) {
  HttpOptions options;
  options.ca_file = "/dev/null";
  EXPECT_THAT(HttpClient::New(options), HasCode(Code::kConfig));
}

TEST_F(HttpClientTest, MovesSeveralExchangesAtOnce) {
  ScriptServer server([](const ScriptRequest& r) { return ScriptAnswer::Of(r.target == "/3" ? 500 : 200, r.body); });
  auto batch = client_->NewBatch();
  std::vector<std::string> bodies(8);
  for (size_t i = 0; i < bodies.size(); ++i) {
    bodies[i] = std::string(100'000 + i, static_cast<char>('a' + i));
    HttpRequest request = Get(server, "/" + std::to_string(i));
    request.method = "PUT";
    request.SetBody(bodies[i]);
    ASSERT_THAT(batch->Start(std::move(request), i), IsOk());
  }
  size_t ended = 0;
  while (batch->running() > 0) {
    const auto done = batch->Pump(context_, true);
    ASSERT_THAT(done, IsOk());
    for (const HttpBatch::Done& one : *done) {
      ASSERT_THAT(one.response, IsOk());
      EXPECT_EQ(one.response->status, one.tag == 3 ? 500 : 200);
      EXPECT_EQ(one.response->body, bodies[one.tag]);
      ++ended;
    }
  }
  EXPECT_EQ(ended, bodies.size());
}

TEST_F(HttpClientTest, ServesManyThreads) {
  ScriptServer server([](const ScriptRequest& r) { return ScriptAnswer::Of(200, r.target); });
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string path = "/" + std::to_string(t * 100 + i);
        const auto response = client_->Send(context_, Get(server, path));
        wrong += !response.ok() || response->body != path;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace walrig
