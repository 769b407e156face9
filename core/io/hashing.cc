#include "core/io/hashing.h"

namespace walrig {

void HashSet::Update(ByteSpan piece) {
  bytes += piece.size();
  if (crc32c) crc32c = Crc32c(*crc32c, piece);
  if (xxh128) xxh128->Update(piece);
  if (sha256) sha256->Update(piece);
}

HashingSource::HashingSource(std::unique_ptr<Source> source, HashSet* set) : source_(std::move(source)), set_(set) {}

Result<size_t> HashingSource::Read(const Context& ctx, MutableByteSpan buffer) {
  WALRIG_ASSIGN(size_t n, source_->Read(ctx, buffer));
  set_->Update(buffer.first(n));
  return n;
}

HashingSink::HashingSink(std::unique_ptr<Sink> sink, HashSet* set) : sink_(std::move(sink)), set_(set) {}

Status HashingSink::Write(const Context& ctx, ByteSpan bytes) {
  WALRIG_TRY(sink_->Write(ctx, bytes));
  set_->Update(bytes);
  return OkStatus();
}

}  // namespace walrig
