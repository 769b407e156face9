// JSON of any size as a stream of events: nothing of the document is held but the event at hand.
//
// THREADS: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/stream.h"

namespace walrig {

// Every handler's status but OK ends the reading and is returned. Strings may be moved from.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;
  virtual Status OnStartObject() = 0;
  virtual Status OnKey(std::string& key) = 0;
  virtual Status OnEndObject() = 0;
  virtual Status OnStartArray() = 0;
  virtual Status OnEndArray() = 0;
  virtual Status OnString(std::string& value) = 0;
  virtual Status OnUint(uint64_t value) = 0;
  virtual Status OnInt(int64_t value) = 0;  // negative
  virtual Status OnDouble(double value) = 0;
  virtual Status OnBool(bool value) = 0;
  virtual Status OnNull() = 0;
};

struct JsonStreamLimits {
  int depth_max = 64;
  size_t token_bytes_max = 1u << 20;  // of one string or number, as written
};

// Reads one document to the end of `source`; white space may follow it. `what` names it in messages.
// FAILS WITH: kCorruption (not JSON, a limit exceeded, bytes after the end, text that is not UTF-8), kTruncated (ends
// in the middle), kCancelled, what `source` says, what `events` say.
Status ReadJsonStream(const Context& ctx, Source& source, std::string_view what, const JsonStreamLimits& limits,
                      JsonEvents& events);

}  // namespace walrig
