#include "sdk/testing/fault_proxy.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "sdk/testing/http_message.h"

namespace walrig::faults {
namespace {

constexpr size_t kAnswerBytes = 1000;

std::string AnswerText() {
  std::string text;
  for (size_t i = 0; i < kAnswerBytes; ++i) text += static_cast<char>('a' + i % 26);
  return text;
}

// A server that answers every request with AnswerText and remembers what it got.
class Origin {
 public:
  Origin() {
    stop_fd_ = eventfd(0, 0);
    fd_ = ListenOnLoopback(&port_).value();
    thread_ = std::thread([this] { Serve(); });
  }
  ~Origin() {
    const uint64_t one = 1;
    EXPECT_EQ(write(stop_fd_, &one, sizeof one), static_cast<ssize_t>(sizeof one));
    thread_.join();
    close(fd_);
    close(stop_fd_);
  }
  uint16_t port() const { return port_; }
  std::vector<std::string> bodies() const {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }

 private:
  void Serve() {
    std::vector<std::thread> threads;
    for (;;) {
      pollfd waits[2] = {{fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
      poll(waits, 2, -1);
      if (waits[1].revents != 0) break;
      const int fd = accept(fd_, nullptr, nullptr);
      if (fd >= 0) threads.emplace_back([this, fd] { Talk(Socket(fd, stop_fd_)); });
    }
    for (std::thread& thread : threads) thread.join();
  }
  void Talk(Socket client) {
    for (;;) {
      std::optional<HttpHead> head;
      while (!head.has_value()) {
        auto taken = TakeHead(&client.buffered());
        if (!taken.ok()) return;
        head = *taken;
        if (!head.has_value() && !client.Fill()) return;
      }
      const BodyPlan plan = PlanRequestBody(*head).value();
      BodyReader body(client, plan);
      std::string all, piece;
      while (body.Next(&piece)) all += piece;
      if (!body.complete()) return;
      {
        const std::lock_guard lock(mutex_);
        bodies_.push_back(all);
      }
      if (!client.SendAll("HTTP/1.1 200 OK\r\nETag: \"real\"\r\nContent-Length: " + std::to_string(kAnswerBytes) +
                          "\r\n\r\n" + (head->line.starts_with("HEAD") ? "" : AnswerText()))) {
        return;
      }
    }
  }
  uint16_t port_ = 0;
  int fd_ = -1, stop_fd_ = -1;
  mutable std::mutex mutex_;
  std::vector<std::string> bodies_;  // guarded by mutex_
  std::thread thread_;
};

struct Got {
  uint32_t status = 0;  // 0: no head came
  std::string etag, retry_after, body;
  bool whole = false;
  uint64_t elapsed_ms = 0;
};

class FaultProxyTest : public testing::Test {
 protected:
  FaultProxyTest() {
    FaultProxyOptions options;
    options.upstream_port = origin_.port();
    proxy_ = FaultProxy::Start(std::move(options)).value();
  }
  void Rule(std::string_view text) {
    auto rule = ParseFaultRule(text);
    ASSERT_TRUE(rule.ok()) << rule.status().ToString();
    proxy_->script().Add(*rule);
  }
  Socket Client(FaultProxy& proxy) { return Socket::Connect("127.0.0.1", proxy.port(), -1).value(); }

  Got Ask(Socket& socket, const std::string& method, const std::string& body, const std::string& more = "") {
    const auto began = std::chrono::steady_clock::now();
    Got got;
    socket.SendAll(method + " /bucket/key HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                   "\r\n" + more + "\r\n" + body);
    std::optional<HttpHead> head;
    for (;;) {
      auto taken = TakeHead(&socket.buffered());
      if (taken.ok() && taken->has_value()) {
        head = **taken;
        if (ParseStatusLine(head->line).value() >= 200) break;
        head.reset();
        continue;
      }
      if (!taken.ok() || !socket.Fill()) break;
    }
    if (head.has_value()) {
      got.status = ParseStatusLine(head->line).value();
      if (const std::string* etag = head->Find("etag")) got.etag = *etag;
      if (const std::string* after = head->Find("retry-after")) got.retry_after = *after;
      BodyReader reader(socket, PlanResponseBody(*head, method, got.status).value());
      std::string piece;
      while (reader.Next(&piece)) got.body += piece;
      got.whole = reader.complete();
    }
    got.elapsed_ms = static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count());
    return got;
  }
  Got Get(const std::string& more = "") {
    Socket socket = Client(*proxy_);
    return Ask(socket, "GET", "", more);
  }
  Got Put(const std::string& body, const std::string& more = "") {
    Socket socket = Client(*proxy_);
    return Ask(socket, "PUT", body, more);
  }

  Origin origin_;
  std::unique_ptr<FaultProxy> proxy_;
};

TEST_F(FaultProxyTest, PassesWhatNoRuleFitsAndKeepsTheConnection) {
  Socket socket = Client(*proxy_);
  for (int i = 0; i < 3; ++i) {
    const Got got = Ask(socket, i == 1 ? "PUT" : "GET", i == 1 ? "sent" : "");
    EXPECT_EQ(got.status, 200u);
    EXPECT_EQ(got.body, AnswerText());
    EXPECT_EQ(got.etag, "\"real\"");
  }
  const Got head = Ask(socket, "HEAD", "");
  EXPECT_TRUE(head.whole && head.body.empty());
  EXPECT_EQ(proxy_->Attempts("GET", "/bucket/"), 2u);
  EXPECT_EQ(proxy_->Attempts("PUT", "key"), 1u);
  EXPECT_EQ(proxy_->Attempts("", "key"), 4u);
  EXPECT_EQ(proxy_->Attempts("GET", "/other"), 0u);
  EXPECT_EQ(origin_.bodies(), (std::vector<std::string>{"", "sent", "", ""}));
  proxy_->Forget();
  EXPECT_TRUE(proxy_->exchanges().empty());
}

TEST_F(FaultProxyTest, AnswersInPlaceOfTheServer) {
  Rule("status status=503 retry-after=7");
  const Got got = Put("never arrives");
  EXPECT_EQ(got.status, 503u);
  EXPECT_EQ(got.retry_after, "7");
  EXPECT_NE(got.body.find("<Code>SlowDown</Code>"), std::string::npos);
  EXPECT_TRUE(origin_.bodies().empty());
  EXPECT_EQ(Put("arrives").status, 200u);
}

TEST_F(FaultProxyTest, AnswersOtherwiseAfterTheServerDidIt) {
  Rule("status status=500 late=1");
  EXPECT_EQ(Put("arrives").status, 500u);
  EXPECT_EQ(origin_.bodies(), std::vector<std::string>{"arrives"});
}

TEST_F(FaultProxyTest, PutsAnErrorIntoA200) {
  Rule("error-in-200");
  const Got got = Put("x");
  EXPECT_EQ(got.status, 200u);
  EXPECT_NE(got.body.find("<Error><Code>InternalError</Code>"), std::string::npos);
}

TEST_F(FaultProxyTest, AnswersThoseWithTheOldTokenOnly) {
  Rule("status status=403 header=Authorization:old times=all");
  EXPECT_EQ(Get("Authorization: Bearer old\r\n").status, 403u);
  EXPECT_EQ(Get("Authorization: Bearer new\r\n").status, 200u);
}

TEST_F(FaultProxyTest, ResetsInTheRequest) {
  Rule("reset-request at=10");
  const Got got = Put(std::string(100'000, 'x'));
  EXPECT_EQ(got.status, 0u);
  EXPECT_TRUE(origin_.bodies().empty());
  proxy_->Stop();  // now the exchange is written down whole
  EXPECT_EQ(proxy_->exchanges().at(0).request_bytes, 10u);
}

TEST_F(FaultProxyTest, ResetsInTheAnswer) {
  Rule("reset at=100");
  const Got got = Get();
  EXPECT_EQ(got.status, 200u);
  EXPECT_FALSE(got.whole);
  EXPECT_LE(got.body.size(), 100u);
}

TEST_F(FaultProxyTest, DropsTheAnswerOfARequestThatWasServed) {
  Rule("drop");
  EXPECT_EQ(Put("served").status, 0u);
  EXPECT_EQ(origin_.bodies(), std::vector<std::string>{"served"});
}

TEST_F(FaultProxyTest, StallsForAsLongAsItIsTold) {
  Rule("stall at=50 ms=200");
  const Got got = Get();
  EXPECT_EQ(got.body, AnswerText().substr(0, 50));
  EXPECT_FALSE(got.whole);
  EXPECT_GE(got.elapsed_ms, 200u);
  Rule("stall-head ms=200");
  EXPECT_EQ(Get().status, 0u);
}

TEST_F(FaultProxyTest, EndsAStallWhenItIsStopped) {
  Rule("stall at=50");
  Socket socket = Client(*proxy_);
  socket.SendAll("GET / HTTP/1.1\r\n\r\n");
  while (socket.buffered().find("\r\n\r\n") == std::string::npos) ASSERT_TRUE(socket.Fill());
  proxy_->Stop();  // would hang for ever
  EXPECT_EQ(proxy_->Attempts("GET", "/"), 1u);
}

TEST_F(FaultProxyTest, ClosesHalfBeforeTheEnd) {
  Rule("half-close at=999");
  const Got got = Get();
  EXPECT_EQ(got.body.size(), 999u);
  EXPECT_FALSE(got.whole);
}

TEST_F(FaultProxyTest, DripsTheWholeAnswer) {
  Rule("drip rate=5000");
  const Got got = Get();
  EXPECT_EQ(got.body, AnswerText());
  EXPECT_TRUE(got.whole);
  EXPECT_GE(got.elapsed_ms, 80u);  // 1000 bytes, the last step of 500 after a tenth of a second
}

TEST_F(FaultProxyTest, TruncatesSoThatOnlyTheContentTells) {
  Rule("truncate at=10");
  Socket socket = Client(*proxy_);
  const Got got = Ask(socket, "GET", "");
  EXPECT_EQ(got.body, AnswerText().substr(0, 10));
  EXPECT_TRUE(got.whole);
  EXPECT_EQ(Ask(socket, "GET", "").body, AnswerText());
}

TEST_F(FaultProxyTest, CorruptsOneBitEitherWay) {
  Rule("corrupt at=3");
  const Got got = Get();
  ASSERT_EQ(got.body.size(), kAnswerBytes);
  EXPECT_EQ(got.body[3], AnswerText()[3] ^ 1);
  EXPECT_EQ(got.body.substr(4), AnswerText().substr(4));
  Rule("corrupt-request at=1000000");  // beyond the end: the last byte
  EXPECT_EQ(Put("aaaa").status, 200u);
  EXPECT_EQ(origin_.bodies().back(), "aaa`");
}

TEST_F(FaultProxyTest, DeliversTwiceAndAnswersOnce) {
  Rule("duplicate method=PUT");
  Socket socket = Client(*proxy_);
  EXPECT_EQ(Ask(socket, "PUT", "twice").body, AnswerText());
  EXPECT_EQ(origin_.bodies(), (std::vector<std::string>{"twice", "twice"}));
  EXPECT_EQ(Ask(socket, "GET", "").status, 200u);
}

TEST_F(FaultProxyTest, GivesAnotherEtag) {
  Rule("wrong-etag");
  const Got got = Get();
  EXPECT_NE(got.etag, "\"real\"");
  EXPECT_EQ(got.body, AnswerText());
}

TEST_F(FaultProxyTest, AsksForTheBodyOfAClientThatWaits) {
  const Got got = Put("expected", "Expect: 100-continue\r\n");
  EXPECT_EQ(got.status, 200u);
  EXPECT_EQ(origin_.bodies(), std::vector<std::string>{"expected"});
}

TEST_F(FaultProxyTest, ResetsWhenNothingListensBehindIt) {
  FaultProxyOptions options;
  options.upstream_port = 1;
  const auto proxy = FaultProxy::Start(std::move(options)).value();
  Socket socket = Client(*proxy);
  EXPECT_EQ(Ask(socket, "GET", "").status, 0u);
}

TEST_F(FaultProxyTest, PassesAndBreaksPlainTcp) {
  FaultProxyOptions options;
  options.mode = FaultProxyOptions::Mode::kTcp;
  options.upstream_port = origin_.port();
  const auto proxy = FaultProxy::Start(std::move(options)).value();
  Socket whole = Client(*proxy);
  EXPECT_EQ(Ask(whole, "GET", "").body, AnswerText());
  proxy->script().Add(ParseFaultRule("half-close at=90").value());
  Socket broken = Client(*proxy);
  const Got got = Ask(broken, "GET", "");
  EXPECT_EQ(got.status, 200u);
  EXPECT_FALSE(got.whole);
  EXPECT_LT(got.body.size(), 90u);
  proxy->script().Add(ParseFaultRule("reset-request at=5").value());
  Socket reset = Client(*proxy);
  EXPECT_EQ(Ask(reset, "GET", "").status, 0u);
  EXPECT_EQ(proxy->Attempts("CONNECT", ""), 3u);
}

}  // namespace
}  // namespace walrig::faults
