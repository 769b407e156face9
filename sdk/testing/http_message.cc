// SPDX-License-Identifier: MIT-0
#include "sdk/testing/http_message.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace walrig::faults {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The whole text as a number of this base.
bool WholeNumber(std::string_view text, int base, uint64_t* out) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), *out, base);
  return error == std::errc() && stop == text.data() + text.size() && !text.empty();
}

Result<BodyPlan> PlanByHeaders(const HttpHead& head, Framing otherwise) {
  BodyPlan plan{otherwise, 0};
  if (const std::string* coding = head.Find("transfer-encoding"); coding != nullptr) {
    plan.framing = Framing::kChunked;
  } else if (const std::string* length = head.Find("content-length"); length != nullptr) {
    if (!WholeNumber(Trimmed(*length), 10, &plan.length)) return ProtocolError("content-length is no number");
    plan.framing = Framing::kLength;
  }
  return plan;
}

}  // namespace

const std::string* HttpHead::Find(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (SameName(header.name, name)) return &header.value;
  }
  return nullptr;
}

void HttpHead::Set(std::string_view name, std::string value) {
  for (HttpHeader& header : headers) {
    if (!SameName(header.name, name)) continue;
    header.value = std::move(value);
    return;
  }
  headers.push_back({std::string(name), std::move(value)});
}

void HttpHead::Remove(std::string_view name) {
  std::erase_if(headers, [name](const HttpHeader& header) { return SameName(header.name, name); });
}

std::string HttpHead::Text() const {
  std::string text = line + "\r\n";
  for (const HttpHeader& header : headers) text += header.name + ": " + header.value + "\r\n";
  return text + "\r\n";
}

Result<std::optional<HttpHead>> TakeHead(std::string* bytes) {
  const size_t end = bytes->find("\r\n\r\n");
  if (std::min(end, bytes->size()) > kHeadBytesMax) return ProtocolError("a head of more than 64 KiB");
  if (end == std::string::npos) return std::optional<HttpHead>();
  std::string_view rest = std::string_view(*bytes).substr(0, end);
  HttpHead head;
  for (bool first = true; first || !rest.empty(); first = false) {
    const size_t stop = rest.find("\r\n");
    const std::string_view line = rest.substr(0, stop);
    rest.remove_prefix(stop == std::string_view::npos ? rest.size() : stop + 2);
    if (first) {
      head.line = line;
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return ProtocolError("a header line without a name");
    head.headers.push_back({std::string(line.substr(0, colon)), std::string(Trimmed(line.substr(colon + 1)))});
  }
  bytes->erase(0, end + 4);
  return std::optional<HttpHead>(std::move(head));
}

Result<RequestLine> ParseRequestLine(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (first == 0 || second == std::string_view::npos || !line.substr(second + 1).starts_with("HTTP/1.")) {
    return ProtocolError("no request of HTTP/1.x");
  }
  return RequestLine{std::string(line.substr(0, first)), std::string(line.substr(first + 1, second - first - 1)),
                     std::string(line.substr(second + 1))};
}

Result<uint32_t> ParseStatusLine(std::string_view line) {
  uint64_t status = 0;
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || !WholeNumber(line.substr(9, 3), 10, &status)) {
    return ProtocolError("no answer of HTTP/1.x");
  }
  return static_cast<uint32_t>(status);
}

Result<BodyPlan> PlanRequestBody(const HttpHead& head) { return PlanByHeaders(head, Framing::kNone); }

Result<BodyPlan> PlanResponseBody(const HttpHead& head, std::string_view request_method, uint32_t status) {
  if (request_method == "HEAD" || status < 200 || status == 204 || status == 304) return BodyPlan{};
  return PlanByHeaders(head, Framing::kToEnd);
}

bool BodyReader::Next(std::string* piece) {
  piece->clear();
  if (complete_) return false;
  if (plan_.framing == Framing::kChunked) return NextChunk(piece);
  std::string& buffered = from_.buffered();
  if (plan_.framing == Framing::kToEnd) {
    if (buffered.empty() && !from_.Fill()) return complete_ = true, false;
    piece->swap(buffered);
    return true;
  }
  if (left_ == 0) return complete_ = true, false;
  if (buffered.empty() && !from_.Fill()) return false;
  const auto take = static_cast<size_t>(std::min<uint64_t>({left_, buffered.size(), kPieceBytes}));
  piece->assign(buffered, 0, take);
  buffered.erase(0, take);
  left_ -= take;
  return true;
}

bool BodyReader::TakeLine(std::string* line) {
  std::string& buffered = from_.buffered();
  size_t end;
  while ((end = buffered.find("\r\n")) == std::string::npos) {
    if (buffered.size() > kHeadBytesMax || !from_.Fill()) return false;
  }
  line->assign(buffered, 0, end);
  buffered.erase(0, end + 2);
  return true;
}

bool BodyReader::NextChunk(std::string* piece) {
  std::string& buffered = from_.buffered();
  if (left_ == 0) {
    std::string line;
    if (in_chunk_ && (!TakeLine(&line) || !line.empty())) return false;  // what ends the chunk before
    if (!TakeLine(&line) || !WholeNumber(Trimmed(std::string_view(line).substr(0, line.find(';'))), 16, &left_)) {
      return false;
    }
    in_chunk_ = true;
    if (left_ == 0) {
      while (TakeLine(&line)) {
        if (line.empty()) return complete_ = true, false;
        trailers_ += line + "\r\n";
      }
      return false;
    }
  }
  if (buffered.empty() && !from_.Fill()) return false;
  const auto take = static_cast<size_t>(std::min<uint64_t>({left_, buffered.size(), kPieceBytes}));
  piece->assign(buffered, 0, take);
  buffered.erase(0, take);
  left_ -= take;
  return true;
}

std::string FramePiece(const BodyPlan& plan, std::string_view piece) {
  if (plan.framing != Framing::kChunked) return std::string(piece);
  char size[17];
  const auto [end, error] = std::to_chars(std::begin(size), std::end(size), piece.size(), 16);
  return std::string(size, end) + "\r\n" + std::string(piece) + "\r\n";
}

std::string FrameEnd(const BodyPlan& plan, std::string_view trailers) {
  return plan.framing == Framing::kChunked ? "0\r\n" + std::string(trailers) + "\r\n" : std::string();
}

}  // namespace walrig::faults
