#include "plugins/cipher/gcrypt/opener.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "plugins/cipher/gcrypt/sealer.h"

namespace walrig::gcrypt {
namespace {

constexpr size_t kHeadBytes = 16;  // until the header's size is known

class Opener final : public Transform {
 public:
  explicit Opener(Keys& keys) : keys_(keys) {}
  // Of the chunks from `begin` to before `end`, without a header before them.
  Opener(Keys& keys, Aead aead, size_t chunk_bytes, uint64_t begin, uint64_t end)
      : keys_(keys), aead_(std::move(aead)), buffer_(chunk_bytes + kTagBytes), chunk_bytes_(chunk_bytes), begin_(begin), end_(end), number_(begin) {}

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    if (ended_) {
      return io.in.empty() ? Result<Progress>(Progress::kEnd) : Corruption("gcrypt: bytes after the end");
    }
    if (!aead_.has_value()) {
      WALRIG_TRY(TakeHeader(io));
      if (!aead_.has_value()) {
        if (directive != Directive::kFinish) return Progress::kNeedInput;
        return Truncated(head_.empty() ? "gcrypt: the object is empty" : "gcrypt: the object ends within its header");
      }
    }
    return TakeChunks(io, directive);
  }

  Status Reset() override {
    if (!end_.has_value()) aead_.reset();
    head_.clear();
    if (buffer_.size() != 0) Wipe(buffer_.span());
    filled_ = 0;
    pending_ = {};
    number_ = begin_;
    last_opened_ = ended_ = false;
    return OkStatus();
  }

  ~Opener() override {
    if (buffer_.size() != 0) Wipe(buffer_.span());
  }

 private:
  Status TakeHeader(TransformIo& io) {
    while (!aead_.has_value() && io.in_used < io.in.size()) {
      size_t wanted = kHeadBytes;
      if (head_.size() >= kHeadBytes) {
        WALRIG_ASSIGN(wanted, HeaderSize(head_));
      }
      const size_t take = std::min(wanted - head_.size(), io.in.size() - io.in_used);
      const ByteSpan piece = io.in.subspan(io.in_used, take);
      head_.insert(head_.end(), piece.begin(), piece.end());
      io.in_used += take;
      // As soon as it can be told: what is not ours may be shorter than a header.
      if (!MayBegin(head_) && head_.size() < kHeadBytes) return NotOurs(io);
      if (head_.size() == wanted && wanted > kHeadBytes) WALRIG_TRY(OpenHeader());
    }
    return OkStatus();
  }

  Status NotOurs(const TransformIo& io) {
    const ByteSpan rest = io.in.subspan(io.in_used);
    head_.insert(head_.end(), rest.begin(), rest.begin() + static_cast<ptrdiff_t>(std::min(rest.size(), kHeadBytes)));
    head_.resize(std::max(head_.size(), kHeadBytes));
    return HeaderSize(head_).status();
  }

  Status OpenHeader() {
    WALRIG_ASSIGN(const Header header, ParseHeader(head_));
    WALRIG_ASSIGN(const SecretBytes key, keys_.Open(header, head_));
    WALRIG_ASSIGN(Aead aead, Aead::New(header.algorithm, key.bytes()));
    aead_.emplace(std::move(aead));
    chunk_bytes_ = header.chunk_bytes();
    if (buffer_.size() < chunk_bytes_ + kTagBytes) buffer_ = Buffer(chunk_bytes_ + kTagBytes);
    return OkStatus();
  }

  Result<Progress> TakeChunks(TransformIo& io, Directive directive) {
    const size_t sealed_bytes = chunk_bytes_ + kTagBytes;
    for (;;) {
      Drain(io);
      if (!pending_.empty()) return Progress::kNeedOutput;
      if (last_opened_ || number_ == end_) {
        ended_ = true;
        return Progress::kEnd;
      }
      const ByteSpan in = io.in.subspan(io.in_used);
      if (filled_ == 0 && in.size() >= sealed_bytes) {
        WALRIG_TRY(Open(io, in.first(sealed_bytes), false));
        io.in_used += sealed_bytes;
        continue;
      }
      if (!in.empty()) {
        const size_t take = std::min(sealed_bytes - filled_, in.size());
        std::memcpy(buffer_.data() + filled_, in.data(), take);
        filled_ += take;
        io.in_used += take;
        if (filled_ == sealed_bytes) WALRIG_TRY(Open(io, buffer_.first(sealed_bytes), false));
        continue;
      }
      if (directive != Directive::kFinish) return Progress::kNeedInput;
      if (filled_ < kTagBytes) {
        return Truncated("gcrypt: the object ends early, after " + std::to_string(number_) + " chunks");
      }
      WALRIG_TRY(Open(io, buffer_.first(filled_), true));
      last_opened_ = true;
    }
  }

