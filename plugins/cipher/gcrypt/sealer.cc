#include "plugins/cipher/gcrypt/sealer.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

namespace walrig::gcrypt {
namespace {

class Sealer final : public Transform {
 public:
  Sealer(Keys& keys, const SealOptions& options)
      : keys_(keys), options_(options), chunk_bytes_(size_t{1} << options.chunk_log), buffer_(chunk_bytes_ + kTagBytes) {}

  Status Begin() {
    WALRIG_ASSIGN(Keys::Sealed sealed, keys_.Seal(options_));
    WALRIG_ASSIGN(Aead aead, Aead::New(options_.algorithm, sealed.payload_key.bytes()));
    aead_.emplace(std::move(aead));
    header_ = std::move(sealed.bytes);
    pending_ = header_;
    return OkStatus();
  }

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    if (ended_) {
      return io.in.empty() ? Result<Progress>(Progress::kEnd) : InvalidArgument("gcrypt: input after the end");
    }
    for (;;) {
      Drain(io);
      if (!pending_.empty()) return Progress::kNeedOutput;
      if (last_sealed_) {
        ended_ = true;
        return Progress::kEnd;
      }
      const ByteSpan in = io.in.subspan(io.in_used);
      if (filled_ == 0 && in.size() >= chunk_bytes_) {
        WALRIG_TRY(Whole(io, in.first(chunk_bytes_)));
        continue;
      }
      if (!in.empty()) {
        const size_t take = std::min(chunk_bytes_ - filled_, in.size());
        std::memcpy(buffer_.data() + filled_, in.data(), take);
        filled_ += take;
        io.in_used += take;
        if (filled_ == chunk_bytes_) WALRIG_TRY(FromBuffer(io, false));
        continue;
      }
      if (directive != Directive::kFinish) return Progress::kNeedInput;
      WALRIG_TRY(FromBuffer(io, true));
      last_sealed_ = true;
    }
  }

  Status Reset() override {
    Wipe(buffer_.span());
    filled_ = 0;
    number_ = 0;
    ended_ = last_sealed_ = false;
    return Begin();
  }

  ~Sealer() override { Wipe(buffer_.span().first(filled_)); }

 private:
  void Drain(TransformIo& io) {
    const size_t count = std::min(pending_.size(), io.out.size() - io.out_used);
    if (count != 0) std::memcpy(io.out.data() + io.out_used, pending_.data(), count);
    io.out_used += count;
    pending_ = pending_.subspan(count);
  }

  Status SealChunk(ByteSpan plain, MutableByteSpan out, bool last) {
    if (number_ >= kChunksMax) return TooLarge("gcrypt: an object of more chunks than one key may encrypt");
    return aead_->Seal(ChunkNonce(number_++, last), plain, out);
  }

  // A chunk that stands in the caller's buffer.
  Status Whole(TransformIo& io, ByteSpan plain) {
    const MutableByteSpan room = io.out.subspan(io.out_used);
    const bool direct = room.size() >= plain.size() + kTagBytes;
    const MutableByteSpan out = (direct ? room : buffer_.span()).first(plain.size() + kTagBytes);
    WALRIG_TRY(SealChunk(plain, out, false));
    io.in_used += plain.size();
    if (direct) {
      io.out_used += out.size();
    } else {
      pending_ = out;
    }
    return OkStatus();
  }

  Status FromBuffer(TransformIo& io, bool last) {
    const MutableByteSpan room = io.out.subspan(io.out_used);
    const size_t size = filled_ + kTagBytes;
    const bool direct = room.size() >= size;
    WALRIG_TRY(SealChunk(buffer_.first(filled_), direct ? room.first(size) : buffer_.span().first(size), last));
    filled_ = 0;
    if (direct) {
      io.out_used += size;
    } else {
      pending_ = buffer_.first(size);
    }
    return OkStatus();
  }

  Keys& keys_;
  const SealOptions options_;
  const size_t chunk_bytes_;
  std::optional<Aead> aead_;
  std::vector<uint8_t> header_;
  Buffer buffer_;           // plain bytes of a chunk that is not full, or sealed ones that found no room
  size_t filled_ = 0;       // plain bytes in the buffer
  ByteSpan pending_;        // sealed bytes to be given, in the header or the buffer
  uint64_t number_ = 0;     // of the next chunk
  bool last_sealed_ = false;
  bool ended_ = false;
};

}  // namespace

Nonce ChunkNonce(uint64_t number, bool last) {
  Nonce nonce{};
  for (size_t i = 0; i < 8; ++i) nonce[10 - i] = static_cast<uint8_t>(number >> (8 * i));
  nonce[11] = last ? 1 : 0;
  return nonce;
}

Result<std::unique_ptr<Transform>> NewSealer(Keys& keys, const SealOptions& options) {
  auto sealer = std::make_unique<Sealer>(keys, options);
  WALRIG_TRY(sealer->Begin());
  return std::unique_ptr<Transform>(std::move(sealer));
}

}  // namespace walrig::gcrypt
