#include "plugins/storage/azure/blob_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "plugins/common/http/digest.h"
#include "walrig/sdk/call.h"

namespace walrig::azure {
namespace {

// A conflict wants the whole upload anew: the blocks of before are gone.
Status Resumed(Status status) {
  return status.retryable() && status.code() != Code::kConflict ? std::move(status).Resumable() : status;
}

// Anybody may answer 200 to anything: a portal, a page for maintenance. The service says 201, and `header`.
Status CheckMade(const HttpResponse& response, std::string_view header, const std::string& what) {
  if (response.status == 201 && !response.Header(header).empty()) return OkStatus();
  return ProtocolError(fmt::format("{}: HTTP {} without {}, which is no answer of the service", what, response.status, header))
      .Retryable()
      .OutcomeUnknown();
}

}  // namespace

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
  unstored_.clear();
  spare_.clear();
  current_ = Buffer();
}

Status BlobWriter::Final(Status status) {
  if (!status.ok() && !status.resumable()) Abort();
  return status;
}

Status BlobWriter::Write(const Context& ctx, ByteSpan bytes) {
  if (ended_) return Internal("write after the end of " + name_);
  WALRIG_TRY(Final(Take(ctx, bytes.subspan(std::min(taken_of_call_, bytes.size())))));
  taken_of_call_ = 0;
  return OkStatus();
}

Status BlobWriter::Take(const Context& ctx, ByteSpan bytes) {
  WALRIG_TRY(sdk::PollStop(ctx));
  if (options_.size_bytes != kUnknownSize && bytes.size() > options_.size_bytes - written_bytes_) {
    return InvalidArgument(fmt::format("put {}: more than the announced {} bytes", name_, options_.size_bytes));
  }
  WALRIG_TRY(StartFailed(ctx));
  while (!bytes.empty()) {
    if (current_.size() == 0) WALRIG_TRY(NextBuffer(ctx));
    const size_t n = std::min(bytes.size(), current_.size() - filled_);
    std::memcpy(current_.data() + filled_, bytes.data(), n);
    filled_ += n;
    written_bytes_ += n;
    taken_of_call_ += n;
    bytes = bytes.subspan(n);
    // A full buffer waits for the byte after it: what ends with it is one Put Blob.
    if (filled_ == current_.size() && (!bytes.empty() || blocks_ > 0)) WALRIG_TRY(EndBlock(ctx));
  }
  if (batch_ != nullptr && batch_->running() > 0) WALRIG_TRY(WaitUntil(ctx, batch_->running()));
  return OkStatus();
}

Status BlobWriter::NextBuffer(const Context& ctx) {
  const uint64_t block_bytes = plan_.BlockBytes(blocks_);
  WALRIG_TRY(WaitUntil(ctx, plan_.Buffers(block_bytes) - 1));
  const uint64_t wanted = std::min(block_bytes, options_.size_bytes);
  if (!spare_.empty() && spare_.back().size() == wanted) {
    current_ = std::move(spare_.back());
    spare_.pop_back();
  } else {
    spare_.clear();  // of the size before
    current_ = Buffer(wanted);
  }
  return OkStatus();
}

Status BlobWriter::EndBlock(const Context& ctx) {
  if (filled_ == 0) return OkStatus();
  if (blocks_ >= kBlocksMax) return TooLarge(fmt::format("put {}: more than {} blocks", name_, kBlocksMax));
  const uint32_t number = blocks_++;
  Block& block = unstored_[number];
  block.bytes = std::exchange(current_, Buffer());
  block.size_bytes = std::exchange(filled_, 0);
  return StartBlock(ctx, number, block);
}

Status BlobWriter::StartBlock(const Context& ctx, uint32_t number, Block& block) {
  if (batch_ == nullptr) batch_ = service_.client().NewBatch();
  const ByteSpan body = block.bytes.first(block.size_bytes);
  const std::string id = BlockId(id_, number);
  HttpRequest request = service_.BlobRequest("PUT", name_, {{"comp", "block"}, {"blockid", id}});
  request.body.assign(1, body);
  service_.AddChecksum(body, &request);
  block.checksum = FindHeader(request.headers, "x-ms-content-crc64");
  if (Status status = service_.Authorize(ctx, &request); !status.ok()) return Resumed(std::move(status));
  block.request.method = request.method;
  block.request.headers = request.headers;
  WALRIG_TRY(batch_->Start(std::move(request), number));
  block.running = true;
  return OkStatus();
}

Status BlobWriter::StartFailed(const Context& ctx) {
  for (auto& [number, block] : unstored_) {
    if (!block.running) WALRIG_TRY(StartBlock(ctx, number, block));
  }
  return OkStatus();
}

