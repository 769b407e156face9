#include "plugins/storage/azure/blob_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/text.h"

namespace walrig::azure {
namespace {

constexpr uint64_t kCheckedRangeBytesMax = 4u << 20;

class EmptySource final : public Source {
 public:
  Result<size_t> Read(const Context&, MutableByteSpan) override { return size_t{0}; }
};

class BlobReader final : public Source {
 public:
  // `checked`: the answer's MD5, if it has one, is of the bytes of this answer.
  BlobReader(std::unique_ptr<HttpStream> stream, std::string name, bool checked)
      : stream_(std::move(stream)), name_(std::move(name)) {
    if (checked) md5_wanted_ = stream_->Header("Content-MD5");
    if (!md5_wanted_.empty()) md5_.emplace(http::DigestKind::kMd5);
  }

  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    if (ended_) return size_t{0};
    Result<size_t> got = stream_->Read(ctx, buffer);
    if (!got.ok()) return std::move(got).status().With("read " + name_);
    if (*got == 0) {
      ended_ = true;
      WALRIG_TRY(Check());
    }
    if (md5_.has_value()) md5_->Update(ByteSpan(buffer).first(*got));
    return got;
  }

 private:
  Status Check() {
    const bool same = md5_wanted_.empty() || http::Base64Of(AsBytes(md5_->Final())) == md5_wanted_;
    md5_.reset();
    if (same) return OkStatus();
    return Corruption(fmt::format("read {}: the bytes are not those of the service's checksum", name_)).Retryable();
  }

  const std::unique_ptr<HttpStream> stream_;
  const std::string name_;
  std::string md5_wanted_;
  std::optional<http::Digester> md5_;
  bool ended_ = false;
};

struct Range {
  uint64_t first = 0;
  uint64_t last = UINT64_MAX;  // inclusive; UINT64_MAX: to the end
  bool whole() const { return first == 0 && last == UINT64_MAX; }
};

Range RangeOf(const GetOptions& options) {
  Range range{.first = options.offset};
  if (options.length != kUnknownSize && options.length <= UINT64_MAX - options.offset) {
    range.last = options.offset + options.length - 1;
  }
  return range;
}

// The answer must begin where the range does, or bytes would land in the wrong place.
Status CheckRange(const HttpStream& stream, const Range& range, const std::string& name) {
  uint64_t first = 0;
  if (stream.status() == 206) {
    std::string_view text = stream.Header("Content-Range");
    if (text.starts_with("bytes ")) text.remove_prefix(6);
    Result<uint64_t> begin = http::ParseDecimal(text.substr(0, text.find('-')));
    if (!begin.ok()) return ProtocolError("read " + name + ": an answer to a range without a Content-Range");
    first = *begin;
  }
  const std::string_view length_text = stream.Header("Content-Length");
  const Result<uint64_t> length = http::ParseDecimal(length_text);
  const bool longer = length.ok() && range.last != UINT64_MAX && *length > range.last - range.first + 1;
  if (first == range.first && !longer) return OkStatus();
  return ProtocolError("read " + name + ": the service answered with another range than was asked for");
}

}  // namespace

Result<ObjectInfo> InfoFromHeaders(const HttpHeaders& headers) {
  if (FindHeader(headers, "x-ms-resource-type") == "directory") return NotFound("a folder, not an object");
  const Result<uint64_t> size = http::ParseDecimal(FindHeader(headers, "Content-Length"));
  if (!size.ok()) return ProtocolError("an answer without a Content-Length");
  ObjectInfo info;
  info.size_bytes = *size;
  info.etag = FindHeader(headers, "ETag");
  const Result<int64_t> time = http::ParseHttpDate(FindHeader(headers, "Last-Modified"));
  if (time.ok()) info.mtime_ns = *time;
  return info;
}

Result<std::unique_ptr<Source>> OpenBlob(const Context& ctx, Service& service, const std::string& name,
                                         const GetOptions& options) {
  const bool nothing = options.length == 0;
  HttpRequest request = service.BlobRequest(nothing ? "HEAD" : "GET", name);
  request.total_timeout_ms = 0;  // a download lasts as long as its reader likes; a stall ends it
  const Range range = RangeOf(options);
  bool checked = false;
  if (!nothing && !range.whole()) {
    request.headers.emplace_back("x-ms-range", range.last == UINT64_MAX
                                                   ? fmt::format("bytes={}-", range.first)
                                                   : fmt::format("bytes={}-{}", range.first, range.last));
    checked = range.last != UINT64_MAX && range.last - range.first < kCheckedRangeBytesMax;
    if (checked) request.headers.emplace_back("x-ms-range-get-content-md5", "true");
  }
  if (!options.if_match_etag.empty()) request.headers.emplace_back("If-Match", options.if_match_etag);
  const std::string what = "read " + name;
  if (nothing) {
    WALRIG_ASSIGN(const HttpResponse response, service.Send(ctx, std::move(request), what));
    WALRIG_TRY(InfoFromHeaders(response.headers).status());
    return std::unique_ptr<Source>(std::make_unique<EmptySource>());
  }
  WALRIG_TRY(service.Authorize(ctx, &request));
  Result<std::unique_ptr<HttpStream>> stream = service.client().Open(ctx, request);
  if (!stream.ok()) return std::move(stream).status().With(what);
  const int status = (*stream)->status();
  if (status == 416) return std::unique_ptr<Source>(std::make_unique<EmptySource>());  // it begins beyond the end
  if (status != 200 && status != 206) {
    WALRIG_ASSIGN(const HttpResponse response, (*stream)->Drain(ctx));
    return service.ErrorOf(request, response, what);
  }
  service.credential().Accepted();
  if ((*stream)->Header("x-ms-resource-type") == "directory") return NotFound(what + ": a folder, not an object");
  WALRIG_TRY(CheckRange(**stream, range, name));
  return std::unique_ptr<Source>(std::make_unique<BlobReader>(std::move(*stream), name, checked || status == 200));
}

}  // namespace walrig::azure
