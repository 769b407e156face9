// SPDX-License-Identifier: MIT-0
#include "sdk/testing/proxy_connection.h"

#include <poll.h>

#include <algorithm>
#include <chrono>

namespace walrig::faults {
namespace {

constexpr size_t kDuplicateBytesMax = 256u << 20;
constexpr uint64_t kLengthUnknown = UINT64_MAX;

bool AnswersItself(const FaultRule& rule) {
  return (rule.fault == Fault::kStatus || rule.fault == Fault::kErrorIn200) && !rule.late;
}

// S3 says errors inside of a 200 in these words; others are as unwelcome there.
std::string ErrorBody(const FaultRule& rule) {
  if (!rule.body.empty()) return rule.body;
  const std::string code = rule.fault == Fault::kErrorIn200 || rule.status == 500 ? "InternalError"
                           : rule.status == 503                                   ? "SlowDown"
                           : rule.status == 403                                   ? "ExpiredToken"
                                                                                  : "Injected";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code +
         "</Code><Message>said by the fault proxy</Message><RequestId>FAULT</RequestId></Error>";
}

void FlipBit(std::string* piece, uint64_t before, uint64_t at) {
  if (at < before || at - before >= piece->size()) return;
  char& byte = (*piece)[static_cast<size_t>(at - before)];
  byte = static_cast<char>(byte ^ 0x01);
}

// Where to flip: the wanted byte, or the last one of a body that is shorter.
uint64_t FlipAt(uint64_t wanted, uint64_t length) {
  return length == kLengthUnknown || length == 0 ? wanted : std::min(wanted, length - 1);
}

}  // namespace

void ProxyConnection::RunHttp() {
  while (OneRequest() == Next::kGoOn) {
  }
}

ProxyConnection::Next ProxyConnection::OneRequest() {
  std::optional<HttpHead> head;
  while (!head.has_value()) {
    auto taken = TakeHead(&client_.buffered());
    if (!taken.ok()) return Next::kEnd;
    head = std::move(taken).value();
    if (!head.has_value() && !client_.Fill()) return Next::kEnd;
  }
  auto line = ParseRequestLine(head->line);
  if (!line.ok()) return Next::kEnd;
  exchange_ = {};
  exchange_.method = line->method;
  exchange_.target = line->target;
  rule_ = proxy_.script_.Judge(line->method, line->target, head->headers, &exchange_.hit);
  exchange_.fault = rule_.fault;
  const size_t number = proxy_.Enter(exchange_);
  const Next next = Obey(*head, *line);
  proxy_.Leave(number, exchange_);
  if (next == Next::kEnd) server_.Close();
  return next;
}

ProxyConnection::Next ProxyConnection::Obey(const HttpHead& request, const RequestLine& line) {
  if (request.Find("expect") != nullptr && !AnswersItself(rule_)) {
    // The body is asked for at once: whether the server wants it shows in its answer.
    if (!client_.SendAll("HTTP/1.1 100 Continue\r\n\r\n")) return Next::kEnd;
  }
  const std::string* wish = request.Find("connection");
  const bool close = line.version == "HTTP/1.0" || (wish != nullptr && *wish == "close");
  Next next;
  if (AnswersItself(rule_)) {
    next = request.Find("expect") == nullptr && !DrainRequest(request) ? Next::kEnd : Answer(request);
    // A client that was told not to send its body may do so or not; only a fresh connection is unambiguous.
    if (request.Find("expect") != nullptr) next = Next::kEnd;
  } else {
    next = Forward(request, line);
  }
  return close ? Next::kEnd : next;
}

bool ProxyConnection::DrainRequest(const HttpHead& request) {
  const auto plan = PlanRequestBody(request);
  if (!plan.ok()) return false;
  BodyReader body(client_, *plan);
  std::string piece;
  while (body.Next(&piece)) exchange_.request_bytes += piece.size();
  return body.complete();
}

ProxyConnection::Next ProxyConnection::Answer(const HttpHead& request) {
  const uint32_t status = rule_.fault == Fault::kErrorIn200 ? 200 : rule_.status;
  const std::string body = ErrorBody(rule_);
  HttpHead head;
  head.line = "HTTP/1.1 " + std::to_string(status) + " Injected";
  head.Set("Content-Type", "application/xml");
  head.Set("Content-Length", std::to_string(body.size()));
  if (!rule_.retry_after_s.empty()) head.Set("Retry-After", rule_.retry_after_s);
  exchange_.status = status;
  const bool has_body = !request.line.starts_with("HEAD ");
  if (has_body) exchange_.response_bytes = body.size();
  return client_.SendAll(head.Text() + (has_body ? body : "")) ? Next::kGoOn : Next::kEnd;
}

bool ProxyConnection::ConnectUpstream() {
  if (server_.open()) return true;
  auto connected =
      Socket::Connect(proxy_.options_.upstream_host, proxy_.options_.upstream_port, proxy_.stop_fd_);
  if (!connected.ok()) return false;
  server_ = std::move(connected).value();
  return true;
}

// False when the request was broken off, by the rule or by the client; a server that hangs up early may still have
// answered.
bool ProxyConnection::SendRequest(const HttpHead& request, const BodyPlan& plan) {
  const bool reset = rule_.fault == Fault::kResetRequest;
  bool server_there = server_.SendAll(request.Text());
  BodyReader body(client_, plan);
  const uint64_t length = plan.framing == Framing::kLength ? plan.length : kLengthUnknown;
  std::string piece;
  while (!(reset && exchange_.request_bytes >= rule_.at_bytes) && body.Next(&piece)) {
    if (reset) {
      piece.resize(static_cast<size_t>(std::min<uint64_t>(piece.size(), rule_.at_bytes - exchange_.request_bytes)));
    }
    if (rule_.fault == Fault::kCorruptRequest) {
      FlipBit(&piece, exchange_.request_bytes, FlipAt(rule_.at_bytes, length));
    }
    if (rule_.fault == Fault::kDuplicate && sent_body_.size() < kDuplicateBytesMax) sent_body_ += piece;
    exchange_.request_bytes += piece.size();
    server_there = server_there && server_.SendAll(FramePiece(plan, piece));
  }
  if (reset) {
    server_.Reset();
    client_.Reset();
    return false;
  }
  if (!body.complete()) return false;
  if (server_there) server_.SendAll(FrameEnd(plan, body.trailers()));
  return true;
}

Result<HttpHead> ProxyConnection::ReadAnswerHead() {
  for (;;) {
    WALRIG_ASSIGN(std::optional<HttpHead> head, TakeHead(&server_.buffered()));
    if (!head.has_value()) {
      if (!server_.Fill()) return Unavailable("the server hung up");
      continue;
    }
    WALRIG_ASSIGN(const uint32_t status, ParseStatusLine(head->line));
    if (status >= 200) return *std::move(head);  // what comes before the answer proper is for us alone
  }
}

void ProxyConnection::Redeliver(const HttpHead& request, const BodyPlan& plan) {
  auto again = Socket::Connect(proxy_.options_.upstream_host, proxy_.options_.upstream_port, proxy_.stop_fd_);
  if (!again.ok() || !again->SendAll(request.Text() + FramePiece(plan, sent_body_) + FrameEnd(plan, ""))) return;
  // Until the head of its answer: then the server has done it.
  while (again->buffered().find("\r\n\r\n") == std::string::npos && again->Fill()) {
  }
}

ProxyConnection::Next ProxyConnection::Forward(const HttpHead& request, const RequestLine& line) {
  const auto plan = PlanRequestBody(request);
  if (!plan.ok()) return Next::kEnd;
  HttpHead onward = request;
  onward.Remove("expect");
  sent_body_.clear();
  if (!ConnectUpstream()) {
    client_.Reset();
    return Next::kEnd;
  }
  if (!SendRequest(onward, *plan)) return Next::kEnd;
  auto response = ReadAnswerHead();
  if (!response.ok()) {
    client_.Reset();
    return Next::kEnd;
  }
  if (rule_.fault == Fault::kDuplicate) Redeliver(onward, *plan);
  if (rule_.fault == Fault::kDrop) {
    client_.Reset();
    return Next::kEnd;
  }
  if (rule_.fault == Fault::kStallHead) return Stall();
  if (rule_.fault == Fault::kStatus || rule_.fault == Fault::kErrorIn200) {
    const Next next = Answer(request);
    server_.Close();
    return next;
  }
  return PassAnswer(std::move(response).value(), line);
}

ProxyConnection::Next ProxyConnection::PassAnswer(HttpHead response, const RequestLine& line) {
  const uint32_t status = ParseStatusLine(response.line).value();
  const auto plan = PlanResponseBody(response, line.method, status);
  if (!plan.ok()) return Next::kEnd;
  BodyPlan out = *plan;
  if (rule_.fault == Fault::kWrongEtag) response.Set("ETag", "\"00000000000000000000000000000000\"");
  if (rule_.fault == Fault::kTruncate && out.framing == Framing::kLength) {
    out.length = std::min(out.length, rule_.at_bytes);
    response.Set("Content-Length", std::to_string(out.length));
  }
  exchange_.status = status;
  if (!client_.SendAll(response.Text())) return Next::kEnd;
  BodyReader body(server_, *plan);
  const Next next = PassBody(body, out, plan->framing == Framing::kLength ? plan->length : kLengthUnknown);
  const std::string* wish = response.Find("connection");
  const bool close = out.framing == Framing::kToEnd || (wish != nullptr && *wish == "close");
  return close ? Next::kEnd : next;
}

ProxyConnection::Next ProxyConnection::PassBody(BodyReader& body, const BodyPlan& out, uint64_t length) {
  const bool stops = rule_.fault == Fault::kReset || rule_.fault == Fault::kStall ||
                     rule_.fault == Fault::kHalfClose || rule_.fault == Fault::kTruncate;
  const uint64_t end = stops ? rule_.at_bytes : UINT64_MAX;
  const auto began = std::chrono::steady_clock::now();
  uint64_t seen = 0;
  std::string piece;
  bool client_there = true;
  while (body.Next(&piece)) {
    if (rule_.fault == Fault::kCorrupt) FlipBit(&piece, seen, FlipAt(rule_.at_bytes, length));
    seen += piece.size();
    const uint64_t room = end - exchange_.response_bytes;
    if (piece.size() > room) piece.resize(static_cast<size_t>(room));
    if (rule_.fault == Fault::kDrip) {
      // A tenth of a second's worth at a time, each when its time has come.
      const size_t step = static_cast<size_t>(std::max<uint64_t>(1, rule_.rate_bytes_s / 10));
      for (size_t at = 0; at < piece.size() && client_there; at += step) {
        const auto due = began + std::chrono::milliseconds(exchange_.response_bytes * 1000 / rule_.rate_bytes_s);
        pollfd wait{proxy_.stop_fd_, POLLIN, 0};
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(due - std::chrono::steady_clock::now());
        if (ms.count() > 0 && poll(&wait, 1, static_cast<int>(ms.count())) > 0) return Next::kEnd;
        const std::string_view drop = std::string_view(piece).substr(at, step);
        client_there = client_.SendAll(FramePiece(out, drop));
        exchange_.response_bytes += drop.size();
      }
    } else if (!piece.empty()) {
      client_there = client_.SendAll(FramePiece(out, piece));
      exchange_.response_bytes += piece.size();
    }
    if (!client_there) return Next::kEnd;
    if (stops && rule_.fault != Fault::kTruncate && exchange_.response_bytes >= end) break;
  }
  if (rule_.fault == Fault::kReset) {
    client_.Reset();
    return Next::kEnd;
  }
  if (rule_.fault == Fault::kStall) return Stall();
  if (rule_.fault == Fault::kHalfClose) {
    client_.HalfClose();
    client_.WaitForHangUp(5000);
    return Next::kEnd;
  }
  if (!body.complete()) {
    client_.Reset();  // the server broke off, so does the proxy
    return Next::kEnd;
  }
  return client_.SendAll(FrameEnd(out, body.trailers())) ? Next::kGoOn : Next::kEnd;
}

ProxyConnection::Next ProxyConnection::Stall() {
  client_.WaitForHangUp(rule_.stall_ms);
  return Next::kEnd;
}

}  // namespace walrig::faults
