// What the JSON API of Google Cloud Storage answers, as values. Every byte here is foreign.
//
// THREADS: functions without state. FAILS WITH, all that parse: kProtocol.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/http/request.h"
#include "walrig/result.h"
#include "walrig/storage.h"

namespace walrig::gcs {

// An object as the server describes it; the name has the storage's prefix still.
struct RemoteObject {
  ObjectInfo info;                 // etag is the generation
  std::optional<uint32_t> crc32c;
};

struct RemotePage {
  std::vector<RemoteObject> items;
  std::vector<std::string> prefixes;
  std::string next_page_token;
};

struct RewriteState {
  bool done = false;
  std::string token;  // when not done
};

// What an error says besides its number: {"error": {"message": ..., "errors": [{"reason": ...}]}}
struct ErrorText {
  std::string reason;
  std::string message;
};

Result<RemoteObject> ParseObject(std::string_view body);
Result<RemotePage> ParseList(std::string_view body);
Result<RewriteState> ParseRewrite(std::string_view body);
ErrorText ParseError(std::string_view body);

// "crc32c=AAAAAA==,md5=..." (several headers, or one with commas): the CRC-32C; nothing when there is none that makes sense.
std::optional<uint32_t> HashHeaderCrc32c(const HttpHeaders& headers);

// How many bytes a session holds, by "Range: bytes=0-262143" of a 308; without the header none.
Result<uint64_t> ParsePersisted(std::string_view range);

// The answers of a batch, by the number in Content-ID ("<response-item-7>" or "<response-7>"), for `count` requests.
struct BatchAnswer {
  int status = 0;  // 0: the batch has no answer to that one
  HttpHeaders headers;
  std::string body;
};
Result<std::vector<BatchAnswer>> ParseBatch(std::string_view content_type, std::string_view body, size_t count);

}  // namespace walrig::gcs
