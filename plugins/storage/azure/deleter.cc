#include "plugins/storage/azure/deleter.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/http/text.h"
#include "plugins/storage/azure/answers.h"
#include "plugins/storage/azure/errors.h"
#include "walrig/sdk/call.h"

namespace walrig::azure {
namespace {

constexpr size_t kBatchMax = 256;  // the service's own
constexpr size_t kAtOnceMax = 8;
constexpr std::string_view kBoundary = "walrig_batch_0b4c4f9a";

// A missing blob counts as deleted; a missing container does not.
Status Settled(const HttpResponse& response, Status failure) {
  if (response.ok()) return OkStatus();
  return failure.code() == Code::kNotFound ? OkStatus() : failure;
}

void AppendPart(size_t number, const HttpRequest& request, std::string* body) {
  const std::string path = request.url.substr(request.url.find('/', request.url.find("://") + 3));
  *body += fmt::format("--{}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {}\r\n\r\n",
                       kBoundary, number);
  *body += fmt::format("{} {} HTTP/1.1\r\n", request.method, path);
  for (const auto& [name, value] : request.headers) *body += fmt::format("{}: {}\r\n", name, value);
  *body += "Content-Length: 0\r\n\r\n";
}

}  // namespace

HttpRequest Deleter::DeleteRequest(const std::string& name) const {
  HttpRequest request = service_.BlobRequest("DELETE", name);
  request.headers.emplace_back("x-ms-delete-snapshots", "include");
  return request;
}

Result<bool> Deleter::ByBatch(const Context& ctx, std::span<const Target> targets, std::vector<Status>* each) {
  std::string body;
  for (size_t i = 0; i < targets.size(); ++i) {
    HttpRequest part = DeleteRequest(targets[i].name);
    std::erase_if(part.headers, [](const auto& header) { return header.first == "x-ms-version"; });  // the batch's is all's
    WALRIG_TRY(service_.Authorize(ctx, &part));
    AppendPart(i, part, &body);
  }
  body += fmt::format("--{}--\r\n", kBoundary);
  HttpRequest request = service_.ContainerRequest("POST", {{"restype", "container"}, {"comp", "batch"}});
  request.headers.emplace_back("Content-Type", fmt::format("multipart/mixed; boundary={}", kBoundary));
  request.SetBody(body);
  const Result<HttpResponse> response = service_.Send(ctx, std::move(request), "delete a batch", 4u << 20);
  if (!response.ok()) {
    const int number = response.status().detail().native_code;
    // Emulators and old services have no batches; a signature may permit deletes and not these. Azurite answers 500
    // without a name to a batch with a signature.
    const bool nameless = number == 500 && response.status().detail().native_name.empty();
    if (nameless || number == 400 || number == 403 || number == 404 || number == 405 || number == 501) return false;
    return response.status();
  }
  Result<std::vector<BatchPart>> parts = ParseBatchAnswer(response->Header("Content-Type"), response->body);
  if (!parts.ok()) return std::move(parts).status().Retryable().OutcomeUnknown();
  const Status missing = ProtocolError("the batch's answer is silent about it").Retryable().OutcomeUnknown();
  for (const Target& target : targets) (*each)[target.index] = missing;
  for (const BatchPart& part : *parts) {
    if (part.content_id >= targets.size()) return ProtocolError("the batch's answer has a part that was not asked");
    const Target& target = targets[part.content_id];
    HttpResponse one;
    one.status = part.status;
    one.headers = {{"x-ms-error-code", part.error_name}, {"x-ms-request-id", part.request_id}};
    (*each)[target.index] = one.ok() ? OkStatus() : Settled(one, AnswerError(one, "delete " + target.name, true));
  }
  return true;
}

Status Deleter::OneByOne(const Context& ctx, std::span<const Target> targets, std::vector<Status>* each) {
  const std::unique_ptr<HttpBatch> batch = service_.client().NewBatch();
  std::vector<HttpRequest> sent(targets.size());
  size_t next = 0;
  while (next < targets.size() || batch->running() > 0) {
    for (; next < targets.size() && batch->running() < kAtOnceMax; ++next) {
      sent[next] = DeleteRequest(targets[next].name);
      WALRIG_TRY(service_.Authorize(ctx, &sent[next]));
      WALRIG_TRY(batch->Start(sent[next], next));
    }
    WALRIG_ASSIGN(const std::vector<HttpBatch::Done> ended, batch->Pump(ctx, /*wait=*/true));
    for (const HttpBatch::Done& done : ended) {
      const Target& target = targets[done.tag];
      Status& status = (*each)[target.index];
      if (!done.response.ok()) {
        status = Status(done.response.status()).With("delete " + target.name);
      } else if (done.response->ok()) {
        status = OkStatus();
      } else {
        status = Settled(*done.response, service_.ErrorOf(sent[done.tag], *done.response, "delete " + target.name));
      }
    }
  }
  return OkStatus();
}

Status Deleter::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  each->assign(keys.size(), OkStatus());
  std::vector<Target> targets;
  for (size_t i = 0; i < keys.size(); ++i) {
    // No object can have such a name, so it is not there.
    if (Result<std::string> name = service_.NameOf(keys[i]); name.ok()) targets.push_back({i, std::move(*name)});
  }
  for (size_t at = 0; at < targets.size();) {
    WALRIG_TRY(sdk::PollStop(ctx));
    const auto some = std::span(targets).subspan(at, std::min(kBatchMax, targets.size() - at));
    bool done = false;
    if (some.size() > 1 && batches_work_) {
      WALRIG_ASSIGN(done, ByBatch(ctx, some, each));
      if (!done) batches_work_ = false;
    }
    if (!done) WALRIG_TRY(OneByOne(ctx, some, each));
    at += some.size();
  }
  return OkStatus();
}

}  // namespace walrig::azure
