#include "core/pipeline/download.h"

#include <fmt/format.h>

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
