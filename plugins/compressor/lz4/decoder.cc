#include "plugins/compressor/lz4/decoder.h"

#include <lz4frame.h>

#include <string>
#include <string_view>

#include "plugins/common/frame_head.h"

namespace walrig::lz4 {
namespace {

struct FreeDecoder {
  void operator()(LZ4F_dctx* context) const noexcept { LZ4F_freeDecompressionContext(context); }
};

Status Failure(size_t code) {
  const std::string_view name = LZ4F_getErrorName(code);
  const std::string text = "lz4: " + std::string(name);
  // The library's stable interface tells its errors apart by name only.
  if (name == "ERROR_allocation_failed") return OutOfMemory("lz4");
  return Corruption(text);
}

class Decoder final : public Transform {
 public:
  explicit Decoder(LZ4F_dctx* context) : context_(context) {}

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    while (io.out_used < io.out.size() && (io.in_used < io.in.size() || pending_)) {
      size_t in_bytes = io.in.size() - io.in_used;
      size_t out_bytes = io.out.size() - io.out_used;
      const size_t left = LZ4F_decompress(context_.get(), io.out.data() + io.out_used, &out_bytes,
                                          io.in.data() + io.in_used, &in_bytes, nullptr);
      if (LZ4F_isError(left)) return Failure(left);
      head_.See(io.in.subspan(io.in_used, in_bytes));
      io.in_used += in_bytes;
      io.out_used += out_bytes;
      pending_ = io.out_used == io.out.size() && left != 0;
      if (left == 0) {
        head_.Clear();
        complete_ = true;
      }
    }
    if (io.in_used < io.in.size() || pending_) return Progress::kNeedOutput;
    if (directive != Directive::kFinish) return Progress::kNeedInput;
    if (head_.empty() && complete_) return Progress::kEnd;
    if (head_.MayBe({0x04, 0x22, 0x4D, 0x18}, {0xFF, 0xFF, 0xFF, 0xFF}) || head_.MayBeSkippable()) {
      return Truncated("lz4: the stream ends early");
    }
    return Corruption("lz4: bytes after the end that are no frame");
  }

  Status Reset() override {
    LZ4F_resetDecompressionContext(context_.get());
    head_.Clear();
    complete_ = pending_ = false;
    return OkStatus();
  }

 private:
  std::unique_ptr<LZ4F_dctx, FreeDecoder> context_;
  FrameHead head_;         // of the frame that is being read; empty between frames
  bool complete_ = false;  // a frame was read to its end
  bool pending_ = false;   // the library may hold output for which there was no room
};

}  // namespace

Result<std::unique_ptr<Transform>> NewDecoder() {
  LZ4F_dctx* context = nullptr;
  const size_t code = LZ4F_createDecompressionContext(&context, LZ4F_VERSION);
  if (LZ4F_isError(code)) return Failure(code);
  return std::unique_ptr<Transform>(std::make_unique<Decoder>(context));
}

}  // namespace walrig::lz4
