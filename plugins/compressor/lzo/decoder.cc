#include "plugins/compressor/lzo/decoder.h"

#include <lzo/lzo1x.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "plugins/compressor/lzo/header.h"

namespace walrig::lzo {
namespace {

// What the next bytes are.
enum class Phase { kHeader, kPlainSize, kPackedSize, kChecksums, kBody, kOutput };

class Decoder final : public Transform {
 public:
  Result<Progress> Process(TransformIo& io, Directive directive) override {
    while (true) {
      if (phase_ == Phase::kOutput) {
        Give(io);
        if (given_bytes_ < plain_bytes_) return Progress::kNeedOutput;
        Expect(Phase::kPlainSize, 4);
      }
      if (!Gather(io)) break;
      WALRIG_TRY(Step());
    }
    if (directive != Directive::kFinish) return Progress::kNeedInput;
    if (phase_ == Phase::kHeader && head_bytes_ == 0 && complete_) return Progress::kEnd;
    return Truncated("lzop: the stream ends early");
  }

  Status Reset() override {
    Expect(Phase::kHeader, 1);
    head_bytes_ = 0;
    complete_ = false;
    return OkStatus();
  }

 private:
  void Expect(Phase phase, size_t want_bytes) {
    phase_ = phase;
    want_bytes_ = want_bytes;
    have_bytes_ = 0;
  }

  // Where the bytes of this phase go.
  uint8_t* Place() {
    if (phase_ == Phase::kBody) return packed_.data();
    return phase_ == Phase::kHeader ? head_.data() + head_bytes_ : small_.data();
  }

  // True once all bytes that the phase wants are there.
  bool Gather(TransformIo& io) {
    const size_t n = std::min(want_bytes_ - have_bytes_, io.in.size() - io.in_used);
    if (n != 0) std::memcpy(Place() + have_bytes_, io.in.data() + io.in_used, n);
    have_bytes_ += n;
    io.in_used += n;
    return have_bytes_ == want_bytes_;
  }

  void Give(TransformIo& io) {
    const size_t n = std::min<size_t>(plain_bytes_ - given_bytes_, io.out.size() - io.out_used);
    const uint8_t* from = (stored_ ? packed_ : plain_).data() + given_bytes_;
    if (n != 0) std::memcpy(io.out.data() + io.out_used, from, n);
    given_bytes_ += static_cast<uint32_t>(n);
    io.out_used += n;
  }

  Status Step() {
    switch (phase_) {
      case Phase::kHeader: return TakeHeaderByte();
      case Phase::kPlainSize: return TakePlainSize();
      case Phase::kPackedSize: return TakePackedSize();
      case Phase::kChecksums: Expect(Phase::kBody, packed_bytes_); return OkStatus();
      case Phase::kBody: return TakeBody();
      case Phase::kOutput: break;
    }
    return Internal("lzop: impossible phase");
  }

  Status TakeHeaderByte() {
    ++head_bytes_;
    WALRIG_ASSIGN(const std::optional<Header> header, ParseHeader({head_.data(), head_bytes_}));
    if (!header.has_value()) {
      if (head_bytes_ == head_.size()) return Corruption("lzop: the header does not end");
      Expect(Phase::kHeader, 1);
      return OkStatus();
    }
    flags_ = header->flags;
    head_bytes_ = 0;
    Expect(Phase::kPlainSize, 4);
    return OkStatus();
  }

  Status TakePlainSize() {
    plain_bytes_ = BigEndian32(small_.data());
    given_bytes_ = 0;
    if (plain_bytes_ == 0) {
      complete_ = true;
      Expect(Phase::kHeader, 1);
      return OkStatus();
    }
    if (plain_bytes_ == UINT32_MAX) return NotSupported("lzop: part files are not read");
    if (plain_bytes_ > kBlockBytesMax) return TooLarge("lzop: a block of more than 8 MiB");
    Expect(Phase::kPackedSize, 4);
    return OkStatus();
  }

  Status TakePackedSize() {
    packed_bytes_ = BigEndian32(small_.data());
    if (packed_bytes_ == 0 || packed_bytes_ > plain_bytes_) return Corruption("lzop: impossible size of a block");
    stored_ = packed_bytes_ == plain_bytes_;
    Grow(packed_, packed_bytes_);
    if (!stored_) Grow(plain_, plain_bytes_);
    const size_t count = PlainSums() + (stored_ ? 0 : Count(kAdlerPacked) + Count(kCrcPacked));
    // Without checksums this phase wants nothing and is over at once.
    Expect(Phase::kChecksums, count * 4);
    return OkStatus();
  }

  Status TakeBody() {
    size_t at = PlainSums();
    if (!stored_) {
      if (Has(kAdlerPacked) && !Holds(at++, lzo_adler32(1, packed_.data(), packed_bytes_))) return BadSum();
      if (Has(kCrcPacked) && !Holds(at++, lzo_crc32(0, packed_.data(), packed_bytes_))) return BadSum();
      lzo_uint length = plain_bytes_;
      const int code = lzo1x_decompress_safe(packed_.data(), packed_bytes_, plain_.data(), &length, nullptr);
      if (code != LZO_E_OK || length != plain_bytes_) return Corruption("lzop: a block does not unpack");
    }
    const uint8_t* plain = (stored_ ? packed_ : plain_).data();
    at = 0;
    if (Has(kAdlerPlain) && !Holds(at++, lzo_adler32(1, plain, plain_bytes_))) return BadSum();
    if (Has(kCrcPlain) && !Holds(at++, lzo_crc32(0, plain, plain_bytes_))) return BadSum();
    Expect(Phase::kOutput, 0);
    return OkStatus();
  }

  bool Has(uint32_t flag) const { return (flags_ & flag) != 0; }
  bool Holds(size_t index, uint32_t actual) const { return BigEndian32(small_.data() + index * 4) == actual; }
  static Status BadSum() { return Corruption("lzop: a block's checksum does not hold"); }
  size_t Count(uint32_t flag) const { return Has(flag) ? 1 : 0; }
  size_t PlainSums() const { return Count(kAdlerPlain) + Count(kCrcPlain); }
  static void Grow(Buffer& buffer, size_t size_bytes) {
    if (buffer.size() < size_bytes) buffer = Buffer(size_bytes);
  }

  Phase phase_ = Phase::kHeader;
  size_t want_bytes_ = 1, have_bytes_ = 0;     // of the phase
  std::array<uint8_t, kHeaderBytesMax> head_{};
  size_t head_bytes_ = 0;                      // of the header, so far
  std::array<uint8_t, 16> small_{};            // a number, or the checksums of the block
  bool complete_ = false;                      // a container was read to its end
  uint32_t flags_ = 0, plain_bytes_ = 0, packed_bytes_ = 0, given_bytes_ = 0;
  bool stored_ = false;
  Buffer packed_, plain_;
};

}  // namespace

Result<std::unique_ptr<Transform>> NewDecoder() {
  if (lzo_init() != LZO_E_OK) return Internal("lzop: the library does not fit its header");
  return std::unique_ptr<Transform>(std::make_unique<Decoder>());
}

}  // namespace walrig::lzo
