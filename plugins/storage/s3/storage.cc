#include "plugins/storage/s3/storage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/document.h"
#include "plugins/common/http/response.h"
#include "plugins/storage/s3/reader.h"
#include "plugins/storage/s3/writer.h"

namespace walrig::s3 {
namespace {

constexpr size_t kKeyBytesMax = 1024;
constexpr uint64_t kOffsetMax = INT64_MAX;

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3
                          : lead >= 0xf0 && lead < 0xf5                 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return false;
    uint32_t code = length == 1 ? lead : lead & (0xffu >> (length + 1));
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      code = (code << 6) | (next & 0x3f);
    }
    const bool longer_than_needed = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    if (longer_than_needed || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff || code == 0xfffe || code == 0xffff) return false;
    i += length;
  }
  return true;
}

Result<ObjectInfo> InfoOf(std::string_view key, const HttpHeaders& headers) {
  ObjectInfo info;
  info.key = key;
  const Result<uint64_t> size = http::ParseDecimal(FindHeader(headers, "Content-Length"));
  if (!size.ok()) return ProtocolError(fmt::format("stat {}: an answer without a size", key));
  info.size_bytes = *size;
  info.etag = FindHeader(headers, "ETag");
  const Result<int64_t> mtime = http::ParseHttpDate(FindHeader(headers, "Last-Modified"));
  if (mtime.ok()) info.mtime_ns = *mtime;
  return info;
}

// "bytes 5-9/100": where the part begins and the object ends.
Status CheckRange(std::string_view header, uint64_t offset, std::string_view key) {
  constexpr std::string_view kBytes = "bytes ";
  const size_t dash = header.find('-');
  if (header.substr(0, kBytes.size()) == kBytes && dash != std::string_view::npos) {
    const Result<uint64_t> first = http::ParseDecimal(header.substr(kBytes.size(), dash - kBytes.size()));
    if (first.ok() && *first == offset) return OkStatus();
  }
  return ProtocolError(fmt::format("get {}: the server gives another range than was asked for", key));
}

}  // namespace

