#include "core/pipeline/upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/fd.h"

namespace walrig {

namespace {

PutOptions WithoutSize(PutOptions options) {
  options.size_bytes = kUnknownSize;
  return options;
}

// Asks before the commit whether what was written may become visible.
class AskingSink final : public Sink {
 public:
  AskingSink(std::unique_ptr<Sink> sink, const std::function<Status()>& ask) : sink_(std::move(sink)), ask_(ask) {}
  Status Write(const Context& ctx, ByteSpan bytes) override { return sink_->Write(ctx, bytes); }
  Status Commit(const Context& ctx) override {
    WALRIG_TRY(ask_());
    return sink_->Commit(ctx);
  }
  void Abort() noexcept override { sink_->Abort(); }

 private:
  const std::unique_ptr<Sink> sink_;
  const std::function<Status()>& ask_;
};

// Emits `length` bytes of a file from `offset`.
Status EmitRange(const Context& ctx, const FileRange& file, uint64_t offset, uint64_t length, const Emit& emit) {
  Buffer buffer(static_cast<size_t>(std::min<uint64_t>(length, kIoBufferBytes)));
  while (length > 0) {
    WALRIG_TRY(ctx.Poll());
    const auto want = static_cast<size_t>(std::min<uint64_t>(length, buffer.size()));
    WALRIG_ASSIGN(const size_t got, PreadSome(file.fd, buffer.span().first(want), offset, file.name));
    if (got == 0) {
      return Truncated(fmt::format("{} ends at byte {}; {} more were expected", file.name, offset, length));
    }
    WALRIG_TRY(emit(buffer.first(got)));
    offset += got;
    length -= got;
  }
  return OkStatus();
}

Status EmitSource(const Context& ctx, Source& source, const Emit& emit) {
  Buffer buffer(kIoBufferBytes);
  while (true) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(const size_t got, source.Read(ctx, buffer.span()));
    if (got == 0) return OkStatus();
    WALRIG_TRY(emit(buffer.first(got)));
  }
}

}  // namespace

Result<ObjectStats> PutEncoded(const Context& ctx, Storage& storage, std::string_view key, const Codec& codec,
                               Source& plain, const PutEncodedOptions& options) {
  WALRIG_ASSIGN(std::unique_ptr<Sink> sink, storage.Put(ctx, key, WithoutSize(options.put)));
  WALRIG_ASSIGN(std::unique_ptr<OrderedCompressor> object, OrderedCompressor::New(codec, std::move(sink), {}));
  WALRIG_TRY(object->Submit(
      ctx, [&plain](const Context& slice_ctx, const Emit& emit) { return EmitSource(slice_ctx, plain, emit); }));
  WALRIG_TRY(object->Finish(ctx));
  return object->stats();
}

Result<ObjectStats> PutEncodedFile(const Context& ctx, Storage& storage, std::string_view key, const Codec& codec,
                                   const FileRange& file, const PutEncodedOptions& options) {
  if (options.slice_bytes == 0) return InvalidArgument("a slice of no bytes was asked for");
  if (file.length > UINT64_MAX - file.offset) return InvalidArgument("a range beyond all files was asked for");
  WALRIG_ASSIGN(std::unique_ptr<Sink> sink, storage.Put(ctx, key, WithoutSize(options.put)));
  if (options.before_commit) sink = std::make_unique<AskingSink>(std::move(sink), options.before_commit);
  const bool parallel = codec.compressor == nullptr || codec.compressor->traits().concatenable;
  const uint64_t slice_bytes = parallel && options.workers > 1 ? options.slice_bytes : UINT64_MAX;
  OrderedCompressorOptions compressor;
  compressor.workers = file.length > slice_bytes ? options.workers : 1;
  WALRIG_ASSIGN(std::unique_ptr<OrderedCompressor> object, OrderedCompressor::New(codec, std::move(sink), compressor));
  for (uint64_t done = 0; done < file.length;) {
    const uint64_t length = std::min(slice_bytes, file.length - done);
    const uint64_t offset = file.offset + done;
    WALRIG_TRY(object->Submit(ctx, [&file, offset, length](const Context& slice_ctx, const Emit& emit) {
      return EmitRange(slice_ctx, file, offset, length, emit);
    }));
    done += length;
  }
  WALRIG_TRY(object->Finish(ctx));
  return object->stats();
}

}  // namespace walrig
