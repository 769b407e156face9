#include "core/io/counting.h"

namespace walrig {
namespace {

void Count(uint64_t n, uint64_t* bytes, std::atomic<uint64_t>* total) {
  *bytes += n;
  // Relaxed: a progress line reads it, nothing is decided by it.
  if (total != nullptr) total->fetch_add(n, std::memory_order_relaxed);
}

}  // namespace

CountingSource::CountingSource(std::unique_ptr<Source> source, std::atomic<uint64_t>* total)
    : source_(std::move(source)), total_(total) {}

Result<size_t> CountingSource::Read(const Context& ctx, MutableByteSpan buffer) {
  WALRIG_ASSIGN(size_t n, source_->Read(ctx, buffer));
  Count(n, &bytes_, total_);
  return n;
}

CountingSink::CountingSink(std::unique_ptr<Sink> sink, std::atomic<uint64_t>* total)
    : sink_(std::move(sink)), total_(total) {}

Status CountingSink::Write(const Context& ctx, ByteSpan bytes) {
  WALRIG_TRY(sink_->Write(ctx, bytes));
  Count(bytes.size(), &bytes_, total_);
  return OkStatus();
}

}  // namespace walrig
