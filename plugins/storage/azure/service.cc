#include "plugins/storage/azure/service.h"

#include "plugins/common/http/digest.h"
#include "plugins/common/http/text.h"
#include "plugins/storage/azure/crc64.h"
#include "plugins/storage/azure/errors.h"
#include "plugins/storage/azure/names.h"

namespace walrig::azure {

Result<std::string> Service::NameOf(std::string_view key) const {
  WALRIG_TRY(CheckName(key));  // by itself, too: "x" may not become valid or invalid by what stands before it
  std::string name = location_.prefix + std::string(key);
  WALRIG_TRY(CheckName(name));
  return name;
}

HttpRequest Service::NewRequest(std::string_view method, std::string url, const Query& query) const {
  HttpRequest request;
  request.method = method;
  request.url = std::move(url);
  char separator = '?';
  for (const auto& [name, value] : query) {
    request.url += separator;
    request.url.append(name).append("=").append(http::PercentEncode(value));
    separator = '&';
  }
  request.headers.emplace_back("x-ms-version", options_.api_version);
  request.total_timeout_ms = options_.try_timeout_ms;
  return request;
}

HttpRequest Service::BlobRequest(std::string_view method, std::string_view name, const Query& query) const {
  return NewRequest(method, location_.BlobUrl(name), query);
}

HttpRequest Service::ContainerRequest(std::string_view method, const Query& query) const {
  return NewRequest(method, location_.ContainerUrl(), query);
}

void Service::AddChecksum(ByteSpan body, HttpRequest* request) const {
  if (options_.md5) {
    request->headers.emplace_back("Content-MD5", http::Base64Of(http::Md5Of(body)));
  } else {
    request->headers.emplace_back("x-ms-content-crc64", Crc64Header(Crc64(0, body)));
  }
}

Result<HttpResponse> Service::Send(const Context& ctx, HttpRequest request, std::string_view what,
                                   size_t body_bytes_max) {
  WALRIG_TRY(credential_->Authorize(ctx, &request));
  Result<HttpResponse> response = client_->Send(ctx, request, body_bytes_max);
  if (!response.ok()) return std::move(response).status().With(what);
  if (!response->ok()) return ErrorOf(request, *response, what);
  credential_->Accepted();
  return response;
}

Status Service::ErrorOf(const HttpRequest& request, const HttpResponse& response, std::string_view what) {
  const bool changes = request.method != "GET" && request.method != "HEAD";
  Status status = AnswerError(response, what, changes);
  if (response.status == 401 || response.status == 403) {
    if (credential_->Refused(request)) return std::move(status).Retryable();
  } else {
    credential_->Accepted();
  }
  return status;
}

}  // namespace walrig::azure
