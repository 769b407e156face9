#include "core/st/target_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "core/layout/paths.h"
#include "core/pipeline/download.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

// Reads until `span` is full or the stream ends.
Result<size_t> Fill(const Context& ctx, Source& source, MutableByteSpan span) {
  size_t filled = 0;
  while (filled < span.size()) {
    WALRIG_ASSIGN(const size_t got, source.Read(ctx, span.subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

Result<std::unique_ptr<Source>> OpenAs(const Context& ctx, Storage& storage, const std::string& key, Cipher* cipher) {
  if (cipher == nullptr) return storage.Get(ctx, key, {});
  return OpenDecoded(ctx, storage, key, {.cipher = cipher});
}

// Damaged, or sealed with another key: in any case not what would be put there.
bool MeansOther(const Status& status) {
  const Code code = status.code();
  return code == Code::kCorruption || code == Code::kTruncated || code == Code::kPermission || code == Code::kNotSupported;
}

Result<bool> SameContent(const Context& ctx, Source& here, Source& there) {
  Buffer mine(kIoBufferBytes), other(kIoBufferBytes);
  for (;;) {
    WALRIG_ASSIGN(const size_t got, Fill(ctx, here, mine.span()));
    const Result<size_t> other_got = Fill(ctx, there, other.span());
    if (!other_got.ok() && MeansOther(other_got.status())) return false;
    if (!other_got.ok()) return other_got.status();
    if (got != *other_got || !std::ranges::equal(mine.first(got), other.first(got))) return false;
    if (got == 0) return true;
  }
}

}  // namespace

Result<bool> SameObject(const Context& ctx, Storage& source, Storage& target, const ObjectInfo& object, const SameAs& as) {
  const Result<ObjectInfo> seen = target.Stat(ctx, object.key);
  if (seen.status().code() == Code::kNotFound) return false;
  if (!seen.ok()) return seen.status();
  const bool stored_bytes = as.source == nullptr && as.target == nullptr;
  if (stored_bytes && seen->size_bytes != object.size_bytes) return false;
  WALRIG_ASSIGN(const std::unique_ptr<Source> here, OpenAs(ctx, source, object.key, as.source));
  WALRIG_ASSIGN(const std::unique_ptr<Source> there, OpenAs(ctx, target, object.key, as.target));
  return SameContent(ctx, *here, *there);
}

Result<bool> SameObjects(const Context& ctx, Storage& source, Storage& target, const std::vector<ObjectInfo>& objects,
                         const TransferOptions& options) {
  std::atomic<bool> same{true};
  TransferOptions until_one_fails = options;
  until_one_fails.fail_fast = true;
  WALRIG_TRY(ForObjects(ctx, objects, [&](const Context& inner, const ObjectInfo& object) -> Status {
    if (!same) return OkStatus();
    WALRIG_ASSIGN(const bool one, SameObject(inner, source, target, object));
    if (!one) same = false;
    return OkStatus();
  }, until_one_fails).status());
  return same.load();
}

Status ClearStrangers(const Context& ctx, Storage& target, const std::string& backup, const std::vector<ObjectInfo>& parts,
                      bool may_delete) {
  std::set<std::string> ours;
  for (const ObjectInfo& part : parts) ours.insert(part.key);
  WALRIG_ASSIGN(const std::vector<ObjectInfo> there, ListAll(ctx, target, BackupFolder(backup)));
  std::vector<std::string> strangers;
  for (const ObjectInfo& object : there) {
    if (!ours.contains(object.key)) strangers.push_back(object.key);
  }
  if (strangers.empty()) return OkStatus();
  const std::string claim = BackupFolder(backup) + std::string(kClaimName);
  if (std::find(strangers.begin(), strangers.end(), claim) != strangers.end()) {
    return Conflict(fmt::format("a backup-push has claimed {} in the target", BackupFolder(backup)))
        .Hint("wait until it ends; if it was killed, delete what it left there: walrig st rm " + BackupFolder(backup));
  }
  if (!may_delete) {
    return Conflict(fmt::format("the target has {} other objects in {}, {} among them", strangers.size(), BackupFolder(backup), strangers.front()))
        .Hint("--overwrite deletes them");
  }
  return DeleteAll(ctx, target, strangers);
}

}  // namespace walrig
