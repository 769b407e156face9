#include "plugins/compressor/gzip/decoder.h"

#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string>

#include "plugins/common/frame_head.h"

namespace walrig::gzip {
namespace {

constexpr int kGzipOnly = 15 + 16;  // the full window, gzip header and trailer
constexpr size_t kStepBytesMax = std::numeric_limits<uInt>::max();

class Decoder final : public Transform {
 public:
  ~Decoder() override { inflateEnd(&stream_); }

  Status Start() {
    const int code = inflateInit2(&stream_, kGzipOnly);
    return code == Z_OK ? OkStatus() : OutOfMemory("gzip");
  }

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    while (io.out_used < io.out.size() && (io.in_used < io.in.size() || pending_)) {
      if (between_ && complete_) inflateReset(&stream_);
      WALRIG_TRY(Step(io));
    }
    if (io.in_used < io.in.size() || pending_) return Progress::kNeedOutput;
    if (directive != Directive::kFinish) return Progress::kNeedInput;
    if (between_ && complete_) return Progress::kEnd;
    if (head_.MayBe({0x1F, 0x8B, 0x08, 0x00}, {0xFF, 0xFF, 0xFF, 0xE0})) {
      return Truncated("gzip: the stream ends early");
    }
    return Corruption("gzip: bytes after the end that are no member");
  }

  Status Reset() override {
    head_.Clear();
    between_ = true;
    complete_ = pending_ = false;
    return inflateReset(&stream_) == Z_OK ? OkStatus() : Internal("gzip: reset failed");
  }

 private:
  Status Step(TransformIo& io) {
    const ByteSpan in = io.in.subspan(io.in_used).first(std::min(io.in.size() - io.in_used, kStepBytesMax));
    const size_t room = std::min(io.out.size() - io.out_used, kStepBytesMax);
    stream_.next_in = in.data();
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = io.out.data() + io.out_used;
    stream_.avail_out = static_cast<uInt>(room);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      if (code == Z_MEM_ERROR) return OutOfMemory("gzip");
      return Corruption(std::string("gzip: ") + (stream_.msg != nullptr ? stream_.msg : "damaged data"));
    }
    const size_t taken = in.size() - stream_.avail_in;
    head_.See(in.first(taken));
    io.in_used += taken;
    io.out_used += room - stream_.avail_out;
    between_ = code == Z_STREAM_END;
    if (between_) {
      complete_ = true;
      head_.Clear();
    }
    pending_ = !between_ && stream_.avail_out == 0;
    return OkStatus();
  }

  z_stream stream_{};
  FrameHead head_;         // of the member that is being read
  bool between_ = true;    // no member is being read
  bool complete_ = false;  // a member was read to its end
  bool pending_ = false;   // the library may hold output for which there was no room
};

}  // namespace

Result<std::unique_ptr<Transform>> NewDecoder() {
  auto decoder = std::make_unique<Decoder>();
  WALRIG_TRY(decoder->Start());
  return std::unique_ptr<Transform>(std::move(decoder));
}

}  // namespace walrig::gzip
