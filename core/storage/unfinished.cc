#include "core/storage/unfinished.h"

#include <algorithm>
#include <span>

namespace walrig {
namespace {

constexpr size_t kPagesMax = 1'000'000;
constexpr size_t kAbortsAtOnce = 1000;

}  // namespace

bool IsOldUpload(const UnfinishedUpload& upload, int64_t now_ns, int64_t age_ns) {
  if (age_ns <= 0) return true;
  return upload.started_ns != kUnknownTime && upload.started_ns <= now_ns && now_ns - upload.started_ns >= age_ns;
}

Result<std::vector<UnfinishedUpload>> FindUnfinished(const Context& ctx, Storage& storage, const std::string& prefix,
                                                     int64_t age_ns) {
  std::vector<UnfinishedUpload> found;
  const int64_t now_ns = ctx.clock->WallNs();
  std::string token;
  for (size_t pages = 0; pages < kPagesMax; ++pages) {
    WALRIG_ASSIGN(UnfinishedPage page, storage.ListUnfinished(ctx, prefix, token));
    for (UnfinishedUpload& upload : page.entries) {
      if (IsOldUpload(upload, now_ns, age_ns)) found.push_back(std::move(upload));
    }
    if (page.next_page_token.empty()) return found;
    if (page.next_page_token == token) break;
    token = std::move(page.next_page_token);
  }
  return ProtocolError("the pages of unfinished uploads do not end");
}

Result<uint64_t> RemoveUnfinished(const Context& ctx, Storage& storage, const std::vector<UnfinishedUpload>& uploads) {
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
