#include "core/pipeline/decoding_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace walrig {

DecodingSource::DecodingSource(const Codec& codec, std::unique_ptr<Source> stored, std::string name)
    : codec_(codec), stored_(std::move(stored)), name_(std::move(name)) {}

Result<std::unique_ptr<DecodingSource>> DecodingSource::New(const Codec& codec, std::unique_ptr<Source> stored,
                                                            std::string name) {
  std::unique_ptr<DecodingSource> source(new DecodingSource(codec, std::move(stored), std::move(name)));
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

std::unique_ptr<DecodingSource> DecodingSource::Through(std::unique_ptr<Transform> machine, std::unique_ptr<Source> stored,
                                                        std::string name) {
  std::unique_ptr<DecodingSource> source(new DecodingSource({}, std::move(stored), std::move(name)));
  source->looked_ = true;  // what a part of an object begins with tells nothing
  source->stages_[0].machine = std::move(machine);
  source->stages_[0].buffer = Buffer(kIoBufferBytes);
  source->stage_count_ = 1;
  return source;
}

Status DecodingSource::Look(const Context& ctx) {
  looked_ = true;
  head_.resize(kObjectHeadBytes);
  size_t filled = 0;
  while (filled < head_.size() && !stored_ended_) {
    WALRIG_TRY(ctx.Poll());
    const Result<size_t> got =
        stored_->Read(ctx, {reinterpret_cast<uint8_t*>(head_.data()) + filled, head_.size() - filled});
    if (!got.ok()) return Status(got.status()).With(name_);
    filled += *got;
    stored_ended_ = *got == 0;
  }
  head_.resize(filled);
  stored_bytes_ = filled;
  if (filled == 0 && stage_count_ > 0) {
    return Truncated(name_ + ": the object is empty").Hint("nothing was stored under this name: the upload broke off");
  }
  form_ = FormOfObject(AsBytes(head_));
  if (codec_.cipher == nullptr && form_ == ObjectForm::kGcrypt) {
    return PermissionDenied(name_ + ": the object was encrypted by cipher gcrypt, and no cipher is configured")
        .Hint("set WALRIG_GCRYPT_KEY_FILE, or give --cipher=gcrypt,key_file=FILE");
  }
  if (codec_.cipher == nullptr || !codec_.plaintext_allowed) return OkStatus();
  const std::string& cipher = codec_.cipher->name();
  const bool not_its_own = CipherHasForm(cipher) && CipherOfForm(form_).empty();
  if (IsPlainForm(form_) || not_its_own) DropOpener();
  return OkStatus();
}

void DecodingSource::DropOpener() {
  stages_[0] = std::move(stages_[1]);
  stages_[1] = Stage();
  stage_count_--;
}

// Says what the object is when the first machine could make nothing of it.
Status DecodingSource::Explain(Status status) const {
  const bool damage = status.code() == Code::kCorruption || status.code() == Code::kTruncated;
  if (any_plain_ || !damage || form_ == ObjectForm::kUnknown) return std::move(status).With(name_);
  const std::string found = name_ + ": it begins as " + std::string(FormName(form_));
  const std::string_view writer = CipherOfForm(form_);
  if (codec_.cipher == nullptr && !IsPlainForm(form_)) {
    return PermissionDenied(found + ", and no cipher is configured").Hint("set the key that it was encrypted with");
  }
  if (codec_.cipher == nullptr || writer == codec_.cipher->name()) return std::move(status).With(name_);
  const std::string& cipher = codec_.cipher->name();
  if (!IsPlainForm(form_)) {
    return Corruption(found + ", and was not written by cipher " + cipher)
        .Hint(writer.empty() ? std::string("cipher " + cipher + " is what is configured") : "read it with --cipher=" + std::string(writer));
  }
  return Corruption(found + " and is not encrypted, while cipher " + cipher + " is configured")
      .Hint("WALRIG_ALLOW_PLAINTEXT=true reads objects of the time before encryption");
}

Result<size_t> DecodingSource::ReadStored(const Context& ctx, MutableByteSpan buffer) {
  WALRIG_TRY(ctx.Poll());
  const size_t kept = std::min(head_.size(), buffer.size());
  if (kept != 0) {
    std::memcpy(buffer.data(), head_.data(), kept);
    head_.erase(0, kept);
  }
  if (stored_ended_ || kept == buffer.size()) return kept;
  Result<size_t> got = stored_->Read(ctx, buffer.subspan(kept));
  if (!got.ok()) return std::move(got).status().With(name_);
  stored_ended_ = *got == 0;
  stored_bytes_ += *got;
  return kept + *got;
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
    if (!progress.ok()) {
      if (level == 0) return Explain(std::move(progress).status());
      return std::move(progress).status().With(name_);
    }
    if (io.in_used > io.in.size() || io.out_used > io.out.size()) {
      return Internal(name_ + ": a compressor or cipher used more than it was given");
    }
    stage.begin += io.in_used;
    filled += io.out_used;
    any_plain_ = any_plain_ || io.out_used > 0;
    stage.ended = stage.input_ended && *progress == Progress::kEnd;
    const bool wants_more = *progress == Progress::kNeedInput && !stage.input_ended && stage.begin == stage.end;
    if (!stage.ended && !wants_more && io.in_used == 0 && io.out_used == 0) {
      return Internal(name_ + ": a compressor or cipher makes no progress");
    }
  }
  return filled;
}

Result<size_t> DecodingSource::Read(const Context& ctx, MutableByteSpan buffer) {
  if (!looked_) WALRIG_TRY(Look(ctx));
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
