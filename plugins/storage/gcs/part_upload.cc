#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/document.h"
#include "plugins/common/http/text.h"
#include "plugins/storage/gcs/upload.h"
#include "walrig/bytes.h"
#include "walrig/sdk/guard.h"

namespace walrig::gcs {
namespace {

constexpr size_t kComposeMax = 32;  // the API's limit
constexpr size_t kAbortNamesMax = 10'000;
constexpr uint64_t kAnswersMs = 1'000;

// A stored object that the whole is made of.
struct Part {
  std::string name;
  std::string generation;
  Whole whole;
  uint32_t level = 0;  // 0: a piece; n: joined from parts of level n - 1
  bool stored = false;
};

// A piece under way, or being filled.
struct Slot {
  Buffer bytes;
  size_t size_bytes = 0;
  uint32_t crc32c = 0;
  WholeBody body;
  uint64_t part = 0;
  std::string authorization;  // what it was sent with: a refusal is of this token
  enum class State { kFree, kFilling, kRunning, kFailed } state = State::kFree;
};

class PartUpload final : public Upload {
 public:
  PartUpload(const Context& ctx, Client& client, Target target, size_t piece_bytes, uint32_t parallel)
      : client_(client), target_(std::move(target)), piece_bytes_(piece_bytes), slots_(parallel + 1) {
    const uint64_t seed = ctx.clock->MonotonicNs() * 0x9E3779B97F4A7C15ull ^ reinterpret_cast<uintptr_t>(this);
    folder_ = NewUploadFolder(target_.name, ctx.clock->WallNs(), seed);
    client_.UploadBegan(folder_);
  }
  ~PartUpload() override {
    if (batch_ != nullptr) batch_->CancelAll();
    client_.UploadEnded(folder_);
  }

  Result<uint8_t*> Room(const Context& ctx) override {
    WALRIG_TRY(RepeatFailed(ctx));
    while (true) {
      for (size_t i = 0; i < slots_.size(); ++i) {
        Slot& slot = slots_[i];
        if (slot.state != Slot::State::kFree && slot.state != Slot::State::kFilling) continue;
        if (slot.bytes.size() == 0) slot.bytes = Buffer(piece_bytes_);
        slot.state = Slot::State::kFilling;
        filling_ = i;
        return slot.bytes.data();
      }
      WALRIG_TRY(Pump(ctx, true));
    }
  }

  Status Ship(const Context& ctx, size_t size_bytes) override {
    WALRIG_TRY(RepeatFailed(ctx));
    while (running() + 1 >= slots_.size()) WALRIG_TRY(Pump(ctx, true));
    WALRIG_TRY(JoinWhileWriting(ctx));
    return Start(ctx, size_bytes);
  }

  Status Move(const Context& ctx) override { return running() > 0 ? Pump(ctx, false) : OkStatus(); }

  Result<RemoteObject> Finish(const Context& ctx, size_t last_bytes, const Whole& whole) override {
    WALRIG_TRY(RepeatFailed(ctx));
    if (last_bytes > 0 && slots_[filling_].state == Slot::State::kFilling) WALRIG_TRY(Start(ctx, last_bytes));
    WALRIG_TRY(RepeatFailed(ctx));  // also the last one, when it could not be begun
    while (running() > 0) WALRIG_TRY(Pump(ctx, true));
    while (parts_.size() > kComposeMax) WALRIG_TRY(Join(ctx, 0, std::min(kComposeMax, parts_.size()), true));
    WALRIG_ASSIGN(RemoteObject object, Compose(ctx, target_.name, 0, parts_.size(), target_.only_if_absent, whole));
    ended_ = true;
    RemoveAll();
    return object;
  }

  void Abort() noexcept override {
    // A piece that was sent and not yet answered would appear after it was deleted: the answers are waited for, a little.
    sdk::GuardSilently([&] {
      const LastContext last(kAnswersMs);
      while (running() > 0 && batch_->Pump(last.ctx(), true).ok()) continue;
    });
    if (batch_ != nullptr) batch_->CancelAll();
    if (!ended_) RemoveAll();
    ended_ = true;
  }

