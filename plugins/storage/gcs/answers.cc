#include "plugins/storage/gcs/answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/document.h"
#include "plugins/common/http/response.h"
#include "plugins/common/http/text.h"

namespace walrig::gcs {
namespace {

using http::HttpJson;
using http::JsonMember;

std::optional<uint32_t> CrcOf(std::string_view base64) {
  const Result<std::string> bytes = http::Base64Decode(base64);
  if (!bytes.ok() || bytes->size() != 4) return std::nullopt;
  uint32_t crc = 0;
  for (const char c : *bytes) crc = crc << 8 | static_cast<uint8_t>(c);
  return crc;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\r')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// The next line without its end; `text` moves behind it.
std::string_view NextLine(std::string_view* text) {
  const size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

HttpHeaders NextHeaders(std::string_view* text) {
  HttpHeaders headers;
  while (!text->empty()) {
    const std::string_view line = NextLine(text);
    if (line.empty()) break;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    headers.emplace_back(Trimmed(line.substr(0, colon)), Trimmed(line.substr(colon + 1)));
  }
  return headers;
}

Result<RemoteObject> FromJson(const HttpJson& json) {
  if (!json.is_object()) return ProtocolError("an object is described by something that is no JSON object");
  RemoteObject object;
  object.info.key = JsonMember(json, "name");
  if (object.info.key.empty()) return ProtocolError("an object without a name");
  const Result<uint64_t> size = http::ParseDecimal(JsonMember(json, "size"));
  if (!size.ok()) return ProtocolError(fmt::format("the object {} has no size", PrintableLine(object.info.key)));
  object.info.size_bytes = *size;
  object.info.etag = JsonMember(json, "generation");
  if (!http::ParseDecimal(object.info.etag).ok()) {
    return ProtocolError(fmt::format("the object {} has no generation", PrintableLine(object.info.key)));
  }
  const Result<int64_t> time = http::ParseRfc3339Time(JsonMember(json, "updated"));
  if (time.ok()) object.info.mtime_ns = *time;
  object.crc32c = CrcOf(JsonMember(json, "crc32c"));
  return object;
}

// 7 of "<response-item-7>": the digits at the end.
std::optional<size_t> ContentNumber(std::string_view id) {
  while (!id.empty() && (id.back() == '>' || id.back() == ' ')) id.remove_suffix(1);
  size_t begin = id.size();
  while (begin > 0 && id[begin - 1] >= '0' && id[begin - 1] <= '9') --begin;
  const Result<uint64_t> number = http::ParseDecimal(id.substr(begin));
  if (!number.ok() || *number > SIZE_MAX) return std::nullopt;
  return static_cast<size_t>(*number);
}

std::optional<std::string> BoundaryOf(std::string_view content_type) {
  const size_t at = content_type.find("boundary=");
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = content_type.substr(at + 9);
  if (rest.starts_with('"')) {
    rest.remove_prefix(1);
    rest = rest.substr(0, rest.find('"'));
  } else {
    rest = Trimmed(rest.substr(0, rest.find(';')));
  }
  if (rest.empty() || rest.size() > 256) return std::nullopt;
  return std::string(rest);
}

}  // namespace

Result<RemoteObject> ParseObject(std::string_view body) {
  WALRIG_ASSIGN(const HttpJson json, http::ParseHttpJson(body, "the description of an object"));
  return FromJson(json);
}

Result<RemotePage> ParseList(std::string_view body) {
  WALRIG_ASSIGN(const HttpJson json, http::ParseHttpJson(body, "a list"));
  if (!json.is_object()) return ProtocolError("a list that is no JSON object");
  RemotePage page;
  if (const auto items = json.find("items"); items != json.end() && !items->is_null()) {
    if (!items->is_array()) return ProtocolError("a list whose items are no array");
    page.items.reserve(items->size());
    for (const HttpJson& item : *items) {
      WALRIG_ASSIGN(RemoteObject object, FromJson(item));
      page.items.push_back(std::move(object));
    }
  }
  if (const auto prefixes = json.find("prefixes"); prefixes != json.end() && !prefixes->is_null()) {
    if (!prefixes->is_array()) return ProtocolError("a list whose prefixes are no array");
    for (const HttpJson& prefix : *prefixes) {
      if (!prefix.is_string()) return ProtocolError("a list with a prefix that is no text");
      page.prefixes.push_back(prefix.get<std::string>());
    }
  }
  page.next_page_token = JsonMember(json, "nextPageToken");
  return page;
}

Result<RewriteState> ParseRewrite(std::string_view body) {
  WALRIG_ASSIGN(const HttpJson json, http::ParseHttpJson(body, "the answer to a copy"));
  if (!json.is_object()) return ProtocolError("the answer to a copy is no JSON object");
  RewriteState state;
  const auto done = json.find("done");
  if (done == json.end() || !done->is_boolean()) return ProtocolError("the answer to a copy does not say whether it is done");
  state.done = done->get<bool>();
  state.token = JsonMember(json, "rewriteToken");
  if (!state.done && state.token.empty()) return ProtocolError("a copy that is not done, without a token to go on with");
  return state;
}

ErrorText ParseError(std::string_view body) {
  ErrorText text;
  const Result<HttpJson> json = http::ParseHttpJson(body, "an error");
  if (!json.ok() || !json->is_object()) return text;
  const auto error = json->find("error");
  if (error == json->end() || !error->is_object()) return text;
  text.message = JsonMember(*error, "message");
  const auto errors = error->find("errors");
  if (errors != error->end() && errors->is_array() && !errors->empty() && errors->front().is_object()) {
    text.reason = JsonMember(errors->front(), "reason");
  }
  return text;
}

std::optional<uint32_t> HashHeaderCrc32c(const HttpHeaders& headers) {
  for (const auto& [name, value] : headers) {
    if (!SameHeaderName(name, "x-goog-hash")) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view one = Trimmed(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      if (one.starts_with("crc32c=")) return CrcOf(one.substr(7));
    }
  }
  return std::nullopt;
}

Result<uint64_t> ParsePersisted(std::string_view range) {
  if (range.empty()) return uint64_t{0};
  std::string_view text = Trimmed(range);
  if (text.starts_with("bytes=")) text.remove_prefix(6);
  else if (text.starts_with("bytes ")) text.remove_prefix(6);
  if (text.starts_with("0-")) {
    const Result<uint64_t> last = http::ParseDecimal(text.substr(2));
    if (last.ok() && *last < UINT64_MAX) return *last + 1;
  }
  return ProtocolError(fmt::format("an upload's range is '{}'", PrintableLine(range, 60)));
}

Result<std::vector<BatchAnswer>> ParseBatch(std::string_view content_type, std::string_view body, size_t count) {
  const std::optional<std::string> boundary = BoundaryOf(content_type);
  if (!boundary.has_value()) return ProtocolError("the answer to a batch has no boundary");
  const std::string mark = "--" + *boundary;
  std::vector<BatchAnswer> answers(count);
  size_t at = body.starts_with(mark) ? 0 : body.find("\n" + mark);
  while (at != std::string_view::npos) {
    std::string_view part = body.substr(at);
    part.remove_prefix(part.front() == '\n' ? 1 + mark.size() : mark.size());
    if (part.starts_with("--")) return answers;
    NextLine(&part);
    at = body.find("\n" + mark, static_cast<size_t>(part.data() - body.data()) - (part.empty() ? 0 : 1));
    const size_t begin = static_cast<size_t>(part.data() - body.data());
    if (at != std::string_view::npos && at >= begin) part = part.substr(0, at - begin);
    const HttpHeaders outer = NextHeaders(&part);
    const std::optional<size_t> number = ContentNumber(FindHeader(outer, "Content-ID"));
    std::string_view status = NextLine(&part);
    const size_t blank = std::min(status.find(' '), status.size());
    const Result<uint64_t> code = http::ParseDecimal(status.substr(blank).substr(0, 4).size() == 4 ? status.substr(blank + 1, 3) : "");
    if (!status.starts_with("HTTP/") || !code.ok() || !number.has_value() || *number >= count) {
      return ProtocolError("the answer to a batch has a part that makes no sense");
    }
    BatchAnswer& answer = answers[*number];
    answer.status = static_cast<int>(*code);
    answer.headers = NextHeaders(&part);
    answer.body = Trimmed(part);
  }
  return answers;
}

}  // namespace walrig::gcs
