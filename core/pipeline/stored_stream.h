// StoredStream: the ordered half of an object's way: encoder (when slices are not streams of their own), sealer, XXH128
// and count, sink. Internal to this room.
//
// OWNS: the sink and the machines. THREADS: one at a time, whoever's turn it is; stored_bytes() any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/checksum.h"
#include "core/pipeline/codec.h"
#include "walrig/stream.h"

namespace walrig {

class StoredStream {
 public:
  // With `encode` plain bytes come in and the codec's compressor runs here.
  static Result<std::unique_ptr<StoredStream>> New(const Codec& codec, bool encode, std::unique_ptr<Sink> sink);

  Status Write(const Context& ctx, ByteSpan bytes);
  // Ends encoder and sealer; the sink is not yet committed.
  Status End(const Context& ctx);
  Status Commit(const Context& ctx) { return sink_->Commit(ctx); }
  void Abort() noexcept { sink_->Abort(); }

  uint64_t stored_bytes() const { return stored_bytes_.load(std::memory_order_relaxed); }
  std::string xxh128() const { return hash_.Hex(); }

 private:
  explicit StoredStream(std::unique_ptr<Sink> sink) : sink_(std::move(sink)) {}
  // A machine and what it has given but nobody took yet.
  struct Stage {
    std::unique_ptr<Transform> machine;  // null: bytes pass
    Buffer out;
    size_t out_bytes = 0;
  };
  Status Encode(const Context& ctx, ByteSpan bytes, Directive directive);
  Status Seal(const Context& ctx, ByteSpan bytes, Directive directive);
  Status Store(const Context& ctx, ByteSpan bytes);

  std::unique_ptr<Sink> sink_;
  Stage encoder_;
  Stage sealer_;
  Xxh128 hash_;
  // A progress line may look at it while somebody writes; it is not tied to anything else, hence relaxed.
  std::atomic<uint64_t> stored_bytes_{0};
};

}  // namespace walrig
