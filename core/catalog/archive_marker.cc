#include "core/catalog/archive_marker.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "core/layout/paths.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

// For who looks into the storage; nobody parses it.
constexpr std::string_view kText =
    "walrig archives here. When a WAL file is absent, this object tells an archive that lacks it from an empty place.\n"
    "It belongs to the archive and should stay as long as it does.\n";

// Checks that were interrupted may leave these in a place that is no archive.
bool IsLeftByACheck(std::string_view key) { return key.starts_with("walrig_storage_check") || key.starts_with("wal-g_storage_check"); }

Result<bool> HoldsAnything(const Context& ctx, Storage& storage, std::string_view prefix) {
  ListOptions options;
  options.prefix = std::string(prefix);
  options.keys_max = 100;
  for (;;) {
    WALRIG_TRY(ctx.Poll());
    Result<ListPage> page = storage.List(ctx, options);
    if (page.status().code() == Code::kNotFound) {
      // Nothing below a prefix is an empty list. It is the storage that is not there.
      return Unavailable("the archive cannot be listed: " + std::string(page.status().message())).Hint(std::string(page.status().hint()));
    }
    if (!page.ok()) return std::move(page).status();
    if (std::any_of(page->entries.begin(), page->entries.end(), [](const ObjectInfo& o) { return !IsLeftByACheck(o.key); })) {
      return true;
    }
    if (page->next_page_token.empty() || page->next_page_token == options.page_token) return false;
    options.page_token = std::move(page->next_page_token);
  }
}

}  // namespace

Status EnsureArchiveMarker(const Context& ctx, Storage& storage) {
  WALRIG_ASSIGN(const bool there, Exists(ctx, storage, kArchiveMarkerKey));
  if (there) return OkStatus();
  const Status put = WriteObject(ctx, storage, kArchiveMarkerKey, kText, NewObject(storage));
  return put.code() == Code::kAlreadyExists ? OkStatus() : put;  // another run was faster
}

void MarkArchives(const Context& ctx, Storage& storage, const std::vector<Storage*>& others) {
  std::vector<Storage*> all = others;
  all.push_back(&storage);
  for (Storage* const one : all) {
    const Status status = EnsureArchiveMarker(ctx, *one);
    if (status.ok()) continue;
    ctx.log->Write(LogLevel::kWarning, "archive", std::string(kArchiveMarkerKey) + " could not be stored: " + status.ToString());
  }
}

Status CheckIsArchive(const Context& ctx, Storage& storage) {
  WALRIG_ASSIGN(const bool marked, Exists(ctx, storage, kArchiveMarkerKey));
  if (marked) return OkStatus();
  // First where the reader of WAL surely may look.
  for (const std::string_view prefix : {kWalFolder, std::string_view()}) {
    WALRIG_ASSIGN(const bool anything, HoldsAnything(ctx, storage, prefix));
    if (anything) return OkStatus();
  }
  return Unavailable("the archive is empty: that a file is absent from it says nothing")
      .Hint("is its file system mounted, are bucket and prefix right? A new archive gets its marker from the first wal-push or "
            "backup-push");
}

}  // namespace walrig
