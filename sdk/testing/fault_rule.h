// SPDX-License-Identifier: MIT-0
// FaultRule: what a fault proxy does to which requests, as a value and as one line of text.
//
//   FAULT [key=value ...]
//
//   status          answers with status=N instead of the server (late=1: after the server did what was asked)
//   error-in-200    the server does nothing and the answer is 200 with an error as body (late=1: the server did it)
//   reset-request   resets both connections after at=N bytes of the request's body
//   reset           resets the client's connection after at=N bytes of the answer's body
//   drop            the server does what was asked, the client's connection is reset before the answer's first byte
//   stall           stops after at=N bytes of the answer's body, for ms=N (0: until somebody hangs up)
//   stall-head      the same before the answer's first byte
//   half-close      ends the sending side after at=N bytes of the answer's body: shorter than was promised
//   drip            passes the answer's body at rate=N bytes a second
//   truncate        the answer's body is N bytes (at=N) and says so: only its content can tell
//   corrupt         flips one bit of byte at=N of the answer's body
//   corrupt-request flips one bit of byte at=N of the request's body
//   duplicate       the server gets the request twice; the client gets the first answer
//   wrong-etag      another ETag in the answer
//   pass            nothing: counts, and shields from the rules below it
//
// Which requests: method=PUT, target=TEXT (anywhere in path and query), header=Name:TEXT (TEXT anywhere in the value).
// Of these: skip=N first ones are left alone, then every=N-th is hit, times=N in all (1 by default, times=all).
// More: retry-after=SECONDS and body=TEXT for status and error-in-200. In values %XX is a byte.
//
// On a plain TCP proxy a connection takes the place of a request, and only reset-request, reset, stall, half-close,
// drip, corrupt, corrupt-request and pass exist; N counts the bytes of one direction.
//
// THREADS: FaultRule is a value; FaultScript may be used from any number of threads.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrig/result.h"

namespace walrig::faults {

enum class Fault {
  kPass,
  kStatus,
  kErrorIn200,
  kResetRequest,
  kReset,
  kDrop,
  kStall,
  kStallHead,
  kHalfClose,
  kDrip,
  kTruncate,
  kCorrupt,
  kCorruptRequest,
  kDuplicate,
  kWrongEtag,
};
std::string_view FaultName(Fault fault);

inline constexpr uint64_t kAlways = UINT64_MAX;

struct FaultRule {
  Fault fault = Fault::kPass;
  std::string method, target, header_name, header_text;
  uint64_t skip = 0, every = 1, times = 1;
  uint64_t at_bytes = 0;
  uint64_t stall_ms = 0;
  uint64_t rate_bytes_s = 1024;
  uint32_t status = 503;
  bool late = false;
  std::string retry_after_s, body;
};

// FAILS WITH: kInvalidArgument, naming the word that is wrong.
Result<FaultRule> ParseFaultRule(std::string_view line);
// One rule a line; empty lines and lines that begin with '#' are left out.
Result<std::vector<FaultRule>> ParseFaultRules(std::string_view text);

struct HttpHeader {
  std::string name, value;
};

// One request (or connection) that came, and what became of it.
struct Exchange {
  std::string method, target;
  Fault fault = Fault::kPass;
  bool hit = false;          // a rule fired, be it "pass"
  uint32_t status = 0;       // what the client got; 0 for nothing
  uint64_t request_bytes = 0;   // of the body, as far as it came
  uint64_t response_bytes = 0;  // of the body, as far as it was passed on
};

// Rules in order; the first that fits and is not used up decides.
class FaultScript {
 public:
  void Set(std::vector<FaultRule> rules);
  void Add(FaultRule rule);

  // Counts the request and answers the rule that hits it; a kPass one when none does. *hit tells these apart.
  FaultRule Judge(std::string_view method, std::string_view target, const std::vector<HttpHeader>& headers, bool* hit);

 private:
  struct Counted {
    FaultRule rule;
    uint64_t seen = 0, fired = 0;
  };
  std::mutex mutex_;
  std::vector<Counted> rules_;  // guarded by mutex_
};

}  // namespace walrig::faults
