#include "plugins/storage/gcs/object_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/document.h"
#include "plugins/common/http/text.h"

namespace walrig::gcs {
namespace {

constexpr size_t kUploadFolderBytes = 64;  // what the names of parts add
constexpr size_t kNameBytesMax = 1024;

class ObjectWriter final : public Sink {
 public:
  ObjectWriter(Client& client, Target target, const PutOptions& put, size_t piece_bytes, std::unique_ptr<Upload> upload)
      : client_(client), target_(std::move(target)), announced_bytes_(put.size_bytes), piece_bytes_(piece_bytes), upload_(std::move(upload)) {}
  ~ObjectWriter() override { Abort(); }

  Status Write(const Context& ctx, ByteSpan bytes) override {
    if (ended_) return Internal(target_.what + ": a write after the end");
    Status status = Take(ctx, bytes);
    if (!status.ok()) return Resumable(std::move(status));
    taken_bytes_ = 0;
    return status;
  }

  Status Commit(const Context& ctx) override {
    if (ended_) return Internal(target_.what + ": a commit after the end");
    WALRIG_TRY(sdk::PollStop(ctx));
    if (announced_bytes_ != kUnknownSize && whole_.size_bytes != announced_bytes_) {
      return InvalidArgument(fmt::format("{}: {} bytes were announced, {} written", target_.what, announced_bytes_, whole_.size_bytes));
    }
    const Result<RemoteObject> stored = shipped_ ? upload_->Finish(ctx, room_used_, whole_) : CommitSmall(ctx);
    if (!stored.ok()) return Resumable(Absent(target_, stored.status()));
    ended_ = true;
    return CheckStored(ctx, client_, target_, *stored, whole_);
  }

  void Abort() noexcept override {
    if (!ended_ && shipped_) upload_->Abort();
    ended_ = true;
  }

 private:
  Status Take(const Context& ctx, ByteSpan bytes) {
    WALRIG_TRY(sdk::PollStop(ctx));
    if (shipped_) WALRIG_TRY(upload_->Move(ctx));
    while (taken_bytes_ < bytes.size()) {
      // A full piece goes only when more comes: the last one is known as such, and one alone needs one request.
      if (room_used_ == piece_bytes_) {
        shipped_ = true;
        WALRIG_TRY(upload_->Ship(ctx, piece_bytes_));
        room_used_ = 0;
        room_ = nullptr;
      }
      if (room_ == nullptr) {
        WALRIG_ASSIGN(room_, upload_->Room(ctx));
      }
      const size_t count = std::min(bytes.size() - taken_bytes_, piece_bytes_ - room_used_);
      const ByteSpan part = bytes.subspan(taken_bytes_, count);
      std::memcpy(room_ + room_used_, part.data(), count);
      whole_.crc32c = http::Crc32c(whole_.crc32c, part);
      whole_.size_bytes += count;
      room_used_ += count;
      taken_bytes_ += count;
    }
    return OkStatus();
  }

  Result<RemoteObject> CommitSmall(const Context& ctx) {
    WholeBody body;
    WALRIG_ASSIGN(const HttpRequest request, WholeRequest(ctx, client_, target_.name, target_.only_if_absent,
                                                          ByteSpan(room_, room_used_), whole_.crc32c, &body));
    WALRIG_ASSIGN(const HttpResponse answer, client_.Send(ctx, request, target_.what));
    return ParseObject(answer.body);
  }

  // All that a retryable error left undone is still in memory.
  static Status Resumable(Status status) { return status.retryable() ? std::move(status).Resumable() : status; }

