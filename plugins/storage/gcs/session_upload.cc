#include <fmt/format.h>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/document.h"
#include "plugins/common/http/text.h"
#include "plugins/storage/gcs/upload.h"
#include "walrig/bytes.h"
#include "walrig/sdk/guard.h"

namespace walrig::gcs {
namespace {

constexpr int kResumeIncomplete = 308;
constexpr size_t kAnswerBytesMax = 1u << 20;

class SessionUpload final : public Upload {
 public:
  SessionUpload(Client& client, Target target, size_t piece_bytes)
      : client_(client), target_(std::move(target)), piece_bytes_(piece_bytes) {}

  Result<uint8_t*> Room(const Context&) override {
    if (piece_.size() == 0) piece_ = Buffer(piece_bytes_);
    return piece_.span().data();
  }

  Status Ship(const Context& ctx, size_t size_bytes) override {
    WALRIG_TRY(Begin(ctx));
    const uint64_t end = begin_ + size_bytes;
    WALRIG_ASSIGN(const bool done, Advance(ctx, size_bytes, std::nullopt));
    if (done) return ProtocolError(fmt::format("{}: the server ended the upload before its end", target_.what));
    begin_ = end;
    return OkStatus();
  }

  Status Move(const Context&) override { return OkStatus(); }

  Result<RemoteObject> Finish(const Context& ctx, size_t last_bytes, const Whole& whole) override {
    WALRIG_TRY(Begin(ctx));
    WALRIG_ASSIGN(const bool done, Advance(ctx, last_bytes, whole));
    if (!done) return ProtocolError(fmt::format("{}: the server took all bytes and made no object", target_.what));
    ended_ = true;
    return *stored_;
  }

  void Abort() noexcept override {
    if (session_.empty() || ended_) return;
    sdk::GuardSilently([&] {
      const LastContext last;
      HttpRequest request;
      request.method = "DELETE";
      request.url = session_;
      client_.http().Send(last.ctx(), request, kAnswerBytesMax).status().Ignore("the session ends by itself after a week");
    });
    session_.clear();
  }

 private:
  Status Begin(const Context& ctx) {
    if (!session_.empty()) return OkStatus();
    std::string url = fmt::format("{}?uploadType=resumable&name={}", client_.UploadUrl(), http::PercentEncode(target_.name));
    if (target_.only_if_absent) url += "&ifGenerationMatch=0";
    WALRIG_ASSIGN(HttpRequest request, client_.Request(ctx, "POST", std::move(url), Csek::kObject));
    request.headers.emplace_back("Content-Type", "application/json; charset=UTF-8");
    request.headers.emplace_back("X-Upload-Content-Type", "application/octet-stream");
    const std::string description = http::HttpJson{{"name", target_.name}, {"contentType", "application/octet-stream"}}.dump();
    request.SetBody(description);
    WALRIG_ASSIGN(const HttpResponse answer, client_.Send(ctx, request, target_.what));
    WALRIG_ASSIGN(session_, client_.SessionUrl(answer.Header("Location")));
    return OkStatus();
  }

  // The piece's bytes from begin_ on are sent, as far as the server does not have them. True when it made the object.
  Result<bool> Advance(const Context& ctx, size_t size_bytes, const std::optional<Whole>& whole) {
    if (stored_.has_value()) return true;
    if (uncertain_) {
      WALRIG_TRY(Ask(ctx, whole));
      if (stored_.has_value()) return true;
    }
    const uint64_t end = begin_ + size_bytes;
    // What it claims to have without having got it would be left out of the next piece.
    const auto too_much = [&] { return Lost(fmt::format("the server claims {} bytes, {} were sent", persisted_, end)); };
    while (persisted_ < end || whole.has_value()) {
      if (persisted_ > end) return too_much();
      if (persisted_ < begin_) return Lost(fmt::format("bytes before {} were lost", begin_));
      const uint64_t before = persisted_;
      const ByteSpan rest = ByteSpan(piece_.span().data(), size_bytes).subspan(static_cast<size_t>(persisted_ - begin_));
      const std::string total = whole.has_value() ? fmt::format("{}", whole->size_bytes) : "*";
      const std::string range = rest.empty() ? fmt::format("bytes */{}", total)
                                             : fmt::format("bytes {}-{}/{}", persisted_, end - 1, total);
      WALRIG_TRY(Put(ctx, rest, range, whole));
      if (stored_.has_value()) return true;
      // A server may keep a part of what it got; without any progress it is no use to go on.
      if (persisted_ <= before) return Unavailable(fmt::format("{}: the server kept nothing of a piece", target_.what)).Retryable();
    }
    if (persisted_ > end) return too_much();
    return false;
  }

  Status Ask(const Context& ctx, const std::optional<Whole>& whole) {
    const std::string total = whole.has_value() ? fmt::format("{}", whole->size_bytes) : "*";
    WALRIG_TRY(Put(ctx, {}, fmt::format("bytes */{}", total), std::nullopt));
    if (!stored_.has_value() && persisted_ < begin_) return Lost(fmt::format("bytes before {} were lost", begin_));
    return OkStatus();
  }

  Status Lost(std::string_view why) {
    return Status(Code::kConflict, fmt::format("{}: the upload cannot go on: {}", target_.what, why));
  }

  Status Put(const Context& ctx, ByteSpan bytes, const std::string& range, const std::optional<Whole>& whole) {
    WALRIG_ASSIGN(HttpRequest request, client_.Request(ctx, "PUT", session_, Csek::kObject));
    request.headers.emplace_back("Content-Range", range);
    // The last request says what the whole must be, so that a broken one does not become an object.
    if (whole.has_value()) request.headers.emplace_back("x-goog-hash", "crc32c=" + http::Crc32cBase64(whole->crc32c));
    if (!bytes.empty()) request.body.assign(1, bytes);
    uncertain_ = true;
    Result<HttpResponse> answer = client_.http().Send(ctx, request, kAnswerBytesMax);
    if (!answer.ok()) return std::move(answer).status().With(target_.what);
    if (answer->status == kResumeIncomplete) {
      WALRIG_ASSIGN(persisted_, ParsePersisted(answer->Header("Range")));
      uncertain_ = false;
      return OkStatus();
    }
    if (answer->ok()) {
      uncertain_ = false;
      WALRIG_ASSIGN(stored_, ParseObject(answer->body));
      return OkStatus();
    }
    if (answer->status == 404 || answer->status == 410) return Lost("the server does not know the session any more");
    return client_.ErrorOf(request, answer->status, answer->headers, answer->body, target_.what);
  }

  Client& client_;
  const Target target_;
  const size_t piece_bytes_;
  Buffer piece_;
  std::string session_;          // "" before the first piece
  uint64_t begin_ = 0;           // of the piece in the object
  uint64_t persisted_ = 0;       // what the server said it has
  bool uncertain_ = false;       // the last request had no answer
  bool ended_ = false;
  std::optional<RemoteObject> stored_;
};

}  // namespace

std::unique_ptr<Upload> NewSessionUpload(Client& client, Target target, size_t piece_bytes) {
  return std::make_unique<SessionUpload>(client, std::move(target), piece_bytes);
}

}  // namespace walrig::gcs
