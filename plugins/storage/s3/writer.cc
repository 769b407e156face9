#include "plugins/storage/s3/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "plugins/common/http/document.h"
#include "plugins/common/http/text.h"
#include "walrig/sdk/call.h"
#include "walrig/sdk/guard.h"

namespace walrig::s3 {
namespace {

// Completing puts the parts together: the server may be silent for minutes.
constexpr uint32_t kCompleteStallMs = 600'000;
constexpr uint64_t kPartBytesLimit = 5ull << 30;

uint64_t BudgetBlocks(const PutOptions& options, uint64_t part_bytes) {
  return (std::max(options.memory_budget_bytes, part_bytes) + kBlockBytes - 1) / kBlockBytes;
}

Status Resumed(Status status) {
  return status.retryable() ? std::move(status).Resumable() : status;
}

}  // namespace

uint64_t PartBytes(uint64_t number, uint64_t size_bytes, uint64_t budget_bytes, uint64_t part_bytes_max) {
  uint64_t part = std::clamp(budget_bytes / 4, kPartBytesMin, std::max(kPartBytesMin, part_bytes_max));
  if (size_bytes != kUnknownSize) {
    return std::clamp((size_bytes + kPartsMax - 1) / kPartsMax, part, kPartBytesLimit);
  }
  // Twice as much each thousand parts, as far as the budget goes.
  const uint64_t most = std::max(part, budget_bytes);
  for (uint64_t n = number; n > 1000 && part < most; n -= 1000) part = std::min(part * 2, most);
  return part;
}

HttpHeaders CustomerKeyHeaders(const Settings& settings, bool copy_source) {
  HttpHeaders headers;
  if (settings.sse_c_key.empty()) return headers;
  const std::string start = copy_source ? "x-amz-copy-source-server-side-encryption-customer-" : "x-amz-server-side-encryption-customer-";
  headers.emplace_back(start + "algorithm", "AES256");
  headers.emplace_back(start + "key", http::Base64Of(AsBytes(settings.sse_c_key)));
  headers.emplace_back(start + "key-MD5", http::Base64Of(http::Md5Of(AsBytes(settings.sse_c_key))));
  return headers;
}

HttpHeaders ObjectHeaders(const Settings& settings, int64_t wall_ns) {
  HttpHeaders headers = CustomerKeyHeaders(settings);
  if (!settings.storage_class.empty() && settings.storage_class != "STANDARD") {
    headers.emplace_back("x-amz-storage-class", settings.storage_class);
  }
  if (!settings.sse.empty() && settings.sse_c_key.empty()) {
    headers.emplace_back("x-amz-server-side-encryption", settings.sse);
    if (!settings.sse_kms_id.empty()) headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", settings.sse_kms_id);
  }
  if (!settings.tags.empty()) headers.emplace_back("x-amz-tagging", settings.tags);
  if (!settings.acl.empty()) headers.emplace_back("x-amz-acl", settings.acl);
  if (settings.retention_s > 0) {
    headers.emplace_back("x-amz-object-lock-mode", settings.retention_mode);
    headers.emplace_back("x-amz-object-lock-retain-until-date", http::Rfc3339(wall_ns + settings.retention_s * 1'000'000'000));
  }
  return headers;
}

std::vector<ByteSpan> S3Writer::Part::Pieces() const {
  std::vector<ByteSpan> pieces;
  uint64_t left = size_bytes;
  for (const uint8_t* block : blocks) {
    const auto n = static_cast<size_t>(std::min<uint64_t>(left, kBlockBytes));
    pieces.emplace_back(block, n);
    left -= n;
  }
  return pieces;
}

S3Writer::S3Writer(S3Client& client, std::string key, const PutOptions& options)
    : client_(client),
      key_(std::move(key)),
      options_(options),
      hashes_(!client.tls() && !client.settings().credentials.anonymous),
      blocks_(BudgetBlocks(options, PartBytes(1, options.size_bytes, options.memory_budget_bytes, client.settings().part_bytes_max))) {
  current_.number = 1;
  current_max_ = PartBytes(1, options.size_bytes, options.memory_budget_bytes, client.settings().part_bytes_max);
  if (hashes_) sha256_.emplace(http::DigestKind::kSha256);
}

S3Writer::~S3Writer() { Abort(); }

Status S3Writer::Final(Status status) {
  if (!status.ok() && !status.resumable()) Abort();
  return status;
}

size_t S3Writer::RunningMax() const { return static_cast<size_t>(client_.settings().concurrency); }

HttpHeaders S3Writer::ChecksumHeader(uint32_t crc) const {
  if (!client_.settings().checksum) return {};
  return {{"x-amz-checksum-crc32c", http::Crc32cBase64(crc)}};
}

// Takes what fits into the present part; the rest stays in *bytes.
Status S3Writer::TakeBytes(const Context& ctx, ByteSpan* bytes) {
  if (block_used_ == current_.blocks.size() * kBlockBytes) {
    uint8_t* block = blocks_.Take();
    while (block == nullptr) {
      WALRIG_TRY(Pump(ctx, true));
      block = blocks_.Take();
    }
    current_.blocks.push_back(block);
  }
  const size_t in_block = kBlockBytes - (current_.blocks.size() * kBlockBytes - block_used_);
  const auto part_room = static_cast<size_t>(current_max_ - current_.size_bytes);
  const size_t n = std::min({bytes->size(), kBlockBytes - in_block, part_room});
  const ByteSpan taken = bytes->first(n);
  std::memcpy(current_.blocks.back() + in_block, taken.data(), n);
  current_.crc = http::Crc32c(current_.crc, taken);
  if (sha256_.has_value()) sha256_->Update(taken);
  block_used_ += n;
  current_.size_bytes += n;
  written_bytes_ += n;
  taken_of_call_ += n;
  *bytes = bytes->subspan(n);
  return OkStatus();
}

Status S3Writer::Write(const Context& ctx, ByteSpan bytes) {
  if (ended_) return Internal("write to an upload that has ended");
  bytes = bytes.subspan(std::min(taken_of_call_, bytes.size()));
  WALRIG_TRY(Final(RestartFailed(ctx)));
  while (!bytes.empty()) {
    if (current_.size_bytes == current_max_) WALRIG_TRY(Final(EndPart(ctx)));
    WALRIG_TRY(Final(TakeBytes(ctx, &bytes)));
  }
  if (batch_ != nullptr) {
    WALRIG_TRY(Final(Pump(ctx, false)));
  } else {
    WALRIG_TRY(sdk::PollStop(ctx));
  }
  taken_of_call_ = 0;
  return OkStatus();
}

Status S3Writer::Create(const Context& ctx) {
  if (!upload_id_.empty()) return OkStatus();
  S3Request request;
  request.method = "POST";
  request.key = key_;
  request.query = {{"uploads", ""}};
  request.headers = ObjectHeaders(client_.settings(), ctx.clock->WallNs());
  request.what = "begin the upload of " + key_;
  if (client_.settings().checksum) {
    request.headers.emplace_back("x-amz-checksum-algorithm", "CRC32C");
    request.headers.emplace_back("x-amz-checksum-type", "FULL_OBJECT");
  }
  Result<HttpResponse> response = client_.Send(ctx, request);
  if (!response.ok()) return Resumed(std::move(response).status());
  WALRIG_ASSIGN(upload_id_, ParseUploadId(response->body));
  // Younger than the algorithm: a server that does not say it back sums up the parts' checksums instead.
  full_object_crc_ = response->Header("x-amz-checksum-type") == "FULL_OBJECT";
  batch_ = client_.NewBatch();
  return OkStatus();
}

// The part's bytes are complete: it becomes one of those to be stored.
void S3Writer::CloseCurrent() {
  if (sha256_.has_value()) {
    current_.sha256 = http::HexOf(AsBytes(sha256_->Final()));
    sha256_->Reset();
  }
  crc_ = http::Crc32cCombine(crc_, current_.crc, current_.size_bytes);
  const uint64_t number = current_.number;
  parts_.emplace(number, std::move(current_));
  current_ = Part();
  current_.number = number + 1;
  block_used_ = 0;
  current_max_ = PartBytes(number + 1, options_.size_bytes, options_.memory_budget_bytes, client_.settings().part_bytes_max);
}

Status S3Writer::EndPart(const Context& ctx) {
  if (current_.number > kPartsMax) {
    return TooLarge(fmt::format("{} has more than {} parts", key_, kPartsMax)).Hint("a larger memory budget makes larger parts");
  }
  WALRIG_TRY(Create(ctx));
  while (batch_->running() >= RunningMax()) WALRIG_TRY(Pump(ctx, true));
  CloseCurrent();
  return StartPart(ctx, parts_.rbegin()->second);
}

Status S3Writer::StartPart(const Context& ctx, Part& part) {
  S3Request request;
  request.method = "PUT";
  request.key = key_;
  request.query = {{"partNumber", std::to_string(part.number)}, {"uploadId", upload_id_}};
  request.headers = CustomerKeyHeaders(client_.settings());
  for (auto& header : ChecksumHeader(part.crc)) request.headers.push_back(std::move(header));
  request.body = part.Pieces();
  request.body_sha256 = part.sha256;
  request.expect_continue = part.number == 1;
  Result<HttpRequest> made = client_.Make(ctx, request);
  if (!made.ok()) return Resumed(std::move(made).status());
  WALRIG_TRY(batch_->Start(*std::move(made), part.number));
  part.running = true;
  return OkStatus();
}

Status S3Writer::RestartFailed(const Context& ctx) {
  for (auto& [number, part] : parts_) {
    if (!part.running && !part.stored) WALRIG_TRY(StartPart(ctx, part));
  }
  return OkStatus();
}

Status S3Writer::Stored(const Context& ctx, Part& part, const HttpResponse& response) {
  const std::string what = fmt::format("put part {} of {}", part.number, key_);
  if (!response.ok()) return Gone(client_.Judge(ctx, response, what, false));
  WALRIG_TRY(Resumed(CheckStored(response, part.crc, what)));
  part.etag = response.Header("ETag");
  part.checksum = response.Header("x-amz-checksum-crc32c");
  part.stored = true;
  for (uint8_t* block : part.blocks) blocks_.GiveBack(block);
  part.blocks.clear();
  return OkStatus();
}

// The first error among the parts that ended is the one told; the others are sent again all the same.
Status S3Writer::Pump(const Context& ctx, bool wait) {
  if (batch_ == nullptr || (wait && batch_->running() == 0)) return Internal("nothing to wait for in an upload");
  WALRIG_ASSIGN(std::vector<HttpBatch::Done> ended, batch_->Pump(ctx, wait));
  Status failure;
  for (HttpBatch::Done& done : ended) {
    Part& part = parts_.at(done.tag);
    part.running = false;
    Status status = done.response.ok()
                        ? Stored(ctx, part, *done.response)
                        : Resumed(Status(done.response.status()).With(fmt::format("put part {} of {}", part.number, key_)));
    if (status.ok()) continue;
    if (failure.ok() || (failure.resumable() && !status.resumable())) failure = std::move(status);
  }
  return failure;
}

Status S3Writer::PutWhole(const Context& ctx) {
  S3Request request;
  request.method = "PUT";
  request.key = key_;
  request.headers = ObjectHeaders(client_.settings(), ctx.clock->WallNs());
  for (auto& header : ChecksumHeader(current_.crc)) request.headers.push_back(std::move(header));
  if (options_.only_if_absent) request.headers.emplace_back("If-None-Match", "*");
  request.body = current_.Pieces();
  request.what = "put " + key_;
  request.expect_continue = true;
  if (hashes_) {
    // Once: Final ends the digest, and a repeated Commit finds it here.
    if (current_.sha256.empty()) current_.sha256 = http::HexOf(AsBytes(sha256_->Final()));
    request.body_sha256 = current_.sha256;
  }
  const Result<HttpResponse> response = client_.Send(ctx, request);
  if (response.ok()) return Resumed(CheckStored(*response, current_.crc, request.what));
  if (response.status().code() == Code::kPreconditionFailed) return AlreadyExists(key_ + " exists");
  return Resumed(response.status());
}

// Anybody may answer 200 to anything: a portal, a page for maintenance. Who stored an object names its ETag.
Status S3Writer::CheckStored(const HttpResponse& response, uint32_t crc, const std::string& what) const {
  if (response.Header("ETag").empty()) {
    return ProtocolError(what + ": an answer without an ETag, so not of S3").Retryable().OutcomeUnknown();
  }
  const std::string_view checksum = response.Header("x-amz-checksum-crc32c");
  if (checksum.empty() || !client_.settings().checksum || checksum == http::Crc32cBase64(crc)) return OkStatus();
  return Corruption(what + ": the server has other bytes than were sent").Retryable();
}

// Somebody removed the upload: nothing of it can be used any more, and what was written must be written again.
Status S3Writer::Gone(Status status) {
  if (status.code() != Code::kNotFound) return Resumed(std::move(status));
  return Conflict(std::string(status.message())).Retryable();
}

std::string S3Writer::CompleteBody() const {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const auto& [number, part] : parts_) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>", number, http::XmlEscape(part.etag));
    if (!part.checksum.empty()) body += fmt::format("<ChecksumCRC32C>{}</ChecksumCRC32C>", http::XmlEscape(part.checksum));
    body += "</Part>";
  }
  return body + "</CompleteMultipartUpload>";
}

Status S3Writer::Complete(const Context& ctx) {
  const std::string body = CompleteBody();
  S3Request request;
  request.method = "POST";
  request.key = key_;
  request.query = {{"uploadId", upload_id_}};
  request.headers = CustomerKeyHeaders(client_.settings());
  if (full_object_crc_) {
    request.headers.emplace_back("x-amz-checksum-type", "FULL_OBJECT");
    request.headers.emplace_back("x-amz-checksum-crc32c", http::Crc32cBase64(crc_));
  }
  if (options_.only_if_absent) request.headers.emplace_back("If-None-Match", "*");
  request.body = {AsBytes(body)};
  request.what = "complete the upload of " + key_;
  request.stall_timeout_ms = kCompleteStallMs;
  Result<HttpResponse> response = client_.Send(ctx, request);
  Status status = response.ok() ? OkStatus() : std::move(response).status();
  if (status.ok()) {
    const Result<EtagAnswer> answer = ParseEtag(response->body);
    if (!answer.ok()) {
      status = Status(answer.status()).With(request.what).Retryable().OutcomeUnknown();
    } else if (!answer->error.code.empty()) {
      status = client_.ErrorStatus(ctx, response->status, response->headers, answer->error, request.what, true);
    }
  }
  if (status.ok()) return status;
  if (status.code() == Code::kPreconditionFailed) return AlreadyExists(key_ + " exists");
  if (status.detail().native_name == "NoSuchUpload" && complete_unknown_) {
    // Completed by the attempt before, or removed by somebody: only a look can tell.
    return Unavailable(request.what + ": the upload is gone after an attempt of which nothing came back").Retryable().OutcomeUnknown();
  }
  complete_unknown_ = complete_unknown_ || status.outcome_unknown();
  // A conflict wants the whole upload anew.
  return status.code() == Code::kConflict ? status : Gone(std::move(status));
}

Status S3Writer::Commit(const Context& ctx) {
  if (ended_) return Internal("commit of an upload that has ended");
  if (options_.size_bytes != kUnknownSize && written_bytes_ != options_.size_bytes) {
    return Final(InvalidArgument(fmt::format("{}: {} bytes were announced, {} written", key_, options_.size_bytes, written_bytes_)));
  }
  Status status;
  if (upload_id_.empty() && parts_.empty()) {
    status = PutWhole(ctx);
  } else {
    status = RestartFailed(ctx);
    if (status.ok() && current_.size_bytes > 0) status = EndPart(ctx);
    while (status.ok() && batch_->running() > 0) status = Pump(ctx, true);
    if (status.ok()) status = Complete(ctx);
  }
  if (!status.ok()) return Final(std::move(status));
  upload_id_.clear();
  ended_ = true;
  return OkStatus();
}

void S3Writer::Abort() noexcept {
  if (ended_) return;
  ended_ = true;
  if (batch_ != nullptr) batch_->CancelAll();
  batch_.reset();
  if (upload_id_.empty()) return;
  sdk::GuardSilently([&] {
    sdk::SystemClock clock;
    Context ctx;
    ctx.clock = &clock;
    ctx.deadline_ns = clock.MonotonicNs() + kAbortNs;
    S3Request request;
    request.method = "DELETE";
    request.key = key_;
    request.query = {{"uploadId", upload_id_}};
    request.what = "abort the upload of " + key_;
    // One that stays is found by ListUnfinished.
    client_.Send(ctx, request).status().Ignore("nobody to tell");
  });
}

}  // namespace walrig::s3