Status CheckKey(std::string_view folder, std::string_view key) {
  const auto bad = [&](std::string_view why) {
    return NameInvalid(fmt::format("S3 cannot hold {}: {}", PrintableLine(key), why));
  };
  if (key.empty()) return bad("the name is empty");
  if (folder.size() + key.size() > kKeyBytesMax) return bad("more than 1024 bytes with the prefix");
  if (std::any_of(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    return bad("a control byte");
  }
  if (!IsUtf8(key)) return bad("not UTF-8");
  for (size_t from = 0; from <= key.size();) {
    const size_t end = std::min(key.find('/', from), key.size());
    const std::string_view part = key.substr(from, end - from);
    if (part.empty() || part == "." || part == "..") return bad("an empty part, or '.' or '..'");
    from = end + 1;
  }
  return OkStatus();
}

Result<std::unique_ptr<Storage>> S3Storage::Open(Settings settings) {
  WALRIG_ASSIGN(std::unique_ptr<S3Client> client, S3Client::New(std::move(settings)));
  return std::unique_ptr<Storage>(new S3Storage(std::move(client)));
}

StorageCapabilities S3Storage::capabilities() const {
  StorageCapabilities caps = kCapabilities;
  caps.put_if_absent = client_->settings().put_if_absent;
  return caps;
}

// A missing bucket is no missing object: taken for one, an archive would look empty.
Status S3Storage::Missing(const Context& ctx, Status status) {
  if (status.code() != Code::kNotFound) return status;
  WALRIG_TRY(client_->CheckBucket(ctx));
  return status;
}

Result<HttpHeaders> S3Storage::Head(const Context& ctx, std::string_view key) {
  S3Request request;
  request.method = "HEAD";
  request.key = Whole(key);
  request.headers = CustomerKeyHeaders(client_->settings());
  request.what = fmt::format("stat {}", key);
  Result<HttpResponse> response = client_->Send(ctx, request);
  if (!response.ok()) return Missing(ctx, std::move(response).status());
  return std::move(response->headers);
}

Result<ObjectInfo> S3Storage::Stat(const Context& ctx, std::string_view key) {
  WALRIG_TRY(CheckKey(client_->settings().folder, key));
  WALRIG_ASSIGN(const HttpHeaders headers, Head(ctx, key));
  return InfoOf(key, headers);
}

Result<std::unique_ptr<Source>> S3Storage::Get(const Context& ctx, std::string_view key, const GetOptions& options) {
  WALRIG_TRY(CheckKey(client_->settings().folder, key));
  const bool whole = options.offset == 0 && options.length == kUnknownSize;
  if (options.length == 0) {
    WALRIG_ASSIGN(const ObjectInfo info, Stat(ctx, key));
    if (!options.if_match_etag.empty() && info.etag != options.if_match_etag) {
      return PreconditionFailed(fmt::format("{} is another object by now", key));
    }
    return std::unique_ptr<Source>(std::make_unique<NoBytes>());
  }
  S3Request request;
  request.key = Whole(key);
  request.headers = CustomerKeyHeaders(client_->settings());
  request.what = fmt::format("get {}", key);
  if (!options.if_match_etag.empty()) request.headers.emplace_back("If-Match", options.if_match_etag);
  if (!whole) {
    // Servers that cannot parse a number take the whole header for none.
    const uint64_t first = std::min(options.offset, kOffsetMax);
    const bool to_end = options.length > kOffsetMax - first;
    request.headers.emplace_back("Range", to_end ? fmt::format("bytes={}-", first)
                                                 : fmt::format("bytes={}-{}", first, first + options.length - 1));
  } else if (client_->settings().checksum) {
    request.headers.emplace_back("x-amz-checksum-mode", "ENABLED");
  }
  Result<std::unique_ptr<HttpStream>> stream = client_->Open(ctx, request);
  if (!stream.ok()) {
    // Past the end of an object that is there.
    if (stream.status().detail().native_code == 416) return std::unique_ptr<Source>(std::make_unique<NoBytes>());
    return Missing(ctx, std::move(stream).status());
  }
  if (!whole && (*stream)->status() == 206) {
    WALRIG_TRY(CheckRange((*stream)->Header("Content-Range"), options.offset, key));
  } else if (options.offset != 0 || options.length != kUnknownSize) {
    return ProtocolError(fmt::format("get {}: the server does not know ranges", key));
  }
  const Result<uint64_t> length = http::ParseDecimal((*stream)->Header("Content-Length"));
  if (!length.ok()) return ProtocolError(fmt::format("get {}: an answer without a length", key));
  std::string crc(whole ? (*stream)->Header("x-amz-checksum-crc32c") : std::string_view());
  return std::unique_ptr<Source>(std::make_unique<S3Reader>(*std::move(stream), std::string(key), std::move(crc),
                                                            std::min(*length, options.length), *length > options.length));
}

Result<std::unique_ptr<Sink>> S3Storage::Put(const Context& ctx, std::string_view key, const PutOptions& options) {
  WALRIG_TRY(CheckKey(client_->settings().folder, key));
  WALRIG_TRY(ctx.Poll());
  if (options.only_if_absent && !client_->settings().put_if_absent) {
    return NotSupported("put_if_absent is off: this server cannot promise that an object is made only once");
  }
  return std::unique_ptr<Sink>(std::make_unique<S3Writer>(*client_, Whole(key), options));
}

Result<ListPage> S3Storage::List(const Context& ctx, const ListOptions& options) {
  const std::string& folder = client_->settings().folder;
  const bool v1 = client_->settings().list_v1;
  ListPage page;
  if (!IsUtf8(options.prefix) || options.keys_max == 0) return page;
  S3Request request;
  request.query = {{"encoding-type", "url"}, {"max-keys", std::to_string(std::min<uint32_t>(options.keys_max, 1000))},
                   {"prefix", folder + options.prefix}};
  request.what = fmt::format("list {}", options.prefix);
  if (!v1) request.query.emplace_back("list-type", "2");
  if (!options.delimiter.empty()) request.query.emplace_back("delimiter", options.delimiter);
  if (!options.page_token.empty()) {
    request.query.emplace_back(v1 ? "marker" : "continuation-token", options.page_token);
  } else if (!options.start_after.empty()) {
    request.query.emplace_back(v1 ? "marker" : "start-after", folder + options.start_after);
  }
  WALRIG_ASSIGN(const HttpResponse response, client_->Send(ctx, request));
  WALRIG_ASSIGN(ListAnswer answer, ParseList(response.body, v1));
  for (ObjectInfo& info : answer.entries) {
    if (info.key.substr(0, folder.size()) != folder) return ProtocolError("the server lists what is not below the prefix");
    info.key.erase(0, folder.size());
    // The folder's own marker, and what other programs call directories, are no objects of ours.
    const bool marker = info.key.empty() || (!info.is_prefix && info.key.back() == '/');
    if (!marker && (info.key > options.start_after || options.start_after.empty())) page.entries.push_back(std::move(info));
  }
  page.next_page_token = std::move(answer.next);
  return page;
}

Result<ErrorAnswer> S3Storage::SendDelete(const Context& ctx, const std::string& objects, std::vector<DeleteFailure>* failures) {
  const std::string body = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>" + objects + "</Delete>";
  S3Request request;
  request.method = "POST";
  request.query = {{"delete", ""}};
  request.body = {AsBytes(body)};
  request.headers = {{"Content-MD5", http::Base64Of(http::Md5Of(AsBytes(body)))}};
  request.what = "delete objects";
  WALRIG_ASSIGN(const HttpResponse response, client_->Send(ctx, request));
  ErrorAnswer late = ParseError(response.body);
  if (!late.code.empty()) return client_->ErrorStatus(ctx, response.status, response.headers, late, request.what, true);
  WALRIG_ASSIGN(*failures, ParseDeleteFailures(response.body));
  return late;
}

Status S3Storage::DeleteBatch(const Context& ctx, std::span<const std::string> keys, std::span<Status> each) {
  std::string objects;
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < keys.size(); ++i) {
    // What cannot be held is not there.
    if (!CheckKey(client_->settings().folder, keys[i]).ok()) continue;
    const std::string whole = Whole(keys[i]);
    if (places.emplace(whole, i).second) objects += "<Object><Key>" + http::XmlEscape(whole) + "</Key></Object>";
  }
  if (objects.empty()) return OkStatus();
  std::vector<DeleteFailure> failures;
  WALRIG_TRY(SendDelete(ctx, objects, &failures).status());
  for (const DeleteFailure& failure : failures) {
    const auto place = places.find(failure.key);
    if (failure.code == "NoSuchKey" || failure.code == "NoSuchVersion") continue;
    const ErrorAnswer answer{failure.code, failure.message, "", ""};
    Status status = client_->ErrorStatus(ctx, 400, {}, answer, "delete " + PrintableLine(failure.key), true);
    if (place == places.end()) return status;
    each[place->second] = std::move(status);
  }
  return OkStatus();
}

