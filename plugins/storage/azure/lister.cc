#include "plugins/storage/azure/lister.h"

#include <algorithm>

#include "plugins/storage/azure/answers.h"
#include "plugins/storage/azure/block_id.h"
#include "walrig/sdk/call.h"

namespace walrig::azure {
namespace {

constexpr uint32_t kPageMax = 5000;  // the service's own
constexpr size_t kAnswerBytesMax = 64u << 20;

struct Page {
  std::string_view prefix = {};  // of keys
  std::string_view delimiter = {};
  std::string_view marker = {};
  uint32_t keys_max = kPageMax;
  bool uncommitted = false;
};

Result<ListAnswer> AskForPage(const Context& ctx, Service& service, const Page& page) {
  const std::string prefix = service.location().prefix + std::string(page.prefix);
  const std::string count = std::to_string(std::clamp(page.keys_max, 1u, kPageMax));
  Query query = {{"restype", "container"}, {"comp", "list"}, {"maxresults", count}};
  if (!prefix.empty()) query.emplace_back("prefix", prefix);
  if (!page.delimiter.empty()) query.emplace_back("delimiter", page.delimiter);
  if (!page.marker.empty()) query.emplace_back("marker", page.marker);
  if (page.uncommitted) query.emplace_back("include", "uncommittedblobs");
  WALRIG_ASSIGN(const HttpResponse response, service.Send(ctx, service.ContainerRequest("GET", query),
                                                          "list " + prefix, kAnswerBytesMax));
  if (response.body_cut) return ProtocolError("the list of blobs is too long");
  WALRIG_ASSIGN(ListAnswer answer, ParseListAnswer(response.body));
  if (!answer.next_marker.empty() && answer.next_marker == page.marker) {
    return ProtocolError("the list of blobs does not go on: the next page is the same");
  }
  return answer;
}

// A name as a key; false for what is not below the prefix.
bool ToKey(const Service& service, std::string* name) {
  const std::string& prefix = service.location().prefix;
  if (!name->starts_with(prefix) || name->size() == prefix.size()) return false;
  name->erase(0, prefix.size());
  return true;
}

// Whether a key that begins with `prefix` comes after `start_after`, which begins with it too.
Result<bool> HasKeyAfter(const Context& ctx, Service& service, std::string_view prefix, std::string_view start_after) {
  std::string marker;
  do {
    WALRIG_TRY(sdk::PollStop(ctx));
    WALRIG_ASSIGN(ListAnswer answer, AskForPage(ctx, service, {.prefix = prefix, .marker = marker}));
    for (ObjectInfo& blob : answer.blobs) {
      if (ToKey(service, &blob.key) && blob.key > start_after) return true;
    }
    marker = std::move(answer.next_marker);
  } while (!marker.empty());
  return false;
}

Result<bool> Wanted(const Context& ctx, Service& service, const ListOptions& options, const std::string& prefix) {
  if (options.start_after.empty() || prefix > options.start_after) return true;
  if (!options.start_after.starts_with(prefix)) return false;
  return HasKeyAfter(ctx, service, prefix, options.start_after);
}

// What uncommitted blocks there are; empty when the blob has none, or is gone.
Result<std::vector<UncommittedBlock>> BlocksOf(const Context& ctx, Service& service, const std::string& name) {
  HttpRequest request = service.BlobRequest("GET", name, {{"comp", "blocklist"}, {"blocklisttype", "uncommitted"}});
  Result<HttpResponse> response = service.Send(ctx, std::move(request), "list the blocks of " + name, kAnswerBytesMax);
  if (!response.ok() && response.status().code() == Code::kNotFound) return std::vector<UncommittedBlock>();
  WALRIG_TRY(Status(response.status()));
  if (response->body_cut) return ProtocolError("the list of blocks is too long");
  return ParseUncommittedBlocks(response->body);
}

// On the empty blob that stands in for blocks while they are dropped: one that stays behind is known by it.
constexpr std::string_view kDroppedMark = "x-ms-meta-walrig_dropped";

struct Look {
  bool committed = false;
  std::string dropped_etag;  // of a blob with the mark, which is an upload that is still to be removed
};

Result<Look> LookAt(const Context& ctx, Service& service, const std::string& name) {
  const Result<HttpResponse> response = service.Send(ctx, service.BlobRequest("HEAD", name), "look at " + name);
  if (response.status().code() == Code::kNotFound) return Look{};
  WALRIG_TRY(response.status());
  const bool dropped = !response->Header(kDroppedMark).empty() && response->Header("Content-Length") == "0";
  return Look{.committed = true, .dropped_etag = dropped ? std::string(response->Header("ETag")) : std::string()};
}

Status RemoveDropped(const Context& ctx, Service& service, const std::string& name, std::string_view etag) {
  HttpRequest remove = service.BlobRequest("DELETE", name);
  remove.headers.emplace_back("If-Match", etag);
  const Result<HttpResponse> removed = service.Send(ctx, std::move(remove), "drop the blocks of " + name);
  // Gone, or an object of its writer by now.
  const Code code = removed.status().code();
  return code == Code::kNotFound || code == Code::kPreconditionFailed ? OkStatus() : removed.status();
}

}  // namespace

Result<ListPage> ListBlobs(const Context& ctx, Service& service, const ListOptions& options) {
  WALRIG_ASSIGN(ListAnswer answer, AskForPage(ctx, service, {.prefix = options.prefix,
                                                             .delimiter = options.delimiter,
                                                             .marker = options.page_token,
                                                             .keys_max = options.keys_max}));
  ListPage page;
  for (ObjectInfo& blob : answer.blobs) {
    if (ToKey(service, &blob.key) && (options.start_after.empty() || blob.key > options.start_after)) {
      page.entries.push_back(std::move(blob));
    }
  }
  for (std::string& prefix : answer.prefixes) {
    if (!ToKey(service, &prefix)) continue;
    WALRIG_ASSIGN(const bool wanted, Wanted(ctx, service, options, prefix));
    if (!wanted) continue;
    ObjectInfo info;
    info.key = std::move(prefix);
    info.is_prefix = true;
    page.entries.push_back(std::move(info));
  }
  page.next_page_token = std::move(answer.next_marker);
  return page;
}

Result<UnfinishedPage> ListUncommitted(const Context& ctx, Service& service, std::string_view prefix,
                                       std::string_view page_token) {
  WALRIG_ASSIGN(ListAnswer answer,
                AskForPage(ctx, service, {.prefix = prefix, .marker = page_token, .uncommitted = true}));
  UnfinishedPage page;
  for (ObjectInfo& blob : answer.blobs) {
    if (blob.size_bytes != 0) continue;  // a blob without a committed block has no bytes
    const std::string name = blob.key;
    if (!ToKey(service, &blob.key)) continue;
    WALRIG_TRY(sdk::PollStop(ctx));
    WALRIG_ASSIGN(const Look look, LookAt(ctx, service, name));
    if (look.committed && look.dropped_etag.empty()) continue;
    WALRIG_ASSIGN(const std::vector<UncommittedBlock> blocks, BlocksOf(ctx, service, name));
    if (blocks.empty() && !look.committed) continue;
    UnfinishedUpload upload;
    upload.key = std::move(blob.key);
    upload.id = "uncommitted";
    upload.started_ns = blob.mtime_ns;
    upload.size_bytes = 0;
    for (const UncommittedBlock& block : blocks) {
      upload.size_bytes += std::min(block.size_bytes, UINT64_MAX - 1 - upload.size_bytes);
      // The youngest writer's: it may be alive.
      const std::optional<int64_t> started = StartedNs(block.id);
      if (started.has_value()) upload.started_ns = std::max(upload.started_ns, *started);
    }
    page.entries.push_back(std::move(upload));
  }
  page.next_page_token = std::move(answer.next_marker);
  return page;
}

Status DropUncommitted(const Context& ctx, Service& service, const UnfinishedUpload& upload) {
  WALRIG_ASSIGN(const std::string name, service.NameOf(upload.key));
  // A removed upload must not come back as an empty object.
  WALRIG_ASSIGN(const std::vector<UncommittedBlock> blocks, BlocksOf(ctx, service, name));
  if (blocks.empty()) {
    WALRIG_ASSIGN(const Look look, LookAt(ctx, service, name));
    return look.dropped_etag.empty() ? OkStatus() : RemoveDropped(ctx, service, name, look.dropped_etag);
  }
  // An empty list, and not Put Blob: emulators take a blob of blocks alone for one that is there.
  constexpr std::string_view kEmptyList = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList></BlockList>";
  HttpRequest put = service.BlobRequest("PUT", name, {{"comp", "blocklist"}});
  put.headers.emplace_back("If-None-Match", "*");
  put.headers.emplace_back(kDroppedMark, "1");
  put.headers.emplace_back("Content-Type", "text/plain; charset=UTF-8");
  put.SetBody(kEmptyList);
  const Result<HttpResponse> response = service.Send(ctx, std::move(put), "drop the blocks of " + name);
  if (!response.ok()) {
    // Committed meanwhile by its writer: then it is an object, and none of ours to remove.
    const Code code = response.status().code();
    return code == Code::kAlreadyExists || code == Code::kPreconditionFailed ? OkStatus() : response.status();
  }
  return RemoveDropped(ctx, service, name, response->Header("ETag"));
}

}  // namespace walrig::azure
