#include "core/pipeline/download.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/io/limited.h"
#include "core/pipeline/decoding_source.h"

namespace walrig {

Result<std::unique_ptr<Source>> OpenDecoded(const Context& ctx, Storage& storage, std::string_view key,
                                            const Codec& codec) {
  WALRIG_ASSIGN(std::unique_ptr<Source> stored, storage.Get(ctx, key, {}));
  WALRIG_ASSIGN(std::unique_ptr<DecodingSource> plain, DecodingSource::New(codec, std::move(stored), std::string(key)));
  return std::unique_ptr<Source>(std::move(plain));
}

Result<std::string> ReadDecoded(const Context& ctx, Storage& storage, std::string_view key, const Codec& codec,
                                uint64_t bytes_max) {
  WALRIG_ASSIGN(std::unique_ptr<Source> plain, OpenDecoded(ctx, storage, key, codec));
  std::string bytes;
  Buffer buffer(kIoBufferBytes);
  while (true) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(const size_t got, plain->Read(ctx, buffer.span()));
    if (got == 0) return bytes;
    if (got > bytes_max - bytes.size()) return TooLarge(fmt::format("{} has more than {} bytes", key, bytes_max));
    bytes.append(AsText(buffer.first(got)));
  }
}

namespace {

// Reads `bytes` and drops them; fewer when the source ends before.
Status Skip(const Context& ctx, Source& source, uint64_t bytes) {
  Buffer buffer(static_cast<size_t>(std::min<uint64_t>(bytes, kIoBufferBytes)));
  while (bytes > 0) {
    WALRIG_ASSIGN(const size_t got, source.Read(ctx, buffer.span().first(static_cast<size_t>(std::min<uint64_t>(bytes, buffer.size())))));
    if (got == 0) break;
    bytes -= got;
  }
  return OkStatus();
}

Result<std::string> ReadHead(const Context& ctx, Storage& storage, std::string_view key, const std::string& etag) {
  WALRIG_ASSIGN(const std::unique_ptr<Source> source,
                storage.Get(ctx, key, {.offset = 0, .length = kRangeHeadBytes, .if_match_etag = etag}));
  Buffer buffer(kRangeHeadBytes);
  size_t filled = 0;
  while (filled < buffer.size()) {
    WALRIG_ASSIGN(const size_t got, source->Read(ctx, buffer.span().subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  return std::string(AsText(buffer.first(filled)));
}

}  // namespace

Result<std::unique_ptr<Source>> OpenRange(const Context& ctx, Storage& storage, std::string_view key, Cipher* cipher,
                                          uint64_t offset, uint64_t length) {
  if (length == 0) return InvalidArgument(fmt::format("{}: a range of no bytes", key));
  WALRIG_ASSIGN(const ObjectInfo info, storage.Stat(ctx, key));
  SealedRange range{.offset = offset, .length = length, .skip = 0};
  std::unique_ptr<Transform> machine;
  if (cipher != nullptr) {
    WALRIG_ASSIGN(const std::string head, ReadHead(ctx, storage, key, info.etag));
    Result<std::unique_ptr<Transform>> made = cipher->NewRangeOpener(AsBytes(head), offset, length, &range);
    if (!made.ok()) return std::move(made).status().With(std::string(key));
    machine = std::move(*made);
  }
  if (range.offset >= info.size_bytes) return InvalidArgument(fmt::format("{}: the range begins behind its end", key));
  const GetOptions part{.offset = range.offset, .length = std::min(range.length, info.size_bytes - range.offset),
                        .if_match_etag = info.etag};
  WALRIG_ASSIGN(std::unique_ptr<Source> source, storage.Get(ctx, key, part));
  if (machine == nullptr) return source;
  source = DecodingSource::Through(std::move(machine), std::move(source), std::string(key));
  WALRIG_TRY(Skip(ctx, *source, range.skip));
  return std::unique_ptr<Source>(std::make_unique<LimitedSource>(std::move(source), length, LimitPolicy::kCut));
}

Result<uint64_t> CopyAll(const Context& ctx, Source& source, Sink& sink, uint64_t bytes_max) {
  Buffer buffer(kIoBufferBytes);
  uint64_t copied = 0;
  while (true) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(const size_t got, source.Read(ctx, buffer.span()));
    if (got == 0) return copied;
    if (got > bytes_max - copied) return TooLarge(fmt::format("there are more than {} bytes", bytes_max));
    WALRIG_TRY(sink.Write(ctx, buffer.first(got)));
    copied += got;
  }
}

}  // namespace walrig
