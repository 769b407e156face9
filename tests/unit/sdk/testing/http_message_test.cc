#include "sdk/testing/http_message.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace walrig::faults {
namespace {

// The payload that a reader finds in these bytes, and whether it thinks it whole.
std::string Payload(std::string_view wire, const BodyPlan& plan, bool* complete, std::string* trailers = nullptr) {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  EXPECT_EQ(write(ends[1], wire.data(), wire.size()), static_cast<ssize_t>(wire.size()));
  close(ends[1]);
  Socket socket(ends[0], -1);
  BodyReader reader(socket, plan);
  std::string all, piece;
  while (reader.Next(&piece)) all += piece;
  *complete = reader.complete();
  if (trailers != nullptr) *trailers = reader.trailers();
  return all;
}

TEST(HttpHeadTest, WaitsForTheEmptyLine) {
  std::string bytes = "GET / HTTP/1.1\r\nHost: x\r\n";
  auto head = TakeHead(&bytes);
  ASSERT_TRUE(head.ok());
  EXPECT_FALSE(head->has_value());
  bytes += "\r\nbody";
  head = TakeHead(&bytes);
  ASSERT_TRUE(head.ok() && head->has_value());
  EXPECT_EQ(bytes, "body");
  EXPECT_EQ((*head)->line, "GET / HTTP/1.1");
  EXPECT_EQ(*(*head)->Find("HOST"), "x");
  EXPECT_EQ((*head)->Text(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
}

TEST(HttpHeadTest, RefusesWhatIsNoHead) {
  std::string nameless = "GET / HTTP/1.1\r\n: x\r\n\r\n";
  EXPECT_EQ(TakeHead(&nameless).status().code(), Code::kProtocol);
  std::string endless(kHeadBytesMax + 1, 'a');
  EXPECT_EQ(TakeHead(&endless).status().code(), Code::kProtocol);
  EXPECT_FALSE(ParseRequestLine("SSH-2.0-x").ok());
  EXPECT_FALSE(ParseRequestLine("GET /").ok());
  EXPECT_FALSE(ParseStatusLine("HTTP/1.1 2xx").ok());
  EXPECT_EQ(ParseStatusLine("HTTP/1.1 204 No Content").value(), 204u);
}

TEST(HttpBodyTest, PlansByHeadersMethodAndStatus) {
  HttpHead head{"HTTP/1.1 200 OK", {{"Content-Length", "12"}}};
  EXPECT_EQ(PlanResponseBody(head, "GET", 200)->length, 12u);
  EXPECT_EQ(PlanResponseBody(head, "HEAD", 200)->framing, Framing::kNone);
  EXPECT_EQ(PlanResponseBody(head, "GET", 304)->framing, Framing::kNone);
  head.Set("content-length", "-1");
  EXPECT_FALSE(PlanResponseBody(head, "GET", 200).ok());
  head.Set("Transfer-Encoding", "chunked");
  EXPECT_EQ(PlanRequestBody(head)->framing, Framing::kChunked);
  EXPECT_EQ(PlanResponseBody(HttpHead{}, "GET", 200)->framing, Framing::kToEnd);
}

TEST(HttpBodyTest, ReadsBodiesByLength) {
  bool complete = false;
  EXPECT_EQ(Payload("hello more", {Framing::kLength, 5}, &complete), "hello");
  EXPECT_TRUE(complete);
  EXPECT_EQ(Payload("hel", {Framing::kLength, 5}, &complete), "hel");
  EXPECT_FALSE(complete);
}

TEST(HttpBodyTest, ReadsBodiesByChunksWithTrailers) {
  bool complete = false;
  std::string trailers;
  const BodyPlan chunked{Framing::kChunked, 0};
  EXPECT_EQ(Payload("5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\n", chunked, &complete, &trailers), "hello world");
  EXPECT_TRUE(complete);
  EXPECT_EQ(trailers, "A: b\r\n");
  for (const char* broken : {"5\r\nhel", "5\r\nhello\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "zz\r\n", "0\r\n", "fffffffffffffffff\r\n"}) {
    Payload(broken, chunked, &complete);
    EXPECT_FALSE(complete) << broken;
  }
}

TEST(HttpBodyTest, FramesWhatItReads) {
  const BodyPlan chunked{Framing::kChunked, 0};
  EXPECT_EQ(FramePiece(chunked, std::string(26, 'x')), "1a\r\n" + std::string(26, 'x') + "\r\n");
  EXPECT_EQ(FrameEnd(chunked, "A: b\r\n"), "0\r\nA: b\r\n\r\n");
  EXPECT_EQ(FramePiece({Framing::kLength, 3}, "abc") + FrameEnd({Framing::kLength, 3}, ""), "abc");
}

}  // namespace
}  // namespace walrig::faults