// As WAL-G: a bucket that keeps versions would never give room back. Who may not ask deletes plainly.
Result<bool> S3Storage::KeepsVersions(const Context& ctx) {
  if (client_->settings().versions != Versions::kAsk) return client_->settings().versions == Versions::kAll;
  const int known = keeps_versions_.load();
  if (known >= 0) return known == 1;
  S3Request request;
  request.query = {{"versioning", ""}};
  request.what = "ask whether the bucket keeps versions";
  const Result<HttpResponse> response = client_->Send(ctx, request);
  // Only who may not ask, or a server that knows no versions, has none to delete: a wrong "no" would leave them for ever.
  const Code code = response.status().code();
  const bool refused = code == Code::kPermission || code == Code::kNotSupported || code == Code::kInvalidArgument || code == Code::kNotFound;
  if (!response.ok() && (response.status().retryable() || !refused)) return response.status();
  const bool keeps = response.ok() && ParseVersioning(response->body);
  keeps_versions_ = keeps ? 1 : 0;
  return keeps;
}

Status S3Storage::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  each->assign(keys.size(), OkStatus());
  WALRIG_ASSIGN(const bool all_versions, KeepsVersions(ctx));
  if (all_versions) return DeleteVersions(ctx, keys, *each);
  const size_t batch = client_->settings().delete_batch;
  for (size_t from = 0; from < keys.size(); from += batch) {
    const size_t n = std::min(batch, keys.size() - from);
    WALRIG_TRY(DeleteBatch(ctx, keys.subspan(from, n), std::span(*each).subspan(from, n)));
  }
  return OkStatus();
}

