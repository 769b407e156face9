#include "plugins/compressor/zstd/decoder.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <string>

#include "plugins/common/frame_head.h"

namespace walrig::zstd {
namespace {

struct FreeDecoder {
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

Status Failure(size_t code) {
  const std::string text = std::string("zstd: ") + ZSTD_getErrorName(code);
  switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_frameParameter_windowTooLarge: return TooLarge(text);
    case ZSTD_error_memory_allocation: return OutOfMemory("zstd");
    default: return Corruption(text);
  }
}

class Decoder final : public Transform {
 public:
  explicit Decoder(ZSTD_DCtx* context) : context_(context) {}

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    ZSTD_inBuffer in{io.in.data(), io.in.size(), 0};
    ZSTD_outBuffer out{io.out.data(), io.out.size(), 0};
    while (out.pos < out.size && (in.pos < in.size || pending_)) {
      WALRIG_TRY(CheckMagic(io.in.subspan(in.pos)));
      const size_t before = in.pos, given_before = out.pos;
      const size_t left = ZSTD_decompressStream(context_.get(), &out, &in);
      if (ZSTD_isError(left)) return Failure(left);
      head_.See(io.in.subspan(before, in.pos - before));
      given_bytes_ += out.pos - given_before;
      pending_ = out.pos == out.size && left != 0;
      if (left == 0) {
        WALRIG_TRY(CheckContentSize());
        head_.Clear();
        given_bytes_ = 0;
        complete_ = true;
      }
    }
    io.in_used = in.pos;
    io.out_used = out.pos;
    if (in.pos < in.size || pending_) return Progress::kNeedOutput;
    if (directive != Directive::kFinish) return Progress::kNeedInput;
    if (head_.empty() && complete_) return Progress::kEnd;
    return Truncated("zstd: the stream ends early");
  }

  Status Reset() override {
    head_.Clear();
    given_bytes_ = 0;
    complete_ = pending_ = false;
    const size_t code = ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
    return ZSTD_isError(code) ? Failure(code) : OkStatus();
  }

 private:
  // Distributions build the library with the decoders of zstd before 0.8, which are no longer looked after and which
  // only a frame that comes in one piece reaches: such a frame is refused before the library sees its magic number.
  Status CheckMagic(ByteSpan next) const {
    if (head_.kept().size() >= FrameHead::kBytes) return OkStatus();
    FrameHead head = head_;
    head.See(next);
    if (head.MayBe({0x28, 0xB5, 0x2F, 0xFD}, {0xFF, 0xFF, 0xFF, 0xFF}) || head.MayBeSkippable()) return OkStatus();
    return Corruption(complete_ ? "zstd: bytes after the end that are no frame" : "zstd: this is no zstd frame");
  }

  // The library holds a frame to the size in its head when the frame comes in one piece; in pieces, it lets an empty last
  // block end the frame early (1.5.4).
  Status CheckContentSize() const {
    const unsigned long long claimed = ZSTD_getFrameContentSize(head_.kept().data(), head_.kept().size());
    if (claimed == ZSTD_CONTENTSIZE_UNKNOWN || claimed == ZSTD_CONTENTSIZE_ERROR || claimed == given_bytes_) return OkStatus();
    return Corruption("zstd: a frame does not hold the bytes that it claims");
  }

  std::unique_ptr<ZSTD_DCtx, FreeDecoder> context_;
  FrameHead head_;            // of the frame that is being read; empty between frames
  uint64_t given_bytes_ = 0;  // of that frame
  bool complete_ = false;     // a frame was read to its end
  bool pending_ = false;      // the library may hold output for which there was no room
};

}  // namespace

Result<std::unique_ptr<Transform>> NewDecoder() {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  if (context == nullptr) return OutOfMemory("zstd");
  std::unique_ptr<Transform> decoder = std::make_unique<Decoder>(context);
  const size_t code = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, kWindowLogMax);
  if (ZSTD_isError(code)) return Failure(code);
  return decoder;
}

}  // namespace walrig::zstd