 private:
  size_t running() const { return batch_ == nullptr ? 0 : batch_->running(); }

  Status Start(const Context& ctx, size_t size_bytes) {
    Slot& slot = slots_[filling_];
    slot.size_bytes = size_bytes;
    slot.crc32c = http::Crc32c(0, slot.bytes.first(size_bytes));
    slot.part = first_part_ + parts_.size();
    parts_.push_back({.name = fmt::format("{}piece-{:08}", folder_, slot.part), .generation = {},
                      .whole = {size_bytes, slot.crc32c}, .level = 0, .stored = false});
    const Status status = Send(ctx, filling_);
    // The part is known from now on: what could not be begun is tried again like what broke.
    if (!status.ok()) slot.state = Slot::State::kFailed;
    if (status.ok() || status.retryable()) return OkStatus();
    return status;
  }

  Status Send(const Context& ctx, size_t index) {
    if (batch_ == nullptr) batch_ = client_.http().NewBatch();
    Slot& slot = slots_[index];
    WALRIG_ASSIGN(HttpRequest request, WholeRequest(ctx, client_, PartOf(slot).name, false, slot.bytes.first(slot.size_bytes), slot.crc32c, &slot.body));
    slot.authorization = FindHeader(request.headers, "Authorization");
    WALRIG_TRY(batch_->Start(std::move(request), index));
    slot.state = Slot::State::kRunning;
    return OkStatus();
  }

  Part& PartOf(const Slot& slot) { return parts_[static_cast<size_t>(slot.part - first_part_) ]; }

  // Notes what ended. The first error is returned when all that ended at the same time are noted.
  Status Pump(const Context& ctx, bool wait) {
    WALRIG_ASSIGN(std::vector<HttpBatch::Done> done, batch_->Pump(ctx, wait));
    Status first;
    for (HttpBatch::Done& one : done) {
      Slot& slot = slots_[static_cast<size_t>(one.tag)];
      Status status = Note(slot, one.response);
      slot.state = status.ok() ? Slot::State::kFree : Slot::State::kFailed;
      if (!status.ok() && first.ok()) first = std::move(status);
    }
    return first;
  }

  Status Note(Slot& slot, const Result<HttpResponse>& answer) {
    if (!answer.ok()) return Status(answer.status()).With(target_.what);
    HttpRequest sent;
    sent.method = "POST";
    sent.headers.emplace_back("Authorization", slot.authorization);
    if (!answer->ok()) return client_.ErrorOf(sent, answer->status, answer->headers, answer->body, target_.what);
    WALRIG_ASSIGN(const RemoteObject object, ParseObject(answer->body));
    Part& part = PartOf(slot);
    if (object.info.size_bytes != part.whole.size_bytes || (object.crc32c.has_value() && *object.crc32c != part.whole.crc32c)) {
      return Corruption(fmt::format("{}: the server stored other bytes than were sent", target_.what)).Retryable();
    }
    part.generation = object.info.etag;
    part.stored = true;
    return OkStatus();
  }