  Client& client_;
  const Target target_;
  const uint64_t announced_bytes_;
  const size_t piece_bytes_;
  std::unique_ptr<Upload> upload_;
  Whole whole_;
  uint8_t* room_ = nullptr;
  size_t room_used_ = 0;
  size_t taken_bytes_ = 0;  // of the Write at hand, when it failed
  bool shipped_ = false;
  bool ended_ = false;
};

}  // namespace

LastContext::LastContext(uint64_t ms) {
  ctx_.log = &log_;
  ctx_.clock = &clock_;
  ctx_.deadline_ns = clock_.MonotonicNs() + ms * 1'000'000;
}

Status Absent(const Target& target, Status status) {
  if (status.code() != Code::kPreconditionFailed || !target.only_if_absent) return status;
  return AlreadyExists(fmt::format("{}: it exists already", target.what)).WithDetail(status.detail());
}

Result<HttpRequest> WholeRequest(const Context& ctx, Client& client, const std::string& name, bool only_if_absent, ByteSpan bytes,
                                 uint32_t crc32c, WholeBody* body) {
  // The boundary must not occur in the bytes: the server does look for it, so it is as random as the bytes' own checksum
  // and the moment can make it.
  const std::string boundary = fmt::format("walrig-{:08x}-{:016x}-{:016x}", crc32c, ctx.clock->MonotonicNs(),
                                           static_cast<uint64_t>(ctx.clock->WallNs()) * 0x9E3779B97F4A7C15ull);
  const http::HttpJson description = {{"name", name}, {"crc32c", http::Crc32cBase64(crc32c)},
                                      {"contentType", "application/octet-stream"}};
  body->head = fmt::format("--{}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{}\r\n--{}\r\nContent-Type: "
                           "application/octet-stream\r\n\r\n", boundary, description.dump(), boundary);
  body->tail = fmt::format("\r\n--{}--\r\n", boundary);
  std::string url = client.UploadUrl() + "?uploadType=multipart";
  if (only_if_absent) url += "&ifGenerationMatch=0";
  WALRIG_ASSIGN(HttpRequest request, client.Request(ctx, "POST", std::move(url), Csek::kObject));
  request.headers.emplace_back("Content-Type", fmt::format("multipart/related; boundary={}", boundary));
  request.body = {AsBytes(body->head), bytes, AsBytes(body->tail)};
  return request;
}

Status CheckStored(const Context& ctx, Client& client, const Target& target, const RemoteObject& stored, const Whole& whole) {
  const bool same_size = stored.info.size_bytes == whole.size_bytes;
  if (same_size && (!stored.crc32c.has_value() || *stored.crc32c == whole.crc32c)) return OkStatus();
  Result<HttpRequest> request = client.Request(ctx, "DELETE", client.ObjectUrl(target.name) + "?generation=" + stored.info.etag, Csek::kNone);
  if (request.ok()) client.Send(ctx, *request, target.what).status().Ignore("the mismatch is the error to tell");
  return Corruption(fmt::format("{}: the server stored other bytes than were sent ({} of {} bytes, CRC-32C {:08x} for {:08x})",
                                target.what, stored.info.size_bytes, whole.size_bytes, stored.crc32c.value_or(0), whole.crc32c));
}

Result<std::unique_ptr<Sink>> NewWriter(const Context& ctx, Client& client, const std::string& name, const PutOptions& put,
                                        const WriterOptions& options) {
  Target target{.name = name, .only_if_absent = put.only_if_absent, .what = "put " + name};
  const bool named_ok = name.size() + kUploadFolderBytes <= kNameBytesMax;
  uint64_t parallel = named_ok ? options.parallel : 1;
  // Pieces under way, and the one that is being filled.
  while (parallel > 1 && put.memory_budget_bytes / (parallel + 1) < kPieceUnit) --parallel;
  const uint64_t pieces = parallel == 1 ? 1 : parallel + 1;
  uint64_t piece = std::min(options.piece_bytes_max, put.memory_budget_bytes / pieces);
  if (put.size_bytes != kUnknownSize && put.size_bytes < piece) piece = put.size_bytes;
  piece = std::max(kPieceUnit, parallel == 1 ? piece / kPieceUnit * kPieceUnit : piece);
  const auto piece_bytes = static_cast<size_t>(piece);
  std::unique_ptr<Upload> upload =
      parallel == 1 ? NewSessionUpload(client, target, piece_bytes)
                    : NewPartUpload(ctx, client, target, piece_bytes, static_cast<uint32_t>(parallel));
  return std::unique_ptr<Sink>(std::make_unique<ObjectWriter>(client, std::move(target), put, piece_bytes, std::move(upload)));
}

}  // namespace walrig::gcs
