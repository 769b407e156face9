#include "plugins/storage/azure/blob_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "plugins/common/http/digest.h"
#include "walrig/sdk/call.h"

namespace walrig::azure {

Result<std::unique_ptr<Sink>> BlobWriter::Open(const Context& ctx, Service& service, std::string name,
                                               const PutOptions& options) {
  Result<BlockPlan> plan = BlockPlan::Make({.block_bytes = service.options().block_bytes,
                                            .buffers_max = service.options().buffers_max,
                                            .budget_bytes = options.memory_budget_bytes,
                                            .size_bytes = options.size_bytes});
  if (!plan.ok()) return std::move(plan).status().With("put " + name);
  return std::unique_ptr<Sink>(
      new BlobWriter(service, std::move(name), options, *plan, NewWriterId(ctx.clock->WallNs())));
}

BlobWriter::~BlobWriter() { Abort(); }

void BlobWriter::Abort() noexcept {
  ended_ = true;
  if (batch_ != nullptr) batch_->CancelAll();
  batch_.reset();
  flying_.clear();
  spare_.clear();
  current_ = Buffer();
}

Status BlobWriter::Write(const Context& ctx, ByteSpan bytes) {
  if (ended_) return Internal("write after the end of " + name_);
  WALRIG_TRY(sdk::PollStop(ctx));
  if (options_.size_bytes != kUnknownSize && bytes.size() > options_.size_bytes - written_bytes_) {
    return InvalidArgument(fmt::format("put {}: more than the announced {} bytes", name_, options_.size_bytes));
  }
  written_bytes_ += bytes.size();
  while (!bytes.empty()) {
    if (current_.size() == 0) {
      const uint64_t wanted = std::min(plan_.BlockBytes(blocks_), options_.size_bytes);
      if (!spare_.empty() && spare_.back().size() == wanted) {
        current_ = std::move(spare_.back());
        spare_.pop_back();
      } else {
        spare_.clear();  // of the size before
        current_ = Buffer(wanted);
      }
    }
    const size_t n = std::min(bytes.size(), current_.size() - filled_);
    std::memcpy(current_.data() + filled_, bytes.data(), n);
    filled_ += n;
    bytes = bytes.subspan(n);
    // A full buffer waits for the byte after it: what ends with it is one Put Blob.
    if (filled_ == current_.size() && (!bytes.empty() || blocks_ > 0)) WALRIG_TRY(StartBlock(ctx));
  }
  if (batch_ != nullptr && batch_->running() > 0) WALRIG_TRY(WaitUntil(ctx, batch_->running()));
  return OkStatus();
}

Status BlobWriter::StartBlock(const Context& ctx) {
  if (filled_ == 0) return OkStatus();
  if (blocks_ >= kBlocksMax) return TooLarge(fmt::format("put {}: more than {} blocks", name_, kBlocksMax));
  if (batch_ == nullptr) batch_ = service_.client().NewBatch();
  const uint32_t number = blocks_++;
  Flying& block = flying_[number];
  block.bytes = std::move(current_);
  const ByteSpan body = block.bytes.first(std::exchange(filled_, 0));
  current_ = Buffer();

  const std::string id = BlockId(id_, number);
  HttpRequest request = service_.BlobRequest("PUT", name_, {{"comp", "block"}, {"blockid", id}});
  request.body.assign(1, body);
  service_.AddChecksum(body, &request);
  block.checksum = FindHeader(request.headers, "x-ms-content-crc64");
  WALRIG_TRY(service_.Authorize(ctx, &request));
  block.request.method = request.method;
  block.request.headers = request.headers;
  WALRIG_TRY(batch_->Start(std::move(request), number));
  return WaitUntil(ctx, plan_.Buffers(plan_.BlockBytes(blocks_)) - 1);
}

Status BlobWriter::WaitUntil(const Context& ctx, size_t running_max) {
  if (batch_ == nullptr) return OkStatus();
  bool wait = batch_->running() > running_max;
  do {
    WALRIG_ASSIGN(std::vector<HttpBatch::Done> landed, batch_->Pump(ctx, wait));
    for (HttpBatch::Done& done : landed) WALRIG_TRY(Landed(std::move(done)));
    wait = batch_->running() > running_max;
  } while (wait);
  return OkStatus();
}

Status BlobWriter::Landed(HttpBatch::Done done) {
  auto node = flying_.extract(done.tag);
  if (node.empty()) return Internal("an answer to a block that was not sent");
  Flying& block = node.mapped();
  // Blocks are no object until they are listed: a lost answer leaves nothing unknown.
  if (!done.response.ok()) {
    Status status = std::move(done.response).status();
    Status::Detail detail = status.detail();
    detail.outcome_unknown = false;
    return std::move(status).WithDetail(std::move(detail)).With(What("put a block of"));
  }
  if (!done.response->ok()) {
    Status status = service_.ErrorOf(block.request, *done.response, What("put a block of"));
    Status::Detail detail = status.detail();
    detail.outcome_unknown = false;
    return std::move(status).WithDetail(std::move(detail));
  }
  const std::string_view echoed = done.response->Header("x-ms-content-crc64");
  if (!block.checksum.empty() && !echoed.empty() && echoed != block.checksum) {
    return Corruption(What("put a block of") + ": the service has other bytes than were sent").Retryable();
  }
  if (spare_.size() < service_.options().buffers_max) spare_.push_back(std::move(block.bytes));
  return OkStatus();
}

void BlobWriter::AddObjectHeaders(HttpRequest* request) const {
  if (options_.only_if_absent) request->headers.emplace_back("If-None-Match", "*");
  if (!service_.options().access_tier.empty()) {
    request->headers.emplace_back("x-ms-access-tier", service_.options().access_tier);
  }
}

Status BlobWriter::CommitError(Status status) const {
  if (!options_.only_if_absent || status.detail().native_code != 412) return status;
  return AlreadyExists(name_ + " exists").WithDetail(status.detail());
}

Status BlobWriter::PutWhole(const Context& ctx) {
  HttpRequest request = service_.BlobRequest("PUT", name_);
  request.headers.emplace_back("x-ms-blob-type", "BlockBlob");
  request.headers.emplace_back("Content-Type", "application/octet-stream");
  AddObjectHeaders(&request);
  const ByteSpan body = current_.first(filled_);
  if (!body.empty()) {
    request.body.assign(1, body);
    service_.AddChecksum(body, &request);
  }
  return service_.Send(ctx, std::move(request), What("put")).status();
}

Status BlobWriter::PutList(const Context& ctx) {
  WALRIG_TRY(StartBlock(ctx));
  WALRIG_TRY(WaitUntil(ctx, 0));
  std::string list = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (uint32_t i = 0; i < blocks_; ++i) list += "<Uncommitted>" + BlockId(id_, i) + "</Uncommitted>";
  list += "</BlockList>";
  HttpRequest request = service_.BlobRequest("PUT", name_, {{"comp", "blocklist"}});
  request.headers.emplace_back("Content-Type", "text/plain; charset=UTF-8");
  request.headers.emplace_back("x-ms-blob-content-type", "application/octet-stream");
  AddObjectHeaders(&request);
  request.SetBody(list);
  service_.AddChecksum(AsBytes(list), &request);
  return service_.Send(ctx, std::move(request), What("put")).status();
}

Status BlobWriter::Commit(const Context& ctx) {
  if (std::exchange(ended_, true)) return Internal("commit after the end of " + name_);
  WALRIG_TRY(sdk::PollStop(ctx));
  if (options_.size_bytes != kUnknownSize && written_bytes_ != options_.size_bytes) {
    return InvalidArgument(
        fmt::format("put {}: {} bytes were written, {} announced", name_, written_bytes_, options_.size_bytes));
  }
  Status status = blocks_ == 0 ? PutWhole(ctx) : PutList(ctx);
  return status.ok() ? status : CommitError(std::move(status));
}

}  // namespace walrig::azure
