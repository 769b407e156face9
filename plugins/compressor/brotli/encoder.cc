#include "plugins/compressor/brotli/encoder.h"

#include <brotli/encode.h>

#include "plugins/compressor/brotli/guarded_memory.h"

namespace walrig::brotli {
namespace {

class Encoder final : public Transform {
 public:
  explicit Encoder(uint32_t quality) : quality_(quality) {}

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    const bool finish = directive == Directive::kFinish;
    BrotliEncoderOperation op = finish                            ? BROTLI_OPERATION_FINISH
                                : directive == Directive::kFlush ? BROTLI_OPERATION_FLUSH
                                                                 : BROTLI_OPERATION_PROCESS;
    if (state_ == nullptr) return OutOfMemory("brotli");
    if (BrotliEncoderIsFinished(state_) && !io.in.empty()) return InvalidArgument("brotli: input after the end");
    const uint8_t* in = io.in.data();
    size_t in_left = io.in.size();
    uint8_t* out = io.out.data();
    size_t out_left = io.out.size();
    bool good = true;
    const bool had_memory = memory_.Run([&] {
      do {
        good = BrotliEncoderCompressStream(state_, op, &in_left, &in, &out_left, &out, nullptr) != BROTLI_FALSE;
      } while (good && out_left > 0 && (in_left > 0 || BrotliEncoderHasMoreOutput(state_)));
    });
    if (!had_memory) {
      state_ = nullptr;
      return OutOfMemory("brotli");
    }
    if (!good) return Internal("brotli: the encoder failed");
    io.in_used = io.in.size() - in_left;
    io.out_used = io.out.size() - out_left;
    if (in_left > 0 || BrotliEncoderHasMoreOutput(state_)) return Progress::kNeedOutput;
    if (!finish) return Progress::kNeedInput;
    return BrotliEncoderIsFinished(state_) ? Progress::kEnd : Progress::kNeedOutput;
  }

  // The library cannot begin anew with the same state.
  Status Reset() override {
    memory_.FreeAll();
    state_ = nullptr;
    const bool had_memory = memory_.Run([this] {
      state_ = BrotliEncoderCreateInstance(GuardedMemory::Allocate, GuardedMemory::Free, &memory_);
    });
    if (!had_memory || state_ == nullptr) {
      state_ = nullptr;
      return OutOfMemory("brotli");
    }
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, quality_);
    return OkStatus();
  }

 private:
  const uint32_t quality_;
  GuardedMemory memory_;
  BrotliEncoderState* state_ = nullptr;  // stands in memory_, which frees it; null when memory ran out
};

}  // namespace

Result<std::unique_ptr<Transform>> NewEncoder(uint32_t quality) {
  std::unique_ptr<Transform> encoder = std::make_unique<Encoder>(quality);
  WALRIG_TRY(encoder->Reset());
  return encoder;
}

uint64_t EncoderMemoryBytes(uint32_t quality) {
  // Measured with the default window of 4 MiB, rounded up generously.
  static constexpr uint16_t kMiB[kQualityMax + 1] = {4, 4, 16, 16, 18, 18, 20, 28, 40, 64, 160, 160};
  return uint64_t{kMiB[quality]} << 20;
}

}  // namespace walrig::brotli