  // Sends what broke once more, and waits for it: the call is one attempt, and it is over when it is known.
  Status RepeatFailed(const Context& ctx) {
    std::vector<size_t> again;
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].state == Slot::State::kFailed) again.push_back(i);
    }
    for (const size_t i : again) WALRIG_TRY(Send(ctx, i));
    for (const size_t i : again) {
      while (slots_[i].state == Slot::State::kRunning) WALRIG_TRY(Pump(ctx, true));
    }
    return OkStatus();
  }

  // The last parts of one level become one of the next when there are enough, so that the end has little to join.
  Status JoinWhileWriting(const Context& ctx) {
    for (uint32_t level = 0; level < 8; ++level) {
      size_t begin = 0;
      while (begin < parts_.size() && parts_[begin].level > level) ++begin;
      size_t end = begin;
      while (end < parts_.size() && parts_[end].level == level && parts_[end].stored && end - begin < kComposeMax) ++end;
      if (end - begin == kComposeMax) WALRIG_TRY(Join(ctx, begin, kComposeMax, false));
    }
    return OkStatus();
  }

  Status Join(const Context& ctx, size_t begin, size_t count, bool at_end) {
    Part joined{.name = fmt::format("{}joined-{:08}", folder_, joined_count_), .generation = {}, .whole = {}, .level = 0, .stored = true};
    for (size_t i = begin; i < begin + count; ++i) {
      const Part& part = parts_[i];
      joined.level = std::max(joined.level, part.level + 1);
      joined.whole.crc32c = http::Crc32cCombine(joined.whole.crc32c, part.whole.crc32c, part.whole.size_bytes);
      joined.whole.size_bytes += part.whole.size_bytes;
    }
    WALRIG_ASSIGN(const RemoteObject object, Compose(ctx, joined.name, begin, count, false, joined.whole));
    WALRIG_TRY(CheckStored(ctx, client_, {.name = joined.name, .only_if_absent = false, .what = target_.what}, object, joined.whole));
    ++joined_count_;
    joined.generation = object.info.etag;
    for (size_t i = begin; i < begin + count; ++i) done_with_.push_back(parts_[i].name);
    const auto first = parts_.begin() + static_cast<std::ptrdiff_t>(begin);
    parts_.erase(first + 1, first + static_cast<std::ptrdiff_t>(count));
    *first = std::move(joined);
    // A slot finds its part by counting from the first.
    first_part_ += count - 1;
    if (!at_end) RemoveDone(ctx);
    return OkStatus();
  }

  Result<RemoteObject> Compose(const Context& ctx, const std::string& to, size_t begin, size_t count, bool only_if_absent, const Whole&) {
    http::HttpJson body = {{"kind", "storage#composeRequest"}, {"destination", {{"contentType", "application/octet-stream"}}}};
    http::HttpJson sources = http::HttpJson::array();
    for (size_t i = begin; i < begin + count; ++i) {
      sources.push_back({{"name", parts_[i].name}, {"objectPreconditions", {{"ifGenerationMatch", parts_[i].generation}}}});
    }
    body["sourceObjects"] = std::move(sources);
    const std::string text = body.dump();
    std::string url = client_.ObjectUrl(to) + "/compose";
    if (only_if_absent) url += "?ifGenerationMatch=0";
    WALRIG_ASSIGN(HttpRequest request, client_.Request(ctx, "POST", std::move(url), Csek::kObject));
    request.headers.emplace_back("Content-Type", "application/json; charset=UTF-8");
    request.SetBody(text);
    Result<HttpResponse> answer = client_.Send(ctx, request, target_.what);
    if (!answer.ok()) {
      Status status = std::move(answer).status();
      // Somebody swept our pieces away: not a missing object.
      if (status.code() == Code::kNotFound) return Conflict(fmt::format("{}: pieces of the upload are gone", target_.what));
      return status;
    }
    return ParseObject(answer->body);
  }

  // Deletes what was joined; what stays is found by the list of unfinished uploads.
  void RemoveDone(const Context& ctx) {
    std::vector<Status> each;
    client_.Delete(ctx, done_with_, &each).Ignore("an unfinished upload at worst");
    done_with_.clear();
  }

  void RemoveAll() noexcept {
    // Out of memory, the pieces stay, and are found as an unfinished upload.
    sdk::GuardSilently([&] {
      for (const Part& part : parts_) {
        if (done_with_.size() < kAbortNamesMax) done_with_.push_back(part.name);
      }
      parts_.clear();
      if (done_with_.empty()) return;
      const LastContext last;
      RemoveDone(last.ctx());
    });
  }

  Client& client_;
  const Target target_;
  const size_t piece_bytes_;
  std::string folder_;
  std::unique_ptr<HttpBatch> batch_;
  std::vector<Slot> slots_;  // never resized: requests borrow from them
  size_t filling_ = 0;
  std::vector<Part> parts_;  // in order: all of the object so far
  uint64_t first_part_ = 0;  // how many numbers of parts are behind us through joining
  uint64_t joined_count_ = 0;
  std::vector<std::string> done_with_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Upload> NewPartUpload(const Context& ctx, Client& client, Target target, size_t piece_bytes, uint32_t parallel) {
  return std::make_unique<PartUpload>(ctx, client, std::move(target), piece_bytes, parallel);
}

}  // namespace walrig::gcs
