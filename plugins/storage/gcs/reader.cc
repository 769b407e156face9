#include "plugins/storage/gcs/reader.h"

#include <fmt/format.h>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/text.h"

namespace walrig::gcs {
namespace {

class EmptySource final : public Source {
 public:
  Result<size_t> Read(const Context& ctx, MutableByteSpan) override {
    WALRIG_TRY(sdk::PollStop(ctx));
    return size_t{0};
  }
};

class Reader final : public Source {
 public:
  Reader(std::unique_ptr<HttpStream> stream, std::string name, std::optional<uint32_t> crc32c)
      : stream_(std::move(stream)), name_(std::move(name)), want_(crc32c) {}

  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    Result<size_t> got = stream_->Read(ctx, buffer);
    if (!got.ok()) return std::move(got).status().With("get " + name_);
    if (!want_.has_value()) return got;
    if (*got > 0) {
      crc32c_ = http::Crc32c(crc32c_, ByteSpan(buffer.data(), *got));
    } else if (crc32c_ != *want_) {
      return Corruption(fmt::format("get {}: the bytes have the CRC-32C {:08x}, the server says {:08x}", name_, crc32c_, *want_));
    }
    return got;
  }

 private:
  std::unique_ptr<HttpStream> stream_;
  const std::string name_;
  const std::optional<uint32_t> want_;
  uint32_t crc32c_ = 0;
};

std::string RangeOf(const GetOptions& options) {
  if (options.offset == 0 && options.length == kUnknownSize) return "";
  const bool to_end = options.length > UINT64_MAX - options.offset || options.length == kUnknownSize;
  if (to_end || options.offset + options.length > INT64_MAX) return fmt::format("bytes={}-", options.offset);
  return fmt::format("bytes={}-{}", options.offset, options.offset + options.length - 1);
}

// Nothing is wanted, but whether the object is there, and is the one that was meant, is still to be said.
Result<std::unique_ptr<Source>> OpenNothing(const Context& ctx, Client& client, const std::string& name, const GetOptions& options) {
  WALRIG_ASSIGN(const HttpRequest request, client.Request(ctx, "GET", client.ObjectUrl(name), Csek::kObject));
  WALRIG_ASSIGN(const HttpResponse answer, client.Send(ctx, request, "get " + name));
  WALRIG_ASSIGN(const RemoteObject object, ParseObject(answer.body));
  if (!options.if_match_etag.empty() && object.info.etag != options.if_match_etag) {
    return PreconditionFailed(fmt::format("get {}: it was replaced", name));
  }
  return std::unique_ptr<Source>(std::make_unique<EmptySource>());
}

}  // namespace

Result<std::unique_ptr<Source>> OpenReader(const Context& ctx, Client& client, const std::string& name, const GetOptions& options) {
  if (!options.if_match_etag.empty() && !http::ParseDecimal(options.if_match_etag).ok()) {
    return PreconditionFailed(fmt::format("get {}: '{}' is no generation", name, PrintableLine(options.if_match_etag, 40)));
  }
  if (options.length == 0 || options.offset > INT64_MAX) return OpenNothing(ctx, client, name, options);
  std::string url = client.ObjectUrl(name) + "?alt=media";
  if (!options.if_match_etag.empty()) url += "&ifGenerationMatch=" + options.if_match_etag;
  WALRIG_ASSIGN(HttpRequest request, client.Request(ctx, "GET", std::move(url), Csek::kObject));
  const std::string range = RangeOf(options);
  if (!range.empty()) request.headers.emplace_back("Range", range);

  Result<std::unique_ptr<HttpStream>> opened = client.http().Open(ctx, request);
  if (!opened.ok()) return std::move(opened).status().With("get " + name);
  std::unique_ptr<HttpStream> stream = std::move(opened).value();
  const int status = stream->status();
  // Beyond the end: the range is cut to nothing. The metadata tell whether it is the object that was meant.
  if (status == 416) return OpenNothing(ctx, client, name, options);
  if (status != 200 && status != 206) {
    WALRIG_ASSIGN(const HttpResponse rest, stream->Drain(ctx));
    return client.Missing(ctx, client.ErrorOf(request, status, rest.headers, rest.body, "get " + name));
  }
  if (status == 200 && !range.empty() && options.offset > 0) {
    return ProtocolError(fmt::format("get {}: the server ignores the range", name));
  }
  const std::string_view generation = stream->Header("x-goog-generation");
  if (!options.if_match_etag.empty() && !generation.empty() && generation != options.if_match_etag) {
    return PreconditionFailed(fmt::format("get {}: it was replaced", name));
  }
  // The server's checksum is that of the whole object as it is stored.
  std::optional<uint32_t> crc32c;
  if (status == 200 && range.empty() && stream->Header("Content-Encoding").empty()) crc32c = HashHeaderCrc32c(stream->headers());
  return std::unique_ptr<Source>(std::make_unique<Reader>(std::move(stream), name, crc32c));
}

}  // namespace walrig::gcs
