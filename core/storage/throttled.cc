#include "core/storage/throttled.h"

#include "core/io/throttle.h"

namespace walrig {

Result<std::unique_ptr<Source>> ThrottledStorage::Get(const Context& ctx, std::string_view key,
                                                      const GetOptions& options) {
  WALRIG_ASSIGN(std::unique_ptr<Source> source, inner().Get(ctx, key, options));
  return std::unique_ptr<Source>(std::make_unique<ThrottledSource>(std::move(source), download_));
}

Result<std::unique_ptr<Sink>> ThrottledStorage::Put(const Context& ctx, std::string_view key,
                                                    const PutOptions& options) {
  WALRIG_ASSIGN(std::unique_ptr<Sink> sink, inner().Put(ctx, key, options));
  return std::unique_ptr<Sink>(std::make_unique<ThrottledSink>(std::move(sink), upload_));
}

}  // namespace walrig
