#include "plugins/compressor/brotli/decoder.h"

#include <brotli/decode.h>

#include <string>

namespace walrig::brotli {
namespace {

struct DestroyState {
  void operator()(BrotliDecoderState* state) const noexcept { BrotliDecoderDestroyInstance(state); }
};

class Decoder final : public Transform {
 public:
  Result<Progress> Process(TransformIo& io, Directive directive) override {
    const bool finish = directive == Directive::kFinish;
    const uint8_t* in = io.in.data();
    size_t in_left = io.in.size();
    uint8_t* out = io.out.data();
    size_t out_left = io.out.size();
    BrotliDecoderResult result = BROTLI_DECODER_RESULT_SUCCESS;
    if (!BrotliDecoderIsFinished(state_.get())) {
      result = BrotliDecoderDecompressStream(state_.get(), &in_left, &in, &out_left, &out, nullptr);
    }
    io.in_used = io.in.size() - in_left;
    io.out_used = io.out.size() - out_left;
    switch (result) {
      case BROTLI_DECODER_RESULT_SUCCESS:
        if (in_left > 0) return Corruption("brotli: bytes after the end");
        return finish ? Progress::kEnd : Progress::kNeedInput;
      case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: return Progress::kNeedOutput;
      case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
        if (finish) return Truncated("brotli: the stream ends early");
        return Progress::kNeedInput;
      case BROTLI_DECODER_RESULT_ERROR: break;
    }
    return Failure();
  }

  // The library cannot begin anew with the same state.
  Status Reset() override {
    state_.reset(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
    return state_ == nullptr ? OutOfMemory("brotli") : OkStatus();
  }

 private:
  Status Failure() const {
    const BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state_.get());
    const std::string text = std::string("brotli: ") + BrotliDecoderErrorString(code);
    // The codes of failed allocations lie together (brotli/decode.h).
    const bool memory = code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                        code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
    return memory ? OutOfMemory("brotli") : Corruption(text);
  }

  std::unique_ptr<BrotliDecoderState, DestroyState> state_;
};

}  // namespace

Result<std::unique_ptr<Transform>> NewDecoder() {
  std::unique_ptr<Transform> decoder = std::make_unique<Decoder>();
  WALRIG_TRY(decoder->Reset());
  return decoder;
}

}  // namespace walrig::brotli