// The first error among the blocks that landed is the one told; the others are sent again all the same.
Status BlobWriter::WaitUntil(const Context& ctx, size_t running_max) {
  if (batch_ == nullptr) return OkStatus();
  bool wait = batch_->running() > running_max;
  do {
    WALRIG_ASSIGN(std::vector<HttpBatch::Done> landed, batch_->Pump(ctx, wait));
    Status failure;
    for (HttpBatch::Done& done : landed) {
      Status status = Landed(std::move(done));
      if (status.ok()) continue;
      if (failure.ok() || (failure.resumable() && !status.resumable())) failure = std::move(status);
    }
    if (!failure.ok()) return failure;
    wait = batch_->running() > running_max;
  } while (wait);
  return OkStatus();
}

Status BlobWriter::Landed(HttpBatch::Done done) {
  const auto at = unstored_.find(static_cast<uint32_t>(done.tag));
  if (at == unstored_.end()) return Internal("an answer to a block that was not sent");
  Block& block = at->second;
  block.running = false;
  Status status = BlockOutcome(block, std::move(done.response));
  if (!status.ok()) {
    // Blocks are no object until they are listed: a lost answer leaves nothing unknown.
    Status::Detail detail = status.detail();
    detail.outcome_unknown = false;
    return Resumed(std::move(status).WithDetail(std::move(detail)));
  }
  if (spare_.size() < service_.options().buffers_max) spare_.push_back(std::move(block.bytes));
  unstored_.erase(at);
  return OkStatus();
}

Status BlobWriter::BlockOutcome(const Block& block, Result<HttpResponse> response) {
  if (!response.ok()) return std::move(response).status().With(What("put a block of"));
  if (!response->ok()) return service_.ErrorOf(block.request, *response, What("put a block of"));
  service_.credential().Accepted();
  WALRIG_TRY(CheckMade(*response, "x-ms-request-id", What("put a block of")));
  const std::string_view echoed = response->Header("x-ms-content-crc64");
  if (!block.checksum.empty() && !echoed.empty() && echoed != block.checksum) {
    return Corruption(What("put a block of") + ": the service has other bytes than were sent").Retryable();
  }
  return OkStatus();
}

void BlobWriter::AddObjectHeaders(HttpRequest* request) const {
  if (options_.only_if_absent) request->headers.emplace_back("If-None-Match", "*");
  if (!service_.options().access_tier.empty()) {
    request->headers.emplace_back("x-ms-access-tier", service_.options().access_tier);
  }
}

Status BlobWriter::CommitError(Status status) const {
  if (!options_.only_if_absent || status.detail().native_code != 412) return Resumed(std::move(status));
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
  WALRIG_ASSIGN(const HttpResponse response, service_.Send(ctx, std::move(request), What("put")));
  return CheckMade(response, "ETag", What("put"));
}

Status BlobWriter::PutList(const Context& ctx) {
  // A list whose answer was lost may have been taken; then its blocks are found among those of the blob.
  const std::string element = list_unknown_ ? "Latest" : "Uncommitted";
  std::string list = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (uint32_t i = 0; i < blocks_; ++i) list += "<" + element + ">" + BlockId(id_, i) + "</" + element + ">";
  list += "</BlockList>";
  HttpRequest request = service_.BlobRequest("PUT", name_, {{"comp", "blocklist"}});
  request.headers.emplace_back("Content-Type", "text/plain; charset=UTF-8");
  request.headers.emplace_back("x-ms-blob-content-type", "application/octet-stream");
  AddObjectHeaders(&request);
  request.SetBody(list);
  service_.AddChecksum(AsBytes(list), &request);
  const Result<HttpResponse> response = service_.Send(ctx, std::move(request), What("put"));
  Status status = response.ok() ? CheckMade(*response, "ETag", What("put")) : response.status();
  list_unknown_ = list_unknown_ || status.outcome_unknown();
  return status;
}

Status BlobWriter::SendRest(const Context& ctx) {
  WALRIG_TRY(StartFailed(ctx));
  WALRIG_TRY(EndBlock(ctx));
  return WaitUntil(ctx, 0);
}

Status BlobWriter::CommitOnce(const Context& ctx) {
  WALRIG_TRY(sdk::PollStop(ctx));
  if (options_.size_bytes != kUnknownSize && written_bytes_ != options_.size_bytes) {
    return InvalidArgument(
        fmt::format("put {}: {} bytes were written, {} announced", name_, written_bytes_, options_.size_bytes));
  }
  if (blocks_ > 0) WALRIG_TRY(SendRest(ctx));
  Status status = blocks_ == 0 ? PutWhole(ctx) : PutList(ctx);
  return status.ok() ? status : CommitError(std::move(status));
}

Status BlobWriter::Commit(const Context& ctx) {
  if (ended_) return Internal("commit after the end of " + name_);
  WALRIG_TRY(Final(CommitOnce(ctx)));
  ended_ = true;
  return OkStatus();
}

}  // namespace walrig::azure
