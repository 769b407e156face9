#include "core/storage/retrying_sink.h"

#include <fmt/format.h>

#include <algorithm>

namespace walrig {

RetryingSink::RetryingSink(Target target, std::unique_ptr<Sink> sink)
    : target_(std::move(target)),
      sink_(std::move(sink)),
      backoff_(target_.policy, target_.seed),
      replay_bytes_max_(std::min(target_.policy.replay_bytes_max, target_.options.memory_budget_bytes)) {}

void RetryingSink::Remember(ByteSpan bytes) {
  written_bytes_ += bytes.size();
  if (replayable_ && bytes.size() <= replay_bytes_max_ - replay_.size()) {
    replay_.append(AsText(bytes));
    return;
  }
  if (replayable_) hash_.Update(AsBytes(replay_));
  hash_.Update(bytes);
  replayable_ = false;
  replay_ = std::string();
}

Status RetryingSink::OpenAndWrite(const Context& ctx, ByteSpan tail) {
  WALRIG_ASSIGN(sink_, target_.attempts.Put(ctx, target_.key, target_.options));
  if (!replay_.empty()) WALRIG_TRY(sink_->Write(ctx, AsBytes(replay_)));
  if (!tail.empty()) WALRIG_TRY(sink_->Write(ctx, tail));
  return OkStatus();
}

// Begins anew until what was written so far, and `tail`, is written again.
Status RetryingSink::Rewrite(const Context& ctx, Status failure, ByteSpan tail) {
  while (true) {
    if (sink_ != nullptr) sink_->Abort();
    sink_.reset();
    if (failure.retryable() && !replayable_) {
      return std::move(failure).With(fmt::format("put {}: {} bytes were written, too many to write them again",
                                                 target_.key, written_bytes_));
    }
    WALRIG_TRY(backoff_.Again(ctx, std::move(failure), "put " + target_.key));
    failure = OpenAndWrite(backoff_.Attempt(ctx), tail);
    if (failure.ok()) return failure;
  }
}

Status RetryingSink::Write(const Context& ctx, ByteSpan bytes) {
  if (sink_ == nullptr) return Internal(fmt::format("write to {} after its end", target_.key));
  Status status = sink_->Write(backoff_.Attempt(ctx), bytes);
  while (status.resumable()) {
    WALRIG_TRY(backoff_.Again(ctx, std::move(status), "put " + target_.key));
    status = sink_->Write(backoff_.Attempt(ctx), bytes);
    if (status.ok()) backoff_.Progress();
  }
  if (!status.ok()) WALRIG_TRY(Rewrite(ctx, std::move(status), bytes));
  Remember(bytes);
  return OkStatus();
}

Result<RetryingSink::Stored> RetryingSink::LookAtStored(const Context& ctx) {
  const Result<ObjectInfo> info = target_.retrying.Stat(ctx, target_.key);
  if (!info.ok() && info.status().code() == Code::kNotFound) return Stored::kNothing;
  if (!info.ok()) return info.status();
  if (info->size_bytes != written_bytes_) return Stored::kOther;

  // The size alone would take what was there before for ours.
  GetOptions same;
  same.if_match_etag = info->etag;
  WALRIG_ASSIGN(std::unique_ptr<Source> source, target_.retrying.Get(ctx, target_.key, same));
  Xxh128 stored;
  Buffer buffer(kIoBufferBytes);
  while (true) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(const size_t got, source->Read(ctx, buffer.span()));
    if (got == 0) break;
    stored.Update(buffer.first(got));
  }
  Xxh128 ours = hash_;
  if (replayable_) ours.Update(AsBytes(replay_));
  return stored.Hex() == ours.Hex() ? Stored::kOurs : Stored::kOther;
}

// What a failed commit means, where the storage can tell; nothing when writing again is the answer.
std::optional<Status> RetryingSink::Settle(const Context& ctx, const Status& failure) {
  if (failure.outcome_unknown()) effect_possible_ = true;
  const bool lost_to_somebody = failure.code() == Code::kAlreadyExists;
  if (!effect_possible_ || !(failure.outcome_unknown() || lost_to_somebody)) return std::nullopt;
  if (!target_.options.only_if_absent && replayable_ && failure.retryable()) return std::nullopt;

  const Result<Stored> stored = LookAtStored(ctx);
  if (!stored.ok()) {
    return Status(failure).With(fmt::format("put {}: whether it is stored could not be found out ({})", target_.key,
                                            stored.status().message()));
  }
  if (*stored == Stored::kOurs) {
    ctx.log->Write(LogLevel::kInfo, "storage/retry",
                   fmt::format("put {}: the storage has it, although it said: {}", target_.key, failure.message()));
    return OkStatus();
  }
  if (target_.options.only_if_absent && *stored == Stored::kOther) {
    return AlreadyExists(fmt::format("{} exists and holds other bytes", target_.key));
  }
  return std::nullopt;
}

// Commit of the present inner sink, again and again while that can go on where it failed. With `final`, nothing more
// may be tried.
Status RetryingSink::CommitOnce(const Context& ctx, bool* final) {
  Status failure = sink_->Commit(backoff_.Attempt(ctx));
  while (failure.resumable()) {
    if (failure.outcome_unknown()) effect_possible_ = true;
    Status pause = backoff_.Again(ctx, std::move(failure), "put " + target_.key);
    *final = !pause.ok();
    if (*final) return pause;
    failure = sink_->Commit(backoff_.Attempt(ctx));
  }
  return failure;
}

Status RetryingSink::Commit(const Context& ctx) {
  if (sink_ == nullptr) return Internal(fmt::format("commit of {} after its end", target_.key));
  while (true) {
    bool final = false;
    Status failure = CommitOnce(ctx, &final);
    if (!failure.ok()) {
      if (std::optional<Status> settled = Settle(ctx, failure)) return *std::move(settled);
      if (final) return failure;
      failure = Rewrite(ctx, std::move(failure), {});
      if (failure.ok()) continue;
      // Opening anew can meet what the unknown attempt left.
      if (failure.code() == Code::kAlreadyExists) {
        if (std::optional<Status> settled = Settle(ctx, failure)) return *std::move(settled);
      }
    }
    sink_.reset();
    return failure;
  }
}

void RetryingSink::Abort() noexcept {
  if (sink_ != nullptr) sink_->Abort();
}

}  // namespace walrig
