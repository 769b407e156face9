#include "core/pipeline/stored_stream.h"

#include <utility>

#include "core/pipeline/pump.h"

namespace walrig {
namespace {

// A sealer writes straight into a buffer that has room for its next chunk: 64 KiB, a tag, and a header before the first.
constexpr size_t kSealRoomBytes = 72 * 1024;

}  // namespace

Result<std::unique_ptr<StoredStream>> StoredStream::New(const Codec& codec, bool encode, std::unique_ptr<Sink> sink) {
  std::unique_ptr<StoredStream> stream(new StoredStream(std::move(sink)));
  if (encode && codec.compressor != nullptr) {
    WALRIG_ASSIGN(stream->encoder_.machine, codec.compressor->NewEncoder());
    stream->encoder_.out = Buffer(kIoBufferBytes);
  }
  if (codec.cipher != nullptr) {
    WALRIG_ASSIGN(stream->sealer_.machine, codec.cipher->NewSealer());
    stream->sealer_.out = Buffer(2 * kSealRoomBytes);
  }
  return stream;
}

Status StoredStream::Store(const Context& ctx, ByteSpan bytes) {
  if (bytes.empty()) return OkStatus();
  hash_.Update(bytes);
  stored_bytes_.fetch_add(bytes.size(), std::memory_order_relaxed);
  return sink_->Write(ctx, bytes);
}

Status StoredStream::Seal(const Context& ctx, ByteSpan bytes, Directive directive) {
  if (sealer_.machine == nullptr) return Store(ctx, bytes);
  const auto pass_on = [&]() -> Status {
    const size_t count = std::exchange(sealer_.out_bytes, 0);
    return Store(ctx, sealer_.out.first(count));
  };
  WALRIG_TRY(Pump(
      *sealer_.machine, bytes, directive, [&] { return sealer_.out.span().subspan(sealer_.out_bytes); },
      [&](size_t used) -> Status {
        sealer_.out_bytes += used;
        return sealer_.out.size() - sealer_.out_bytes < kSealRoomBytes ? pass_on() : OkStatus();
      }));
  return directive == Directive::kFinish ? pass_on() : OkStatus();
}

Status StoredStream::Encode(const Context& ctx, ByteSpan bytes, Directive directive) {
  if (encoder_.machine == nullptr) return Seal(ctx, bytes, Directive::kRun);
  const auto pass_on = [&]() -> Status {
    const size_t count = std::exchange(encoder_.out_bytes, 0);
    return Seal(ctx, encoder_.out.first(count), Directive::kRun);
  };
  WALRIG_TRY(Pump(
      *encoder_.machine, bytes, directive, [&] { return encoder_.out.span().subspan(encoder_.out_bytes); },
      [&](size_t used) -> Status {
        encoder_.out_bytes += used;
        return encoder_.out_bytes == encoder_.out.size() ? pass_on() : OkStatus();
      }));
  return directive == Directive::kFinish ? pass_on() : OkStatus();
}

Status StoredStream::Write(const Context& ctx, ByteSpan bytes) { return Encode(ctx, bytes, Directive::kRun); }

Status StoredStream::End(const Context& ctx) {
  if (encoder_.machine != nullptr) WALRIG_TRY(Encode(ctx, {}, Directive::kFinish));
  if (sealer_.machine != nullptr) WALRIG_TRY(Seal(ctx, {}, Directive::kFinish));
  return OkStatus();
}

}  // namespace walrig
