#include "core/storage/retrying_source.h"

#include <fmt/format.h>

#include <algorithm>

namespace walrig {

RetryingSource::RetryingSource(Origin origin, std::unique_ptr<Source> source)
    : origin_(std::move(origin)), source_(std::move(source)), backoff_(origin_.policy, origin_.seed) {
  if (origin_.pinned.has_value()) {
    const uint64_t size = origin_.pinned->size_bytes;
    const uint64_t begin = std::min(origin_.options.offset, size);
    expected_bytes_ = std::min(origin_.options.length, size - begin);
  }
}

// A storage without etags: size and time must do.
Status RetryingSource::CheckSame(const Context& ctx) {
  if (!origin_.options.if_match_etag.empty()) return OkStatus();
  WALRIG_ASSIGN(const ObjectInfo now, origin_.attempts.Stat(ctx, origin_.key));
  if (now.size_bytes == origin_.pinned->size_bytes && now.mtime_ns == origin_.pinned->mtime_ns) return OkStatus();
  return PreconditionFailed(fmt::format("{} changed while it was read", origin_.key));
}

Status RetryingSource::Resume(const Context& ctx) {
  if (delivered_bytes_ > 0) WALRIG_TRY(CheckSame(ctx));
  GetOptions rest = origin_.options;
  rest.offset += delivered_bytes_;
  if (rest.length != kUnknownSize) rest.length -= delivered_bytes_;
  WALRIG_ASSIGN(source_, origin_.attempts.Get(ctx, origin_.key, rest));
  return OkStatus();
}

// The storage said how long the object is: another length is not passed on as if it were the object. A stream that ends early
// is one that broke, said by somebody on the way who did not notice (a proxy); what is missing may come with the next.
Status RetryingSource::CheckLength(size_t got) const {
  if (!expected_bytes_.has_value()) return OkStatus();
  if (got == 0 && delivered_bytes_ < *expected_bytes_) {
    return Truncated(fmt::format("{} ended after {} of {} bytes", origin_.key, delivered_bytes_, *expected_bytes_)).Retryable();
  }
  if (got > *expected_bytes_ - delivered_bytes_) {
    return Corruption(fmt::format("{} goes on after its {} bytes", origin_.key, *expected_bytes_));
  }
  return OkStatus();
}

Result<size_t> RetryingSource::Read(const Context& ctx, MutableByteSpan buffer) {
  const bool resumable = origin_.pinned.has_value() || !origin_.options.if_match_etag.empty();
  while (true) {
    const Context attempt = backoff_.Attempt(ctx);
    Status failure;
    if (source_ == nullptr) failure = Resume(attempt);
    if (failure.ok()) {
      const Result<size_t> got = source_->Read(attempt, buffer);
      failure = got.ok() ? CheckLength(*got) : got.status();
      if (failure.ok()) {
        if (*got > 0) backoff_.Progress();
        delivered_bytes_ += *got;
        return got;
      }
    }
    source_.reset();
    if (delivered_bytes_ > 0 && !resumable) return failure;
    // A checksum is compared at the end: what is wrong was delivered, and going on behind it would read as success.
    if (delivered_bytes_ > 0 && failure.code() == Code::kCorruption) return failure;
    WALRIG_TRY(backoff_.Again(
        ctx, std::move(failure),
        fmt::format("get {} from byte {}", origin_.key, origin_.options.offset + delivered_bytes_)));
  }
}

}  // namespace walrig
