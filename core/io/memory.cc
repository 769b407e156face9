#include "core/io/memory.h"

#include <algorithm>

#include "core/base/assert.h"

namespace walrig {

MemorySource::MemorySource(std::string bytes, size_t read_bytes_max)
    : bytes_(std::move(bytes)), read_bytes_max_(read_bytes_max) {
  WALRIG_ASSERT(read_bytes_max_ > 0);
}

Result<size_t> MemorySource::Read(const Context& ctx, MutableByteSpan buffer) {
  WALRIG_TRY(ctx.Poll());
  size_t n = std::min({buffer.size(), read_bytes_max_, bytes_.size() - position_});
  std::copy_n(AsBytes(bytes_).begin() + static_cast<ptrdiff_t>(position_), n, buffer.begin());
  position_ += n;
  return n;
}

Status MemorySink::Write(const Context& ctx, ByteSpan bytes) {
  WALRIG_TRY(ctx.Poll());
  if (state_ != State::kOpen) return Internal("write to a closed memory sink");
  bytes_.append(AsText(bytes));
  return OkStatus();
}

Status MemorySink::Commit(const Context& ctx) {
  WALRIG_TRY(ctx.Poll());
  if (state_ != State::kOpen) return Internal("commit of a closed memory sink");
  state_ = State::kCommitted;
  if (target_ != nullptr) {
    *target_ = std::move(bytes_);
    bytes_.clear();
  }
  return OkStatus();
}

void MemorySink::Abort() noexcept {
  if (state_ != State::kOpen) return;
  state_ = State::kAborted;
  bytes_.clear();
}

}  // namespace walrig
