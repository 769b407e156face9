// SPDX-License-Identifier: MIT-0
// Level 2: what a storage says when the network or the server misbehaves. A fault proxy stands before the server; one
// call must be one attempt, and the answer must tell the owner truthfully what to do next.
#include <atomic>
#include <functional>
#include <optional>
#include <thread>

#include "sdk/conformance/storage_bench.h"
#include "sdk/testing/fault_proxy.h"

namespace walrig::conformance {
namespace {

using faults::FaultProxy;

constexpr std::string_view kScheme = "http://";

struct Place {
  std::string host, rest;  // rest: the path, with its slash
  uint16_t port = 80;
};

// Nothing for what the proxy cannot stand before.
std::optional<Place> ParseEndpoint(std::string_view url) {
  if (!url.starts_with(kScheme)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  Place place;
  const size_t slash = url.find('/');
  if (slash != std::string_view::npos) place.rest = url.substr(slash);
  url = url.substr(0, slash);
  const size_t colon = url.rfind(':');
  place.host = url.substr(0, colon);
  if (colon == std::string_view::npos) return place;
  unsigned port = 0;
  for (const char c : url.substr(colon + 1)) {
    if (c < '0' || c > '9' || port > 65535) return std::nullopt;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  if (port == 0 || port > 65535) return std::nullopt;
  place.port = static_cast<uint16_t>(port);
  return place;
}

// The bench's storage goes straight to the server; `shaken` goes through the proxy.
struct FaultBench {
  StorageBench& bench;
  std::unique_ptr<FaultProxy> proxy;
  std::unique_ptr<Storage> shaken;

  // From here on the rule holds, and attempts are counted anew.
  void Rule(std::string_view text) {
    proxy->script().Set({faults::ParseFaultRule(text).value()});
    proxy->Forget();
  }
  Result<std::string> Get(const std::string& name, const Context* ctx = nullptr) {
    return GetBytes(ctx != nullptr ? *ctx : bench.ctx(), *shaken, bench.Key(name));
  }
  Status Put(const std::string& name, std::string_view bytes) {
    return PutBytes(bench.ctx(), *shaken, bench.Key(name), bytes);
  }
  size_t Hits() const {
    size_t hits = 0;
    for (const faults::Exchange& exchange : proxy->exchanges()) hits += exchange.hit;
    return hits;
  }
  // Credentials, regions, sessions: what is asked for once is asked for now.
  Status Warm() { return Put("warm", "x"); }
};

std::string Describe(const Status& status) {
  return std::string(CodeName(status.code())) + (status.retryable() ? ", retryable" : ", not retryable") +
         (status.outcome_unknown() ? ", outcome unknown" : "") + " (" + status.ToString() + ")";
}

// Every call of the contract that is one request meets the same answer.
void EachCall(FaultBench& faults, const std::function<void(const char*, const Status&)>& judge) {
  Storage& storage = *faults.shaken;
  const Context& ctx = faults.bench.ctx();
  judge("Stat", storage.Stat(ctx, faults.bench.Key("warm")).status());
  judge("Get", faults.Get("warm").status());
  judge("List", storage.List(ctx, {.prefix = faults.bench.prefix(), .delimiter = "", .start_after = "", .page_token = ""}).status());
  judge("Put", faults.Put("refused", "x"));
}

void RefusedForNow(Verdict& verdict, FaultBench& faults, const std::string& rule, uint32_t pause_ms) {
  KIT_OK(faults.Warm());
  EachCall(faults, [&](const char* call, const Status& first) {
    // The first look already went by; the rule is for this one.
    if (!first.ok()) verdict.Fail(std::string(call) + " fails without a fault: " + first.ToString());
  });
  KIT_OK([&] {
    std::vector<Status> each;
    return faults.shaken->Delete(faults.bench.ctx(), std::vector<std::string>{faults.bench.Key("refused")}, &each);
  }());
  faults.Rule(rule + " times=all");
  size_t hits = 0;
  EachCall(faults, [&](const char* call, const Status& status) {
    const size_t attempts = faults.Hits() - hits;
    hits = faults.Hits();
    if (status.ok() || !status.retryable()) verdict.Fail(std::string(call) + ": " + Describe(status));
    if (attempts != 1) verdict.Fail(std::string(call) + " made " + std::to_string(attempts) + " attempts, not one");
    if (status.detail().retry_after_ms < pause_ms) {
      verdict.Fail(std::string(call) + " forgot Retry-After: " + std::to_string(status.detail().retry_after_ms) + " ms");
    }
  });
  KIT_EXPECT(!faults.bench.Has("refused"), "a refused Put left an object");
}

void Answer500IsRetryable(Verdict& verdict, FaultBench& faults) {
  RefusedForNow(verdict, faults, "status status=500", 0);
}
void Answer503KeepsRetryAfter(Verdict& verdict, FaultBench& faults) {
  RefusedForNow(verdict, faults, "status status=503 retry-after=2", 2000);
}
void Answer429IsRetryable(Verdict& verdict, FaultBench& faults) {
  RefusedForNow(verdict, faults, "status status=429 retry-after=1", 1000);
}

void AForbiddenCallSaysSo(Verdict& verdict, FaultBench& faults) {
  KIT_OK(faults.Warm());
  faults.Rule("status status=403 body=no times=all");
  const Status status = faults.Get("warm").status();
  KIT_EXPECT(status.code() == Code::kPermission || status.code() == Code::kUnauthenticated, Describe(status));
}

// A reset, or a body that is shorter than promised, is never taken for the end.
void ABrokenAnswerIsNoEnd(Verdict& verdict, FaultBench& faults) {
  const std::string bytes = MakeBytes(1 << 20, 7, false);
  KIT_OK(faults.Put("object", bytes));
  for (const char* rule : {"reset at=0 method=GET", "reset at=100000 method=GET", "half-close at=100000 method=GET",
                           "half-close at=1048575 method=GET", "drop method=GET"}) {
    faults.Rule(rule);
    const auto got = faults.Get("object");
    KIT_EXPECT(faults.Hits() == 1, std::string(rule) + ": the object is not read by GET");
    KIT_EXPECT(!got.ok(), std::string(rule) + ": a broken object was taken for whole");
    KIT_EXPECT(got.status().retryable(), std::string(rule) + ": " + Describe(got.status()));
  }
  KIT_ASSIGN(const std::string whole, faults.Get("object"));
  KIT_EXPECT(whole == bytes, "after broken connections the object came back different");
}

void ABrokenUploadLeavesNothing(Verdict& verdict, FaultBench& faults) {
  const std::string bytes = MakeBytes(1 << 20, 8, false);
  KIT_OK(faults.Warm());
  for (const char* method : {"PUT", "POST"}) {
    faults.Rule(std::string("reset-request at=1000 method=") + method);
    const std::string name = std::string("object-by-") + method;
    const Status status = faults.Put(name, bytes);
    if (faults.Hits() == 0) continue;
    KIT_EXPECT(!status.ok(), "an upload that was broken off counts as done");
    KIT_EXPECT(status.retryable(), Describe(status));
    KIT_EXPECT(!faults.bench.Has(name), "an upload that was broken off left an object");
  }
}

// The server did it and the answer was lost: only "unknown" is true.
void ALostAnswerIsUnknown(Verdict& verdict, FaultBench& faults) {
  KIT_OK(faults.Warm());
  faults.Rule("drop method=PUT times=all");
  const Status status = faults.Put("object", "content");
  if (faults.Hits() == 0) return verdict.Skip("an object of some bytes is not stored by PUT");
  KIT_EXPECT(!status.ok(), "a Put without an answer counts as done");
  const bool stored = faults.bench.Has("object");
  KIT_EXPECT(!stored || status.outcome_unknown(), "the object is there, and the Put says " + Describe(status));
  KIT_EXPECT(status.retryable(), Describe(status));
}

void ADamagedUploadIsNoticed(Verdict& verdict, FaultBench& faults) {
  const std::string bytes = MakeBytes(1 << 20, 9, false);
  KIT_OK(faults.Warm());
  size_t hits = 0;
  for (const char* method : {"PUT", "POST"}) {
    faults.Rule(std::string("corrupt-request at=500000 method=") + method);
    const Status status = faults.Put("object", bytes);
    hits += faults.Hits();
    if (!status.ok()) continue;
    KIT_ASSIGN(const std::string stored, faults.bench.Get("object"));
    KIT_EXPECT(stored == bytes, "a bit was flipped on the way, and Commit was OK");
  }
  KIT_EXPECT(hits > 0, "the object went up neither by PUT nor by POST");
}

void TwiceDeliveredIsOneObject(Verdict& verdict, FaultBench& faults) {
  const std::string bytes = MakeBytes(300'000, 10, false);
  KIT_OK(faults.Warm());
  for (const char* method : {"PUT", "POST"}) {
    faults.Rule(std::string("duplicate method=") + method);
    const Status status = faults.Put("object", bytes);
    if (!status.ok()) {
      KIT_EXPECT(status.retryable() || status.code() == Code::kConflict, Describe(status));
      continue;
    }
    KIT_ASSIGN(const std::string stored, faults.bench.Get("object"));
    KIT_EXPECT(stored == bytes, "a request that was delivered twice made another object");
  }
}

void AStalledReadKeepsTheDeadline(Verdict& verdict, FaultBench& faults) {
  KIT_OK(faults.Put("object", MakeBytes(1 << 20, 11, false)));
  for (const char* rule : {"stall at=1000 method=GET", "stall-head method=GET"}) {
    faults.Rule(rule);
    Context hurried = faults.bench.ctx();
    const uint64_t start_ns = hurried.clock->MonotonicNs();
    hurried.deadline_ns = start_ns + 1'000'000'000;
    const Status status = faults.Get("object", &hurried).status();
    const uint64_t took_ms = (hurried.clock->MonotonicNs() - start_ns) / 1'000'000;
    KIT_EXPECT(status.code() == Code::kTimeout, std::string(rule) + ": " + Describe(status));
    KIT_EXPECT(took_ms < 3000, std::string(rule) + ": a deadline of 1 s was kept after " + std::to_string(took_ms) + " ms");
  }
}

void AStopEndsAStalledRead(Verdict& verdict, FaultBench& faults) {
  KIT_OK(faults.Put("object", MakeBytes(1 << 20, 12, false)));
  faults.Rule("stall at=1000 method=GET");
  KitContext own;
  uint64_t asked_ns = 0;
  std::atomic<bool> over = false;
  std::thread stopper([&] {
    // The request must have come to the stall before it is stopped.
    while (faults.Hits() == 0 && !over) own.ctx().clock->SleepNs(5'000'000, -1);
    own.ctx().clock->SleepNs(100'000'000, -1);
    asked_ns = own.ctx().clock->MonotonicNs();
    own.RequestStop();
  });
  const Status status = faults.Get("object", &own.ctx()).status();
  const uint64_t ended_ns = own.ctx().clock->MonotonicNs();
  over = true;
  stopper.join();
  KIT_EXPECT(status.code() == Code::kCancelled, Describe(status));
  KIT_EXPECT(ended_ns < asked_ns + 1'500'000'000, "it took more than 1.5 s to stop");
}

void ASlowAnswerIsNoFailure(Verdict& verdict, FaultBench& faults) {
  const std::string bytes = MakeBytes(100'000, 13, true);
  KIT_OK(faults.Put("object", bytes));
  faults.Rule("drip rate=80000 method=GET");
  KIT_ASSIGN(const std::string got, faults.Get("object"));
  KIT_EXPECT(got == bytes, "a slow answer came back different");
}

// No proxy in these: nobody listens, or the name does not exist.
void NoServerIsUnavailable(Verdict& verdict, FaultBench& faults) {
  const uint16_t port = faults.proxy->port();
  faults.proxy->Stop();
  const auto place = ParseEndpoint(faults.bench.fixture().endpoint);
  for (const std::string& host : {"127.0.0.1:" + std::to_string(port), std::string("no-such-host.invalid:80")}) {
    auto opened = faults.bench.fixture().open_at(std::string(kScheme) + host + place->rest);
    const Status status =
        opened.ok() ? (*opened)->Stat(faults.bench.ctx(), faults.bench.Key("x")).status() : opened.status();
    KIT_EXPECT(status.code() == Code::kUnavailable && status.retryable(), host + ": " + Describe(status));
    KIT_EXPECT(status.ToString().find(host.substr(0, host.find(':'))) != std::string::npos,
               "the message does not name " + host + ": " + status.ToString());
  }
}

using FaultBody = void (*)(Verdict&, FaultBench&);
struct FaultCheck {
  const char* name;
  FaultBody body;
};
constexpr FaultCheck kChecks[] = {
    {"answer_500_is_retryable", Answer500IsRetryable},
    {"answer_503_keeps_retry_after", Answer503KeepsRetryAfter},
    {"answer_429_is_retryable", Answer429IsRetryable},
    {"a_forbidden_call_says_so", AForbiddenCallSaysSo},
    {"a_broken_answer_is_no_end", ABrokenAnswerIsNoEnd},
    {"a_broken_upload_leaves_nothing", ABrokenUploadLeavesNothing},
    {"a_lost_answer_is_unknown", ALostAnswerIsUnknown},
    {"a_damaged_upload_is_noticed", ADamagedUploadIsNoticed},
    {"twice_delivered_is_one_object", TwiceDeliveredIsOneObject},
    {"a_stalled_read_keeps_the_deadline", AStalledReadKeepsTheDeadline},
    {"a_stop_ends_a_stalled_read", AStopEndsAStalledRead},
    {"a_slow_answer_is_no_failure", ASlowAnswerIsNoFailure},
    {"no_server_is_unavailable", NoServerIsUnavailable},
};

void RunFaultCheck(Verdict& verdict, const StorageFixture& fixture, const FaultCheck& check) {
  const auto place = ParseEndpoint(fixture.endpoint);
  if (!fixture.open_at || !place.has_value()) {
    return verdict.Skip("the fault proxy needs an endpoint of plain HTTP");
  }
  StorageBench bench(fixture, check.name, verdict);
  if (!bench.ok) return;
  faults::FaultProxyOptions options;
  options.upstream_host = place->host;
  options.upstream_port = place->port;
  KIT_ASSIGN(auto proxy, FaultProxy::Start(std::move(options)));
  KIT_ASSIGN(auto shaken, fixture.open_at(std::string(kScheme) + "127.0.0.1:" + std::to_string(proxy->port()) + place->rest));
  FaultBench faults{bench, std::move(proxy), std::move(shaken)};
  check.body(verdict, faults);
}

}  // namespace

std::vector<Check> StorageFaultChecks(const StorageFixture& fixture) {
  std::vector<Check> checks;
  for (const FaultCheck& check : kChecks) {
    checks.push_back({std::string("faults/") + check.name, 2,
                      [fixture, &check](Verdict& verdict) { RunFaultCheck(verdict, fixture, check); }});
  }
  return checks;
}

}  // namespace walrig::conformance