// One page of the bucket's uploads below `asked`, of which those below `wanted` count. The token says, before the
// service's own markers, what was asked.
Result<UnfinishedPage> S3Storage::ListUploads(const Context& ctx, std::string_view asked, const std::string& wanted,
                                              std::string_view markers) {
  const std::string& folder = client_->settings().folder;
  S3Request request;
  request.query = {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", std::string(asked)}};
  const size_t split = markers.find('\n');
  if (split != std::string_view::npos) {
    request.query.emplace_back("key-marker", markers.substr(0, split));
    if (split + 1 < markers.size()) request.query.emplace_back("upload-id-marker", markers.substr(split + 1));
  }
  request.what = "list unfinished uploads";
  WALRIG_ASSIGN(const HttpResponse response, client_->Send(ctx, request));
  WALRIG_ASSIGN(UploadsAnswer answer, ParseUploads(response.body));
  UnfinishedPage page;
  for (UnfinishedUpload& upload : answer.uploads) {
    if (!upload.key.starts_with(wanted) || !upload.key.starts_with(folder)) continue;
    upload.key.erase(0, folder.size());
    page.entries.push_back(std::move(upload));
  }
  if (answer.more) page.next_page_token = (asked.empty() ? "*" : "=") + answer.next_key + "\n" + answer.next_id;
  return page;
}

Result<UnfinishedPage> S3Storage::ListUnfinished(const Context& ctx, std::string_view prefix, std::string_view page_token) {
  const std::string wanted = Whole(prefix);
  if (!page_token.empty()) {
    return ListUploads(ctx, page_token.front() == '*' ? std::string() : wanted, wanted, page_token.substr(1));
  }
  WALRIG_ASSIGN(UnfinishedPage page, ListUploads(ctx, wanted, wanted, ""));
  if (!page.entries.empty() || !page.next_page_token.empty() || wanted.empty()) return page;
  // MinIO takes the prefix for a whole key, and lists all uploads only when there is none. Who may not look at all of
  // the bucket keeps the first answer.
  Result<UnfinishedPage> all = ListUploads(ctx, "", wanted, "");
  if (!all.ok() && all.status().code() == Code::kPermission) return page;
  return all;
}

Status S3Storage::AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads, std::vector<Status>* each) {
  each->assign(uploads.size(), OkStatus());
  for (size_t i = 0; i < uploads.size(); ++i) {
    S3Request request;
    request.method = "DELETE";
    request.key = Whole(uploads[i].key);
    request.query = {{"uploadId", uploads[i].id}};
    request.what = "abort the upload of " + uploads[i].key;
    const Result<HttpResponse> response = client_->Send(ctx, request);
    if (response.ok() || response.status().code() == Code::kNotFound) continue;
    if (response.status().code() == Code::kCancelled) return response.status();
    (*each)[i] = response.status();
  }
  return OkStatus();
}

}  // namespace walrig::s3
