#include "core/pipeline/decoding_source.h"

#include <utility>

namespace walrig {

DecodingSource::DecodingSource(std::unique_ptr<Source> stored, std::string name)
    : stored_(std::move(stored)), name_(std::move(name)) {}

Result<std::unique_ptr<DecodingSource>> DecodingSource::New(const Codec& codec, std::unique_ptr<Source> stored,
                                                            std::string name) {
  std::unique_ptr<DecodingSource> source(new DecodingSource(std::move(stored), std::move(name)));
  if (codec.cipher != nullptr) {
    WALRIG_ASSIGN(source->stages_[source->stage_count_].machine, codec.cipher->NewOpener());
    source->stage_count_++;
  }
  if (codec.compressor != nullptr) {
    WALRIG_ASSIGN(source->stages_[source->stage_count_].machine, codec.compressor->NewDecoder());
    source->stage_count_++;
  }
  for (size_t i = 0; i < source->stage_count_; i++) source->stages_[i].buffer = Buffer(kIoBufferBytes);
  return source;
}

Result<size_t> DecodingSource::ReadStored(const Context& ctx, MutableByteSpan buffer) {
  WALRIG_TRY(ctx.Poll());
  Result<size_t> got = stored_->Read(ctx, buffer);
  if (!got.ok()) return std::move(got).status().With(name_);
  stored_bytes_ += *got;
  if (*got == 0 && stored_bytes_ == 0 && stage_count_ > 0) {
    return Truncated(name_ + ": the object is empty").Hint("nothing was stored under this name: the upload broke off");
  }
  return got;
}

// Gives the stage its next input, from the stage before it or from the stored object.
Status DecodingSource::Fill(const Context& ctx, size_t level) {
  Stage& stage = stages_[level];
  WALRIG_ASSIGN(const size_t got, level == 0 ? ReadStored(ctx, stage.buffer.span())
                                             : ReadStage(ctx, level - 1, stage.buffer.span()));
  stage.begin = 0;
  stage.end = got;
  stage.input_ended = got == 0;
  return OkStatus();
}

Result<size_t> DecodingSource::ReadStage(const Context& ctx, size_t level, MutableByteSpan buffer) {
  Stage& stage = stages_[level];
  size_t filled = 0;
  while (filled < buffer.size() && !stage.ended) {
    if (stage.begin == stage.end && !stage.input_ended) WALRIG_TRY(Fill(ctx, level));
    TransformIo io{.in = stage.buffer.first(stage.end).subspan(stage.begin), .out = buffer.subspan(filled)};
    const Directive directive = stage.input_ended ? Directive::kFinish : Directive::kRun;
    Result<Progress> progress = stage.machine->Process(io, directive);
    if (!progress.ok()) return std::move(progress).status().With(name_);
    if (io.in_used > io.in.size() || io.out_used > io.out.size()) {
      return Internal(name_ + ": a compressor or cipher used more than it was given");
    }
    stage.begin += io.in_used;
    filled += io.out_used;
    stage.ended = stage.input_ended && *progress == Progress::kEnd;
    const bool wants_more = *progress == Progress::kNeedInput && !stage.input_ended && stage.begin == stage.end;
    if (!stage.ended && !wants_more && io.in_used == 0 && io.out_used == 0) {
      return Internal(name_ + ": a compressor or cipher makes no progress");
    }
  }
  return filled;
}

Result<size_t> DecodingSource::Read(const Context& ctx, MutableByteSpan buffer) {
  if (stage_count_ > 0) return ReadStage(ctx, stage_count_ - 1, buffer);
  size_t filled = 0;
  while (filled < buffer.size()) {
    WALRIG_ASSIGN(const size_t got, ReadStored(ctx, buffer.subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

}  // namespace walrig
