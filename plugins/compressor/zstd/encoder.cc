#include "plugins/compressor/zstd/encoder.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <string>

namespace walrig::zstd {
namespace {

struct FreeEncoder {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};

Status EncoderFailure(size_t code) {
  if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation) return OutOfMemory("zstd");
  return Internal(std::string("zstd: ") + ZSTD_getErrorName(code));
}

class Encoder final : public Transform {
 public:
  explicit Encoder(ZSTD_CCtx* context) : context_(context) {}

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    if (ended_) return io.in.empty() ? Result<Progress>(Progress::kEnd) : InvalidArgument("zstd: input after the end");
    ZSTD_inBuffer in{io.in.data(), io.in.size(), 0};
    ZSTD_outBuffer out{io.out.data(), io.out.size(), 0};
    const ZSTD_EndDirective op = directive == Directive::kFinish  ? ZSTD_e_end
                                 : directive == Directive::kFlush ? ZSTD_e_flush
                                                                  : ZSTD_e_continue;
    size_t left = 0;
    do {
      left = ZSTD_compressStream2(context_.get(), &out, &in, op);
      if (ZSTD_isError(left)) return EncoderFailure(left);
    } while (out.pos < out.size && (in.pos < in.size || (op != ZSTD_e_continue && left != 0)));
    io.in_used = in.pos;
    io.out_used = out.pos;
    const bool drained = in.pos == in.size && (op == ZSTD_e_continue ? out.pos < out.size || out.size == 0 : left == 0);
    if (!drained) return Progress::kNeedOutput;
    ended_ = directive == Directive::kFinish;
    return ended_ ? Progress::kEnd : Progress::kNeedInput;
  }

  Status Reset() override {
    ended_ = false;
    const size_t code = ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only);
    return ZSTD_isError(code) ? EncoderFailure(code) : OkStatus();
  }

 private:
  std::unique_ptr<ZSTD_CCtx, FreeEncoder> context_;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<Transform>> NewEncoder(int level) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  if (context == nullptr) return OutOfMemory("zstd");
  std::unique_ptr<Transform> encoder = std::make_unique<Encoder>(context);
  for (const size_t code : {ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level),
                            ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)}) {
    if (ZSTD_isError(code)) return EncoderFailure(code);
  }
  return encoder;
}

uint64_t EncoderMemoryBytes(int level) {
  // What libzstd 1.5.4 estimates for a stream of unknown size, rounded up.
  static constexpr uint16_t kMiB[kLevelMax + 1] = {2,  2,  3,  4,  6,  7,  7,  10, 10, 18,  30, 30,
                                                   56, 56, 56, 72, 72, 72, 72, 96, 208, 400, 800};
  return uint64_t{kMiB[level]} << 20;
}

}  // namespace walrig::zstd
