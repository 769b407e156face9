#include "plugins/compressor/lz4/encoder.h"

#include <lz4frame.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace walrig::lz4 {
namespace {

constexpr size_t kBlockBytes = 256 * 1024;

struct FreeEncoder {
  void operator()(LZ4F_cctx* context) const noexcept { LZ4F_freeCompressionContext(context); }
};

LZ4F_preferences_t Preferences(int level) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max256KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  preferences.compressionLevel = level;
  return preferences;
}

// The library wants room for the worst case at once; `held_` takes what the caller has no room for.
// The stable part of liblz4 has names of errors only.
Status EncoderFailure(size_t code) {
  const std::string name = LZ4F_getErrorName(code);
  return name == "ERROR_allocation_failed" ? OutOfMemory("lz4") : Internal("lz4: " + name);
}

class Encoder final : public Transform {
 public:
  Encoder(LZ4F_cctx* context, int level)
      : context_(context), preferences_(Preferences(level)), held_(LZ4F_compressBound(kBlockBytes, &preferences_)) {}

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    io_ = &io;
    Drain();
    if (!begun_ && HeldNothing()) {
      WALRIG_TRY(Produce(LZ4F_HEADER_SIZE_MAX, [&](void* to, size_t room) {
        return LZ4F_compressBegin(context_.get(), to, room, &preferences_);
      }));
      begun_ = true;
    }
    if (ended_ && io.in_used < io.in.size()) return InvalidArgument("lz4: input after the end");
    while (HeldNothing() && io.in_used < io.in.size()) {
      const ByteSpan piece = io.in.subspan(io.in_used, std::min(kBlockBytes, io.in.size() - io.in_used));
      WALRIG_TRY(Produce(held_.size(), [&](void* to, size_t room) {
        return LZ4F_compressUpdate(context_.get(), to, room, piece.data(), piece.size(), nullptr);
      }));
      io.in_used += piece.size();
      clean_ = false;
    }
    if (HeldNothing() && directive == Directive::kFlush && !clean_) {
      WALRIG_TRY(Produce(held_.size(), [&](void* to, size_t room) {
        return LZ4F_flush(context_.get(), to, room, nullptr);
      }));
      clean_ = true;
    }
    if (HeldNothing() && directive == Directive::kFinish && !ended_) {
      WALRIG_TRY(Produce(held_.size(), [&](void* to, size_t room) {
        return LZ4F_compressEnd(context_.get(), to, room, nullptr);
      }));
      ended_ = true;
    }
    if (!HeldNothing()) return Progress::kNeedOutput;
    return ended_ ? Progress::kEnd : Progress::kNeedInput;
  }

  Status Reset() override {
    begun_ = ended_ = false;
    clean_ = true;
    held_begin_ = held_end_ = 0;
    return OkStatus();
  }

 private:
  bool HeldNothing() const { return held_begin_ == held_end_; }

  void Drain() {
    const size_t n = std::min(held_end_ - held_begin_, io_->out.size() - io_->out_used);
    if (n != 0) std::memcpy(io_->out.data() + io_->out_used, held_.data() + held_begin_, n);
    held_begin_ += n;
    io_->out_used += n;
  }

  // Calls the library with the caller's room when that suffices for certain, else with ours.
  template <typename Call>
  Status Produce(size_t room_bytes, Call call) {
    const MutableByteSpan out = io_->out.subspan(io_->out_used);
    const bool direct = out.size() >= room_bytes;
    const size_t n = direct ? call(out.data(), out.size()) : call(held_.data(), held_.size());
    if (LZ4F_isError(n)) return EncoderFailure(n);
    if (direct) {
      io_->out_used += n;
    } else {
      held_begin_ = 0;
      held_end_ = n;
      Drain();
    }
    return OkStatus();
  }

  std::unique_ptr<LZ4F_cctx, FreeEncoder> context_;
  const LZ4F_preferences_t preferences_;
  Buffer held_;
  size_t held_begin_ = 0, held_end_ = 0;
  TransformIo* io_ = nullptr;  // of the running call
  bool begun_ = false, ended_ = false;
  bool clean_ = true;  // nothing came since the last flush
};

}  // namespace

Result<std::unique_ptr<Transform>> NewEncoder(int level) {
  LZ4F_cctx* context = nullptr;
  const size_t code = LZ4F_createCompressionContext(&context, LZ4F_VERSION);
  if (LZ4F_isError(code)) return EncoderFailure(code);
  return std::unique_ptr<Transform>(std::make_unique<Encoder>(context, level));
}

}  // namespace walrig::lz4
