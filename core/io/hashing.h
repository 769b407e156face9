// HashingSource and HashingSink: observers that take checksums of what passes.
//
// OWNS: the wrapped stream; borrows the HashSet, which must outlive the wrapper and is complete when the stream ended.
// THREADS: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/base/checksum.h"
#include "walrig/stream.h"

namespace walrig {

// The checksums that are wanted are those that have a value before the first byte:
//   HashSet set; set.crc32c = 0; set.xxh128.emplace(); WALRIG_ASSIGN(set.sha256, Sha256::New());
struct HashSet {
  uint64_t bytes = 0;
  std::optional<uint32_t> crc32c;
  std::optional<Xxh128> xxh128;
  std::optional<Sha256> sha256;

  void Update(ByteSpan piece);
};

class HashingSource final : public Source {
 public:
  HashingSource(std::unique_ptr<Source> source, HashSet* set);
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override;

 private:
  std::unique_ptr<Source> source_;
  HashSet* set_;
};

class HashingSink final : public Sink {
 public:
  HashingSink(std::unique_ptr<Sink> sink, HashSet* set);
  // Only what the wrapped sink took is hashed.
  Status Write(const Context& ctx, ByteSpan bytes) override;
  Status Commit(const Context& ctx) override { return sink_->Commit(ctx); }
  void Abort() noexcept override { sink_->Abort(); }

 private:
  std::unique_ptr<Sink> sink_;
  HashSet* set_;
};

}  // namespace walrig
