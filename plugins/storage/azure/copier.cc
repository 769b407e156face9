#include "plugins/storage/azure/copier.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "plugins/storage/azure/blob_reader.h"
#include "plugins/storage/azure/block_id.h"
#include "plugins/storage/azure/block_plan.h"

namespace walrig::azure {
namespace {

constexpr uint64_t kWholeBytesMax = 256ull << 20;  // of Copy Blob From URL
constexpr uint64_t kRangeBytes = 100ull << 20;     // of Put Block From URL, in all versions
constexpr size_t kAtOnceMax = 4;

struct Job {
  Service& service;
  const std::string& from;
  const std::string& to;
  const ObjectInfo& info;
  std::string what;
};

Status AddSource(const Context& ctx, const Job& job, HttpRequest* request) {
  WALRIG_ASSIGN(const CopySource source, job.service.credential().SourceOf(ctx, job.from));
  request->headers.emplace_back("x-ms-copy-source", source.url);
  if (!source.authorization.empty()) {
    request->headers.emplace_back("x-ms-copy-source-authorization", source.authorization);
  }
  if (!job.info.etag.empty()) request->headers.emplace_back("x-ms-source-if-match", job.info.etag);
  return OkStatus();
}

void AddTier(const Job& job, HttpRequest* request) {
  const std::string& tier = job.service.options().access_tier;
  if (!tier.empty()) request->headers.emplace_back("x-ms-access-tier", tier);
}

Status CopyWhole(const Context& ctx, const Job& job) {
  HttpRequest request = job.service.BlobRequest("PUT", job.to);
  request.headers.emplace_back("x-ms-requires-sync", "true");
  WALRIG_TRY(AddSource(ctx, job, &request));
  AddTier(job, &request);
  return job.service.Send(ctx, std::move(request), job.what).status();
}

Status CopyRanges(const Context& ctx, const Job& job) {
  // 100 MiB each until 50 000 do not reach; newer services take larger ones.
  const uint64_t range_bytes = std::max(kRangeBytes, job.info.size_bytes / kBlocksMax + 1);
  const WriterId writer = NewWriterId(ctx.clock->WallNs());
  const std::unique_ptr<HttpBatch> batch = job.service.client().NewBatch();
  std::vector<HttpRequest> sent;
  std::string list = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (uint64_t at = 0; at < job.info.size_bytes || batch->running() > 0;) {
    for (; at < job.info.size_bytes && batch->running() < kAtOnceMax; at += range_bytes) {
      const uint64_t end = std::min(at + range_bytes, job.info.size_bytes);
      const std::string id = BlockId(writer, static_cast<uint32_t>(sent.size()));
      list += "<Uncommitted>" + id + "</Uncommitted>";
      HttpRequest request = job.service.BlobRequest("PUT", job.to, {{"comp", "block"}, {"blockid", id}});
      request.headers.emplace_back("x-ms-source-range", fmt::format("bytes={}-{}", at, end - 1));
      WALRIG_TRY(AddSource(ctx, job, &request));
      WALRIG_TRY(job.service.Authorize(ctx, &request));
      sent.push_back(request);
      WALRIG_TRY(batch->Start(std::move(request), sent.size() - 1));
    }
    WALRIG_ASSIGN(const std::vector<HttpBatch::Done> ended, batch->Pump(ctx, /*wait=*/true));
    for (const HttpBatch::Done& done : ended) {
      if (!done.response.ok()) return Status(done.response.status()).With(job.what);
      if (!done.response->ok()) return job.service.ErrorOf(sent[done.tag], *done.response, job.what);
    }
  }
  list += "</BlockList>";
  HttpRequest request = job.service.BlobRequest("PUT", job.to, {{"comp", "blocklist"}});
  request.headers.emplace_back("Content-Type", "text/plain; charset=UTF-8");
  request.headers.emplace_back("x-ms-blob-content-type", "application/octet-stream");
  AddTier(job, &request);
  request.SetBody(list);
  job.service.AddChecksum(AsBytes(list), &request);
  return job.service.Send(ctx, std::move(request), job.what).status();
}

}  // namespace

Status CopyBlob(const Context& ctx, Service& service, const std::string& from, const std::string& to) {
  std::string what = fmt::format("copy {} to {}", from, to);
  WALRIG_ASSIGN(const HttpResponse response, service.Send(ctx, service.BlobRequest("HEAD", from), what));
  WALRIG_ASSIGN(const ObjectInfo info, InfoFromHeaders(response.headers));
  if (from == to) return OkStatus();  // it is there, and the copy would be the same
  const Job job{service, from, to, info, std::move(what)};
  return info.size_bytes <= kWholeBytesMax ? CopyWhole(ctx, job) : CopyRanges(ctx, job);
}

}  // namespace walrig::azure
