#include "core/st/check.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/storage/objects.h"

namespace walrig {
namespace {

constexpr size_t kPagesMax = 1'000'000;
constexpr size_t kAbortsAtOnce = 1000;

}  // namespace

Status StCheckRead(const Context& ctx, Storage& storage, const std::vector<std::string>& keys) {
  WALRIG_TRY(storage.List(ctx, {.prefix = "", .delimiter = "/", .start_after = "", .page_token = "", .keys_max = 1}).status());
  std::string missing;
  for (const std::string& key : keys) {
    WALRIG_ASSIGN(const bool exists, Exists(ctx, storage, key));
    if (!exists) missing += (missing.empty() ? "" : ", ") + key;
  }
  return missing.empty() ? OkStatus() : NotFound("missing: " + missing);
}

Status StCheckWrite(const Context& ctx, Storage& storage, uint64_t random) {
  const std::string key = fmt::format("walrig_storage_check_{:016x}", random);
  const std::string content = "written by walrig st check write\n";
  WALRIG_TRY(WriteObject(ctx, storage, key, content));
  const Result<std::string> back = ReadObject(ctx, storage, key, 1 << 16);
  WALRIG_TRY(DeleteAll(ctx, storage, {key}));
  WALRIG_TRY(back.status());
  return *back == content ? OkStatus() : Corruption("object " + key + " came back with another content");
}

Result<std::vector<UnfinishedUpload>> StUnfinished(const Context& ctx, Storage& storage, const std::string& prefix,
                                                   int64_t age_ns) {
  std::vector<UnfinishedUpload> found;
  const int64_t now_ns = ctx.clock->WallNs();
  std::string token;
  for (size_t pages = 0; pages < kPagesMax; ++pages) {
    WALRIG_ASSIGN(UnfinishedPage page, storage.ListUnfinished(ctx, prefix, token));
    for (UnfinishedUpload& upload : page.entries) {
      const bool known = upload.started_ns != kUnknownTime;
      const bool old = known && upload.started_ns <= now_ns && now_ns - upload.started_ns >= age_ns;
      if (age_ns <= 0 || old) found.push_back(std::move(upload));
    }
    if (page.next_page_token.empty()) return found;
    if (page.next_page_token == token) break;
    token = std::move(page.next_page_token);
  }
  return ProtocolError("the pages of unfinished uploads do not end");
}

Result<uint64_t> StRemoveUnfinished(const Context& ctx, Storage& storage, const std::vector<UnfinishedUpload>& uploads) {
  uint64_t removed = 0;
  Status first;
  for (size_t begin = 0; begin < uploads.size(); begin += kAbortsAtOnce) {
    const std::span<const UnfinishedUpload> some =
        std::span(uploads).subspan(begin, std::min(kAbortsAtOnce, uploads.size() - begin));
    std::vector<Status> each;
    WALRIG_TRY(storage.AbortUnfinished(ctx, some, &each));
    if (each.size() != some.size()) return Internal("the storage answered for another number of uploads");
    for (size_t i = 0; i < each.size(); ++i) {
      removed += each[i].ok();
      if (!each[i].ok() && each[i].code() != Code::kConflict && first.ok()) first = std::move(each[i]).With(some[i].key);
    }
  }
  if (!first.ok()) return first;
  return removed;
}

}  // namespace walrig
