#include "plugins/common/http/client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/exchange.h"
#include "plugins/common/http/lane.h"
#include "plugins/common/http/stream_state.h"

namespace walrig {
namespace {

Status CheckCaFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (file) text << file.rdbuf();
  if (!file || text.str().find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    return ConfigError(fmt::format("{} holds no certificate, or cannot be read", path))
        .Hint("it must be a PEM file with the certificates of the authorities to trust");
  }
  return OkStatus();
}

}  // namespace

Status HttpGlobalInit() {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return Internal("libcurl does not start");
  return http::DigestGlobalInit();
}

HttpClient::HttpClient(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::New(HttpOptions options) {
  if (!options.ca_file.empty()) WALRIG_TRY(CheckCaFile(options.ca_file));
  auto shared = std::make_unique<Shared>(std::move(options));
  WALRIG_TRY(shared->Open());
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(shared)));
}

Result<HttpResponse> HttpClient::Send(const Context& ctx, const HttpRequest& request, size_t body_bytes_max) {
  WALRIG_ASSIGN(std::unique_ptr<Lane> lane, shared_->Borrow());
  Exchange exchange(request, shared_->options, body_bytes_max);
  WALRIG_TRY(lane->Add(exchange));
  Status status = lane->StepUntil(ctx, exchange, [] { return false; });
  if (!status.ok()) {
    exchange.Fail(std::move(status));
  }
  lane->Remove(exchange);
  shared_->GiveBack(std::move(lane));
  if (!exchange.outcome().ok()) return exchange.outcome();
  return std::move(exchange.response());
}

Result<std::unique_ptr<HttpStream>> HttpClient::Open(const Context& ctx, const HttpRequest& request) {
  auto state = std::make_unique<HttpStream::State>(*shared_, request);
  WALRIG_ASSIGN(state->lane, shared_->Borrow());
  WALRIG_TRY(state->lane->Add(state->exchange));
  WALRIG_TRY(state->lane->StepUntil(ctx, state->exchange, [&] { return state->exchange.headers_done(); }));
  // A body that broke off is told by Read, after what came of it.
  const bool failed = state->exchange.done() && !state->exchange.outcome().ok();
  if (failed && !state->exchange.headers_done()) return state->exchange.outcome();
  return std::unique_ptr<HttpStream>(new HttpStream(std::move(state)));
}

}  // namespace walrig