  // Into the caller's buffer where that has room, else into our own.
  Status Open(TransformIo& io, ByteSpan sealed, bool last) {
    const size_t plain_bytes = sealed.size() - kTagBytes;
    const MutableByteSpan room = io.out.subspan(io.out_used);
    const bool direct = room.size() >= plain_bytes;
    const MutableByteSpan out = (direct ? room : buffer_.span()).first(plain_bytes);
    if (number_ >= kChunksMax) return TooLarge("gcrypt: an object of more chunks than one key may encrypt");
    WALRIG_ASSIGN(const bool authentic, aead_->Open(ChunkNonce(number_, last), sealed, out));
    if (!authentic) {
      return Corruption("gcrypt: chunk " + std::to_string(number_) +
                        (last ? ", the last one, is damaged or cut short" : " is damaged or out of its place"));
    }
    number_++;
    filled_ = 0;
    if (direct) {
      io.out_used += plain_bytes;
    } else {
      pending_ = out;
    }
    return OkStatus();
  }

  void Drain(TransformIo& io) {
    const size_t count = std::min(pending_.size(), io.out.size() - io.out_used);
    if (count != 0) std::memcpy(io.out.data() + io.out_used, pending_.data(), count);
    io.out_used += count;
    pending_ = pending_.subspan(count);
  }

  Keys& keys_;
  std::optional<Aead> aead_;     // there once the header was authenticated
  std::vector<uint8_t> head_;
  Buffer buffer_;                // sealed bytes of a chunk that is not whole, or plain ones that found no room
  size_t chunk_bytes_ = 0;
  const uint64_t begin_ = 0;              // the first chunk
  const std::optional<uint64_t> end_;     // of a range: the chunk after its last
  size_t filled_ = 0;
  ByteSpan pending_;
  uint64_t number_ = 0;
  bool last_opened_ = false;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<Transform>> NewRangeOpener(Keys& keys, ByteSpan head, uint64_t offset, uint64_t length, SealedRange* range) {
  if (length == 0) return InvalidArgument("gcrypt: a range of no bytes");
  if (head.size() < kHeadBytes) return Truncated("gcrypt: the object ends within its header");
  WALRIG_ASSIGN(const size_t header_bytes, HeaderSize(head));
  if (head.size() < header_bytes) return Truncated("gcrypt: the object ends within its header");
  head = head.first(header_bytes);
  WALRIG_ASSIGN(const Header header, ParseHeader(head));
  WALRIG_ASSIGN(const SecretBytes key, keys.Open(header, head));
  WALRIG_ASSIGN(Aead aead, Aead::New(header.algorithm, key.bytes()));
  const uint64_t chunk_bytes = header.chunk_bytes();
  const uint64_t begin = offset / chunk_bytes;
  if (begin >= kChunksMax) return TooLarge("gcrypt: a range behind the largest object");
  const uint64_t last_byte = length - 1 > UINT64_MAX - offset ? UINT64_MAX : offset + (length - 1);
  const uint64_t end = std::min(last_byte / chunk_bytes, kChunksMax - 1) + 1;
  range->offset = header_bytes + begin * (chunk_bytes + kTagBytes);
  range->length = (end - begin) * (chunk_bytes + kTagBytes);
  range->skip = offset - begin * chunk_bytes;
  return std::unique_ptr<Transform>(std::make_unique<Opener>(keys, std::move(aead), chunk_bytes, begin, end));
}

std::unique_ptr<Transform> NewOpener(Keys& keys) { return std::make_unique<Opener>(keys); }

}  // namespace walrig::gcrypt
