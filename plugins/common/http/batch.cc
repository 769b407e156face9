#include <algorithm>
#include <list>

#include "plugins/common/http/client.h"
#include "plugins/common/http/exchange.h"
#include "plugins/common/http/lane.h"

namespace walrig {
namespace {

constexpr size_t kAnswerBytesMax = 256 * 1024;

struct Running {
  Running(HttpRequest request, const HttpOptions& options, uint64_t t)
      : exchange(std::move(request), options, kAnswerBytesMax), tag(t) {}
  Exchange exchange;
  uint64_t tag;
};

}  // namespace

struct HttpBatch::State {
  explicit State(HttpClient::Shared& s) : shared(s) {}
  HttpClient::Shared& shared;
  std::unique_ptr<Lane> lane;
  std::list<Running> running;  // a list: exchanges stay where they are
};

HttpBatch::HttpBatch(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpBatch::~HttpBatch() {
  CancelAll();
  if (state_->lane != nullptr) state_->shared.GiveBack(std::move(state_->lane));
}

std::unique_ptr<HttpBatch> HttpClient::NewBatch() {
  return std::unique_ptr<HttpBatch>(new HttpBatch(std::make_unique<HttpBatch::State>(*shared_)));
}

size_t HttpBatch::running() const noexcept { return state_->running.size(); }

Status HttpBatch::Start(HttpRequest request, uint64_t tag) {
  if (state_->lane == nullptr) {
    WALRIG_ASSIGN(state_->lane, state_->shared.Borrow());
  }
  state_->running.emplace_back(std::move(request), state_->shared.options, tag);
  Status status = state_->lane->Add(state_->running.back().exchange);
  if (!status.ok()) state_->running.pop_back();
  return status;
}

Result<std::vector<HttpBatch::Done>> HttpBatch::Pump(const Context& ctx, bool wait) {
  std::vector<Done> done;
  if (state_->running.empty()) return done;
  WALRIG_TRY(state_->lane->Step(ctx, false));
  while (true) {
    for (auto at = state_->running.begin(); at != state_->running.end();) {
      if (!at->exchange.done()) {
        ++at;
        continue;
      }
      state_->lane->Remove(at->exchange);
      const Status& outcome = at->exchange.outcome();
      done.push_back({at->tag, outcome.ok() ? Result<HttpResponse>(std::move(at->exchange.response()))
                                            : Result<HttpResponse>(outcome)});
      at = state_->running.erase(at);
    }
    if (!wait || !done.empty()) return done;
    WALRIG_TRY(state_->lane->Step(ctx, true));
  }
}

void HttpBatch::CancelAll() noexcept {
  for (Running& one : state_->running) state_->lane->Remove(one.exchange);
  state_->running.clear();
}

}  // namespace walrig
