#include "core/st/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>

#include "core/layout/paths.h"
#include "core/pipeline/download.h"
#include "core/pipeline/upload.h"
#include "core/st/target_state.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

bool StoredPlain(std::string_view key) {
  return key == kArchiveMarkerKey || key.ends_with(".json") || key.ends_with("/" + std::string(kManifestName));
}

Status CheckNoProof(const std::vector<ObjectInfo>& objects) {
  const auto proof = std::find_if(objects.begin(), objects.end(), [](const ObjectInfo& object) {
    const std::optional<std::string> backup = BackupOfKey(object.key);
    return backup.has_value() && object.key == ProofKey(*backup);
  });
  if (proof == objects.end()) return OkStatus();
  return NotSupported(fmt::format("{} proves the bytes that are stored: with others the backup could not be restored", proof->key))
      .Hint("copy it without --decrypt-source and --encrypt-source, or take a new backup into the target; "
            "--prefix wal_005/ takes the WAL alone");
}

// One call of CopyObjects.
class Copying {
 public:
  Copying(Storage& source, Storage& target, const CopyOptions& options) : source_(source), target_(target), options_(options) {}

  // The sentinels that will be copied: only of these backups may the target's sentinel be taken away.
  void WillFinish(const std::string& backup) { finishing_.insert(backup); }

  // Anything but a sentinel.
  Status CopyPart(const Context& ctx, const ObjectInfo& object) {
    const std::optional<std::string> backup = BackupOfKey(object.key);
    Status status = CopyUnlessSame(ctx, object, backup);
    if (!status.ok() && !IsSkipped(status) && backup.has_value()) {
      const std::lock_guard lock(mutex_);
      broken_.insert(*backup);
    }
    return status;
  }

  // REQUIRES: CopyPart of all else has ended.
  Status CopySentinel(const Context& ctx, const ObjectInfo& sentinel) {
    const std::string backup = *BackupOfKey(sentinel.key);
    if (broken_.contains(backup)) return IoError("not everything of this backup could be copied");
    WALRIG_ASSIGN(const bool there, SameObject(ctx, source_, target_, sentinel));
    if (there) return AlreadyExists("");
    WALRIG_TRY(Withdraw(ctx, backup));
    // All of the folder, whatever was asked for: the target's must be this backup and nothing else.
    WALRIG_ASSIGN(const std::vector<ObjectInfo> parts, ListAll(ctx, source_, BackupFolder(backup)));
    for (const ObjectInfo& part : parts) {
      WALRIG_ASSIGN(const bool copied, Exists(ctx, target_, part.key));
      if (!copied) return Conflict("the target lacks " + part.key + " of this backup").Hint("copy the whole backup: a prefix that takes its folder and its sentinel");
    }
    WALRIG_TRY(ClearStrangers(ctx, target_, backup, parts, true));
    return CopyObject(ctx, source_, target_, sentinel, MemoryOfOne(options_.transfer));
  }

 private:
  SameAs As(std::string_view key) const {
    return StoredPlain(key) ? SameAs{} : SameAs{.source = options_.open, .target = options_.seal};
  }

  Status CopyUnlessSame(const Context& ctx, const ObjectInfo& object, const std::optional<std::string>& backup) {
    const SameAs as = As(object.key);
    WALRIG_ASSIGN(const bool there, SameObject(ctx, source_, target_, object, as));
    if (there) return AlreadyExists("");
    if (backup.has_value()) WALRIG_TRY(Withdraw(ctx, *backup));
    const uint64_t memory_bytes = MemoryOfOne(options_.transfer);
    if (as.source == nullptr && as.target == nullptr) return CopyObject(ctx, source_, target_, object, memory_bytes);
    WALRIG_ASSIGN(const std::unique_ptr<Source> plain, OpenDecoded(ctx, source_, object.key, {.cipher = as.source}));
    return PutEncoded(ctx, target_, object.key, {.cipher = as.target}, *plain, {.put = {.memory_budget_bytes = memory_bytes}}).status();
  }

  // What lies below a sentinel is never replaced: the target's goes first, once.
  Status Withdraw(const Context& ctx, const std::string& backup) {
    const std::lock_guard lock(mutex_);
    if (withdrawn_.contains(backup)) return OkStatus();
    WALRIG_ASSIGN(const bool lives, Exists(ctx, target_, SentinelKey(backup)));
    if (lives && !finishing_.contains(backup)) {
      return Conflict("the target has another backup of this name").Hint("copy the whole backup: a prefix that takes its folder and its sentinel");
    }
    if (lives) WALRIG_TRY(DeleteAll(ctx, target_, {SentinelKey(backup)}));
    withdrawn_.insert(backup);
    return OkStatus();
  }

  Storage& source_;
  Storage& target_;
  const CopyOptions& options_;
  std::set<std::string> finishing_;
  // Held across calls of the target, on purpose: the sentinel is gone before any thread replaces something below it.
  std::mutex mutex_;
  std::set<std::string> broken_;     // guarded by mutex_; backups that did not come whole
  std::set<std::string> withdrawn_;  // guarded by mutex_; of which the target has no sentinel, now
};

}  // namespace

Result<TransferReport> CopyObjects(const Context& ctx, Storage& source, Storage& target, const std::string& prefix,
                                   const CopyOptions& options) {
  WALRIG_TRY(CheckTwoPlaces(ctx, source, target));
  WALRIG_ASSIGN(std::vector<ObjectInfo> objects, ListAll(ctx, source, prefix));
  if (options.open != nullptr || options.seal != nullptr) WALRIG_TRY(CheckNoProof(objects));
  const auto begin = std::stable_partition(objects.begin(), objects.end(), [](const ObjectInfo& object) {
    return !BackupOfSentinelKey(object.key).has_value();
  });
  std::vector<ObjectInfo> sentinels(begin, objects.end());
  objects.erase(begin, objects.end());
  std::sort(sentinels.begin(), sentinels.end(), [](const ObjectInfo& a, const ObjectInfo& b) { return a.mtime_ns < b.mtime_ns; });

  Copying copying(source, target, options);
  for (const ObjectInfo& sentinel : sentinels) copying.WillFinish(*BackupOfKey(sentinel.key));
  WALRIG_ASSIGN(TransferReport report, ForObjects(ctx, objects, [&](const Context& inner, const ObjectInfo& object) {
    return copying.CopyPart(inner, object);
  }, options.transfer));
  TransferOptions one_by_one = options.transfer;
  one_by_one.concurrency = 1;
  WALRIG_ASSIGN(const TransferReport last, ForObjects(ctx, sentinels, [&](const Context& inner, const ObjectInfo& sentinel) {
    return copying.CopySentinel(inner, sentinel);
  }, one_by_one));
  report.Add(last);
  return report;
}

}  // namespace walrig
