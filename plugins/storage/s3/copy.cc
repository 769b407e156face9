// Copies on the server: whole up to 5 GiB, in parts beyond.
#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/http/document.h"
#include "plugins/storage/s3/storage.h"
#include "plugins/storage/s3/writer.h"
#include "walrig/sdk/guard.h"

namespace walrig::s3 {
namespace {

constexpr uint64_t kWholeBytesMax = 5ull << 30;
constexpr uint32_t kCopyStallMs = 600'000;

}  // namespace

// CopyObject, UploadPartCopy: the ETag, or the error that came with HTTP 200.
Result<std::string> S3Storage::CopyPart(const Context& ctx, S3Request request) {
  request.method = "PUT";
  request.stall_timeout_ms = kCopyStallMs;
  for (auto& header : CustomerKeyHeaders(client_->settings(), true)) request.headers.push_back(std::move(header));
  WALRIG_ASSIGN(const HttpResponse response, client_->Send(ctx, request));
  const Result<EtagAnswer> answer = ParseEtag(response.body);
  if (!answer.ok()) return Status(answer.status()).With(request.what).Retryable().OutcomeUnknown();
  if (answer->error.code.empty()) return answer->etag;
  return client_->ErrorStatus(ctx, response.status, response.headers, answer->error, request.what, true);
}

Status S3Storage::CopyWhole(const Context& ctx, std::string_view from, std::string_view to, const std::string& etag) {
  S3Request request;
  request.key = Whole(to);
  request.headers = ObjectHeaders(client_->settings(), ctx.clock->WallNs());
  request.headers.emplace_back("x-amz-copy-source", "/" + client_->settings().bucket + "/" + http::PercentEncode(Whole(from), true));
  if (!etag.empty()) request.headers.emplace_back("x-amz-copy-source-if-match", etag);
  // Onto itself is allowed only when something changes.
  if (from == to) request.headers.emplace_back("x-amz-metadata-directive", "REPLACE");
  if (!client_->settings().tags.empty()) request.headers.emplace_back("x-amz-tagging-directive", "REPLACE");
  request.what = fmt::format("copy {} to {}", from, to);
  return CopyPart(ctx, std::move(request)).status();
}

Status S3Storage::CopyParts(const Context& ctx, std::string_view from, std::string_view to, const ObjectInfo& info) {
  const std::string what = fmt::format("copy {} to {}", from, to);
  S3Request begin;
  begin.method = "POST";
  begin.key = Whole(to);
  begin.query = {{"uploads", ""}};
  begin.headers = ObjectHeaders(client_->settings(), ctx.clock->WallNs());
  begin.what = what;
  WALRIG_ASSIGN(const HttpResponse begun, client_->Send(ctx, begin));
  WALRIG_ASSIGN(const std::string id, ParseUploadId(begun.body));
  const uint64_t part_bytes = std::max(client_->settings().copy_part_bytes, (info.size_bytes + kPartsMax - 1) / kPartsMax);
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  Status status;
  uint64_t number = 1;
  for (uint64_t offset = 0; offset < info.size_bytes && status.ok(); offset += part_bytes, ++number) {
    S3Request part;
    part.key = Whole(to);
    part.query = {{"partNumber", std::to_string(number)}, {"uploadId", id}};
    part.headers = CustomerKeyHeaders(client_->settings());
    part.headers.emplace_back("x-amz-copy-source", "/" + client_->settings().bucket + "/" + http::PercentEncode(Whole(from), true));
    part.headers.emplace_back("x-amz-copy-source-range",
                              fmt::format("bytes={}-{}", offset, std::min(offset + part_bytes, info.size_bytes) - 1));
    if (!info.etag.empty()) part.headers.emplace_back("x-amz-copy-source-if-match", info.etag);
    part.what = what;
    const Result<std::string> etag = CopyPart(ctx, std::move(part));
    status = etag.status();
    if (etag.ok()) body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number, http::XmlEscape(*etag));
  }
  if (status.ok()) {
    body += "</CompleteMultipartUpload>";
    S3Request complete;
    complete.method = "POST";
    complete.key = Whole(to);
    complete.query = {{"uploadId", id}};
    complete.headers = CustomerKeyHeaders(client_->settings());
    complete.body = {AsBytes(body)};
    complete.what = what;
    complete.stall_timeout_ms = kCopyStallMs;
    const Result<HttpResponse> response = client_->Send(ctx, complete);
    status = response.status();
    if (status.ok()) {
      const Result<EtagAnswer> answer = ParseEtag(response->body);
      if (!answer.ok()) {
        status = Status(answer.status()).With(what).Retryable().OutcomeUnknown();
      } else if (!answer->error.code.empty()) {
        status = client_->ErrorStatus(ctx, response->status, response->headers, answer->error, what, true);
      }
    }
  }
  if (status.ok()) return status;
  const UnfinishedUpload upload{.key = std::string(to), .id = id};
  std::vector<Status> each;
  // Not with the call's own stop and deadline: these may be why it failed, and the parts would stay and cost.
  Context last = ctx;
  last.stop = StopToken();
  last.deadline_ns = ctx.clock->MonotonicNs() + kAbortNs;
  AbortUnfinished(last, {&upload, 1}, &each).Ignore("the error before is the one to tell");
  return status;
}

Status S3Storage::Copy(const Context& ctx, std::string_view from, std::string_view to) {
  WALRIG_TRY(CheckKey(client_->settings().folder, from));
  WALRIG_TRY(CheckKey(client_->settings().folder, to));
  WALRIG_ASSIGN(const ObjectInfo info, Stat(ctx, from));
  if (info.size_bytes <= std::min(kWholeBytesMax, std::max(client_->settings().copy_part_bytes, uint64_t{1} << 30))) {
    return CopyWhole(ctx, from, to, info.etag);
  }
  return CopyParts(ctx, from, to, info);
}

}  // namespace walrig::s3
