#include "plugins/compressor/xz/machine.h"

#include <lzma.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace walrig::xz {
namespace {

constexpr uint32_t kWalgDictionaryBytes = 8u << 20;

lzma_options_lzma WalgOptions(uint32_t level) {
  lzma_options_lzma options{};
  lzma_lzma_preset(&options, level);
  options.dict_size = kWalgDictionaryBytes;
  options.lc = 3;
  options.lp = 0;
  options.pb = 2;
  return options;
}

Status Failure(lzma_ret code) {
  switch (code) {
    case LZMA_MEM_ERROR: return OutOfMemory("lzma");
    case LZMA_MEMLIMIT_ERROR: return TooLarge("lzma: the stream wants more memory than a decoder may hold");
    case LZMA_FORMAT_ERROR: return Corruption("lzma: not a stream of this format");
    case LZMA_OPTIONS_ERROR: return Corruption("lzma: the header asks for what the format does not have");
    case LZMA_DATA_ERROR: return Corruption("lzma: the data are damaged");
    default: return Internal("lzma: error " + std::to_string(static_cast<int>(code)));
  }
}

struct Kind {
  bool encodes = false;
  bool can_flush = false;  // LZMA_SYNC_FLUSH works
  std::function<lzma_ret(lzma_stream*)> start;
};

class Machine final : public Transform {
 public:
  explicit Machine(Kind kind) : kind_(std::move(kind)) {}
  ~Machine() override { lzma_end(&stream_); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    if (ended_ && !io.in.empty()) {
      return kind_.encodes ? InvalidArgument("lzma: input after the end") : Corruption("lzma: bytes after the end");
    }
    if (ended_) return directive == Directive::kFinish ? Progress::kEnd : Progress::kNeedInput;
    stream_.next_in = io.in.data();
    stream_.avail_in = io.in.size();
    stream_.next_out = io.out.data();
    stream_.avail_out = io.out.size();
    Result<Progress> progress = Step(Action(directive), directive);
    io.in_used = io.in.size() - stream_.avail_in;
    io.out_used = io.out.size() - stream_.avail_out;
    return progress;
  }

  Status Reset() override {
    ended_ = false;
    const lzma_ret code = kind_.start(&stream_);
    return code == LZMA_OK ? OkStatus() : Failure(code);
  }

 private:
  lzma_action Action(Directive directive) const {
    if (directive == Directive::kFinish) return LZMA_FINISH;
    return directive == Directive::kFlush && kind_.can_flush ? LZMA_SYNC_FLUSH : LZMA_RUN;
  }

  Result<Progress> Step(lzma_action action, Directive directive) {
    while (true) {
      const lzma_ret code = lzma_code(&stream_, action);
      if (code == LZMA_STREAM_END && action == LZMA_SYNC_FLUSH) return Progress::kNeedInput;
      if (code == LZMA_STREAM_END) return End(directive);
      // No progress was possible: no room, or no input.
      if (code != LZMA_OK && code != LZMA_BUF_ERROR) return Failure(code);
      if (stream_.avail_out == 0) {
        if (directive == Directive::kRun && kind_.encodes && stream_.avail_in == 0 && code == LZMA_BUF_ERROR) {
          return Progress::kNeedInput;
        }
        return Progress::kNeedOutput;
      }
      if (code == LZMA_OK && (stream_.avail_in > 0 || action != LZMA_RUN)) continue;
      if (stream_.avail_in > 0) return Internal("lzma: the library does not take its input");
      if (directive == Directive::kFinish) return Truncated("lzma: the stream ends early");
      return Progress::kNeedInput;
    }
  }

  Result<Progress> End(Directive directive) {
    ended_ = true;
    if (stream_.avail_in > 0) return Corruption("lzma: bytes after the end");
    return directive == Directive::kFinish ? Progress::kEnd : Progress::kNeedInput;
  }

  Kind kind_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ended_ = false;
};

Result<std::unique_ptr<Transform>> New(Kind kind) {
  std::unique_ptr<Transform> machine = std::make_unique<Machine>(std::move(kind));
  WALRIG_TRY(machine->Reset());
  return machine;
}

}  // namespace

Result<std::unique_ptr<Transform>> NewXzEncoder(uint32_t level) {
  return New({.encodes = true, .can_flush = true, .start = [level](lzma_stream* stream) {
                return lzma_easy_encoder(stream, level, LZMA_CHECK_CRC64);
              }});
}

uint64_t XzEncoderMemoryBytes(uint32_t level) { return lzma_easy_encoder_memusage(level); }

Result<std::unique_ptr<Transform>> NewXzDecoder() {
  return New({.start = [](lzma_stream* stream) {
    return lzma_stream_decoder(stream, kDecoderMemoryBytes, LZMA_CONCATENATED);
  }});
}

Result<std::unique_ptr<Transform>> NewLzmaEncoder(uint32_t level) {
  return New({.encodes = true, .start = [level](lzma_stream* stream) {
                const lzma_options_lzma options = WalgOptions(level);
                return lzma_alone_encoder(stream, &options);
              }});
}

uint64_t LzmaEncoderMemoryBytes(uint32_t level) {
  lzma_options_lzma options = WalgOptions(level);
  const lzma_filter filters[] = {{LZMA_FILTER_LZMA1, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  return lzma_raw_encoder_memusage(filters);
}

Result<std::unique_ptr<Transform>> NewLzmaDecoder() {
  return New({.start = [](lzma_stream* stream) { return lzma_alone_decoder(stream, kDecoderMemoryBytes); }});
}

}  // namespace walrig::xz
