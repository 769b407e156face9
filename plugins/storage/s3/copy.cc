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

// CopyObject, UploadPartCopy, CompleteMultipartUpload: the ETag, or the error that came with HTTP 200.
Result<std::string> S3Storage::CopiedEtag(const Context& ctx, const HttpResponse& response, std::string_view what) {
  const Result<EtagAnswer> answer = ParseEtag(response.body);
  if (!answer.ok()) return Status(answer.status()).With(std::string(what)).Retryable().OutcomeUnknown();
  if (answer->error.code.empty()) return answer->etag;
  return client_->ErrorStatus(ctx, response.status, response.headers, answer->error, what, true);
}

Status S3Storage::CopyWhole(const Context& ctx, std::string_view from, std::string_view to, const std::string& etag) {
  S3Request request;
  request.method = "PUT";
  request.key = Whole(to);
  request.headers = ObjectHeaders(client_->settings(), ctx.clock->WallNs());
  for (auto& header : CustomerKeyHeaders(client_->settings(), true)) request.headers.push_back(std::move(header));
  request.headers.emplace_back("x-amz-copy-source", "/" + client_->settings().bucket + "/" + http::PercentEncode(Whole(from), true));
  if (!etag.empty()) request.headers.emplace_back("x-amz-copy-source-if-match", etag);
  // Onto itself is allowed only when something changes.
  if (from == to) request.headers.emplace_back("x-amz-metadata-directive", "REPLACE");
  if (!client_->settings().tags.empty()) request.headers.emplace_back("x-amz-tagging-directive", "REPLACE");
  request.what = fmt::format("copy {} to {}", from, to);
  request.stall_timeout_ms = kCopyStallMs;
  WALRIG_ASSIGN(const HttpResponse response, client_->Send(ctx, request));
  return CopiedEtag(ctx, response, request.what).status();
}

S3Request S3Storage::CopyPartRequest(std::string_view from, std::string_view to, const ObjectInfo& info, const std::string& id,
                                     uint64_t number, uint64_t part_bytes) const {
  const uint64_t offset = (number - 1) * part_bytes;
  S3Request part;
  part.method = "PUT";
  part.key = Whole(to);
  part.query = {{"partNumber", std::to_string(number)}, {"uploadId", id}};
  part.headers = CustomerKeyHeaders(client_->settings());
  for (auto& header : CustomerKeyHeaders(client_->settings(), true)) part.headers.push_back(std::move(header));
  part.headers.emplace_back("x-amz-copy-source", "/" + client_->settings().bucket + "/" + http::PercentEncode(Whole(from), true));
  part.headers.emplace_back("x-amz-copy-source-range",
                            fmt::format("bytes={}-{}", offset, std::min(offset + part_bytes, info.size_bytes) - 1));
  if (!info.etag.empty()) part.headers.emplace_back("x-amz-copy-source-if-match", info.etag);
  part.what = fmt::format("copy part {} of {} to {}", number, from, to);
  part.stall_timeout_ms = kCopyStallMs;
  return part;
}

// All parts, as many at once as an upload has; the ETags in their order.
Result<std::vector<std::string>> S3Storage::CopyAllParts(const Context& ctx, std::string_view from, std::string_view to,
                                                         const ObjectInfo& info, const std::string& id) {
  const uint64_t part_bytes = std::max(client_->settings().copy_part_bytes, (info.size_bytes + kPartsMax - 1) / kPartsMax);
  std::vector<std::string> etags((info.size_bytes + part_bytes - 1) / part_bytes);
  const std::unique_ptr<HttpBatch> batch = client_->NewBatch();
  for (uint64_t next = 1, ended = 0; ended < etags.size();) {
    for (; next <= etags.size() && batch->running() < client_->settings().concurrency; ++next) {
      WALRIG_ASSIGN(HttpRequest made, client_->Make(ctx, CopyPartRequest(from, to, info, id, next, part_bytes)));
      WALRIG_TRY(batch->Start(std::move(made), next));
    }
    WALRIG_ASSIGN(std::vector<HttpBatch::Done> done, batch->Pump(ctx, true));
    for (HttpBatch::Done& part : done) {
      const std::string what = fmt::format("copy part {} of {} to {}", part.tag, from, to);
      if (!part.response.ok()) return Status(part.response.status()).With(what);
      if (!part.response->ok()) return client_->Judge(ctx, *part.response, what, true);
      WALRIG_ASSIGN(etags.at(part.tag - 1), CopiedEtag(ctx, *part.response, what));
      ++ended;
    }
  }
  return etags;
}

Status S3Storage::CompleteCopy(const Context& ctx, std::string_view to, const std::string& id, const std::vector<std::string>& etags) {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (size_t i = 0; i < etags.size(); ++i) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1, http::XmlEscape(etags[i]));
  }
  body += "</CompleteMultipartUpload>";
  S3Request complete;
  complete.method = "POST";
  complete.key = Whole(to);
  complete.query = {{"uploadId", id}};
  complete.headers = CustomerKeyHeaders(client_->settings());
  complete.body = {AsBytes(body)};
  complete.what = fmt::format("complete the copy to {}", to);
  complete.stall_timeout_ms = kCopyStallMs;
  WALRIG_ASSIGN(const HttpResponse response, client_->Send(ctx, complete));
  return CopiedEtag(ctx, response, complete.what).status();
}

Status S3Storage::CopyParts(const Context& ctx, std::string_view from, std::string_view to, const ObjectInfo& info) {
  S3Request begin;
  begin.method = "POST";
  begin.key = Whole(to);
  begin.query = {{"uploads", ""}};
  begin.headers = ObjectHeaders(client_->settings(), ctx.clock->WallNs());
  begin.what = fmt::format("copy {} to {}", from, to);
  WALRIG_ASSIGN(const HttpResponse begun, client_->Send(ctx, begin));
  WALRIG_ASSIGN(const std::string id, ParseUploadId(begun.body));
  const Result<std::vector<std::string>> etags = CopyAllParts(ctx, from, to, info, id);
  Status status = etags.ok() ? CompleteCopy(ctx, to, id, *etags) : etags.status();
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
  if (info.size_bytes <= std::min(kWholeBytesMax, 2 * client_->settings().copy_part_bytes)) {
    return CopyWhole(ctx, from, to, info.etag);
  }
  return CopyParts(ctx, from, to, info);
}

}  // namespace walrig::s3
