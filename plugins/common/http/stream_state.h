// HttpStream::State: the exchange behind a stream and the lane it runs on. Internal to plugins/common/http.
//
// OWNS: the lane until it is given back. THREADS: one at a time.
#pragma once

#include <memory>

#include "plugins/common/http/exchange.h"
#include "plugins/common/http/lane.h"

namespace walrig {

struct HttpStream::State {
  State(HttpClient::Shared& s, const HttpRequest& request) : shared(s), exchange(request, s.options, 0) {
    exchange.StreamBody();
  }
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  HttpClient::Shared& shared;
  std::unique_ptr<Lane> lane;
  Exchange exchange;
};

}  // namespace walrig
