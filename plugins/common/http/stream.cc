#include <algorithm>
#include <array>

#include "plugins/common/http/client.h"
#include "plugins/common/http/stream_state.h"
#include "plugins/common/http/text.h"
#include "walrig/sdk/call.h"

namespace walrig {
namespace {

// An answer that is nearly over is read to its end, so that its connection can be used again.
constexpr uint64_t kRestBytesMax = 64 * 1024;
constexpr int kRestSteps = 4;

}  // namespace

HttpStream::State::~State() {
  if (lane == nullptr) return;
  const Result<uint64_t> length = http::ParseDecimal(FindHeader(exchange.response().headers, "Content-Length"));
  if (length.ok() && *length <= kRestBytesMax && exchange.headers_done()) {
    sdk::SystemClock clock;
    Context ctx;
    ctx.clock = &clock;
    std::array<uint8_t, 16 * 1024> rest;
    for (int i = 0; i < kRestSteps && !exchange.done(); ++i) {
      while (exchange.TakeSpilled(rest) > 0) {}
      exchange.SetTarget(rest);
      const Status status = lane->Step(ctx, false);
      exchange.EndTarget();
      if (!status.ok()) break;
    }
  }
  lane->Remove(exchange);
  shared.GiveBack(std::move(lane));
}

HttpStream::HttpStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpStream::~HttpStream() = default;
int HttpStream::status() const noexcept { return state_->exchange.response().status; }
const HttpHeaders& HttpStream::headers() const noexcept { return state_->exchange.response().headers; }

Result<size_t> HttpStream::Read(const Context& ctx, MutableByteSpan buffer) {
  Exchange& exchange = state_->exchange;
  if (const size_t spilled = exchange.TakeSpilled(buffer); spilled > 0) return spilled;
  // A look first: what is there already needs no wait.
  exchange.SetTarget(buffer);
  Status status = exchange.done() ? OkStatus() : state_->lane->Step(ctx, false);
  while (status.ok() && !exchange.done() && exchange.target_used() == 0) status = state_->lane->Step(ctx, true);
  const size_t got = exchange.EndTarget();
  if (got > 0) return got;
  WALRIG_TRY(std::move(status));
  if (const size_t spilled = exchange.TakeSpilled(buffer); spilled > 0) return spilled;
  if (!exchange.outcome().ok()) return exchange.outcome();
  return size_t{0};
}

Result<HttpResponse> HttpStream::Drain(const Context& ctx, size_t body_bytes_max) {
  HttpResponse response;
  response.status = status();
  response.headers = headers();
  Buffer buffer(16 * 1024);
  while (response.body.size() < body_bytes_max) {
    WALRIG_ASSIGN(const size_t n, Read(ctx, buffer.span()));
    if (n == 0) return response;
    const size_t fits = std::min(n, body_bytes_max - response.body.size());
    response.body.append(AsText(buffer.first(fits)));
  }
  response.body_cut = true;
  return response;
}

}  // namespace walrig
