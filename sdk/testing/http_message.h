// SPDX-License-Identifier: MIT-0
// What the fault proxy knows of HTTP/1.1: heads as lines, bodies by length, by chunks or to the end.
//
// THREADS: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/testing/fault_rule.h"
#include "sdk/testing/socket.h"

namespace walrig::faults {

struct HttpHead {
  std::string line;  // "GET /x HTTP/1.1" or "HTTP/1.1 200 OK"
  std::vector<HttpHeader> headers;

  const std::string* Find(std::string_view name) const;
  void Set(std::string_view name, std::string value);  // replaces the first, or adds
  void Remove(std::string_view name);
  std::string Text() const;  // with the empty line
};

inline constexpr size_t kHeadBytesMax = 64 * 1024;

// The head at the front of `bytes`, taken away from it; nothing when it is not all there.
// FAILS WITH: kProtocol (no HTTP, or longer than kHeadBytesMax).
Result<std::optional<HttpHead>> TakeHead(std::string* bytes);

struct RequestLine {
  std::string method, target, version;
};
Result<RequestLine> ParseRequestLine(std::string_view line);
Result<uint32_t> ParseStatusLine(std::string_view line);

enum class Framing { kNone, kLength, kChunked, kToEnd };
struct BodyPlan {
  Framing framing = Framing::kNone;
  uint64_t length = 0;  // of kLength
};
// FAILS WITH: kProtocol (a length that is no number).
Result<BodyPlan> PlanRequestBody(const HttpHead& head);
Result<BodyPlan> PlanResponseBody(const HttpHead& head, std::string_view request_method, uint32_t status);

// Reads the payload of one body, without its framing.
class BodyReader {
 public:
  BodyReader(Socket& from, const BodyPlan& plan) : from_(from), plan_(plan), left_(plan.length) {}
  // More payload in *piece; false at the end. After false, complete() tells a whole body from a broken one.
  bool Next(std::string* piece);
  bool complete() const { return complete_; }
  const std::string& trailers() const { return trailers_; }  // lines of a chunked body, each with CRLF

 private:
  bool NextChunk(std::string* piece);
  bool TakeLine(std::string* line);

  Socket& from_;
  const BodyPlan plan_;
  uint64_t left_;  // of the length, or of the current chunk
  bool in_chunk_ = false, complete_ = false;
  std::string trailers_;
};

// One piece of payload in the plan's framing, and what ends the body.
std::string FramePiece(const BodyPlan& plan, std::string_view piece);
std::string FrameEnd(const BodyPlan& plan, std::string_view trailers);

}  // namespace walrig::faults
