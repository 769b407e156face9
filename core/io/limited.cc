#include "core/io/limited.h"

#include <fmt/format.h>

#include <algorithm>

namespace walrig {
namespace {

Status BeyondLimit(uint64_t bytes_max) { return TooLarge(fmt::format("more than {} bytes", bytes_max)); }

}  // namespace

LimitedSource::LimitedSource(std::unique_ptr<Source> source, uint64_t bytes_max, LimitPolicy policy)
    : source_(std::move(source)), bytes_max_(bytes_max), remaining_bytes_(bytes_max), policy_(policy) {}

Result<size_t> LimitedSource::Read(const Context& ctx, MutableByteSpan buffer) {
  if (remaining_bytes_ == 0) {
    if (policy_ == LimitPolicy::kCut) return size_t{0};
    // Only one byte more can tell whether the data end here.
    uint8_t probe = 0;
    WALRIG_ASSIGN(size_t n, source_->Read(ctx, {&probe, 1}));
    if (n != 0) return BeyondLimit(bytes_max_);
    return size_t{0};
  }
  size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), remaining_bytes_));
  WALRIG_ASSIGN(size_t n, source_->Read(ctx, buffer.first(wanted)));
  remaining_bytes_ -= n;
  return n;
}

LimitedSink::LimitedSink(std::unique_ptr<Sink> sink, uint64_t bytes_max)
    : sink_(std::move(sink)), bytes_max_(bytes_max), remaining_bytes_(bytes_max) {}

Status LimitedSink::Write(const Context& ctx, ByteSpan bytes) {
  if (bytes.size() > remaining_bytes_) return BeyondLimit(bytes_max_);
  WALRIG_TRY(sink_->Write(ctx, bytes));
  remaining_bytes_ -= bytes.size();
  return OkStatus();
}

}  // namespace walrig
