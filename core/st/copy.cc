#include "core/st/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>

#include "core/layout/paths.h"
#include "core/pipeline/download.h"
#include "core/pipeline/upload.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

bool StoredPlain(std::string_view key) {
  return key.ends_with(".json") || key.ends_with("/" + std::string(kManifestName));
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

Status CopyOne(const Context& ctx, Storage& source, Storage& target, const ObjectInfo& object, const CopyOptions& options) {
  const uint64_t memory_bytes = MemoryOfOne(options.transfer);
  const bool as_it_is = (options.open == nullptr && options.seal == nullptr) || StoredPlain(object.key);
  if (as_it_is) return CopyObject(ctx, source, target, object, memory_bytes);
  WALRIG_ASSIGN(const std::unique_ptr<Source> plain, OpenDecoded(ctx, source, object.key, {.cipher = options.open}));
  return PutEncoded(ctx, target, object.key, {.cipher = options.seal}, *plain, {.put = {.memory_budget_bytes = memory_bytes}})
      .status();
}

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

  std::set<std::string> broken;  // backups that did not come whole
  std::mutex mutex;              // guards broken
  WALRIG_ASSIGN(TransferReport report, ForObjects(ctx, objects, [&](const Context& inner, const ObjectInfo& object) {
    Status status = CopyOne(inner, source, target, object, options);
    const std::optional<std::string> backup = BackupOfKey(object.key);
    if (!status.ok() && backup.has_value()) {
      const std::lock_guard lock(mutex);
      broken.insert(*backup);
    }
    return status;
  }, options.transfer));
  TransferOptions one_by_one = options.transfer;
  one_by_one.concurrency = 1;
  WALRIG_ASSIGN(const TransferReport last, ForObjects(ctx, sentinels, [&](const Context& inner, const ObjectInfo& sentinel) {
    if (broken.contains(*BackupOfKey(sentinel.key))) return IoError("not everything of this backup could be copied");
    return CopyOne(inner, source, target, sentinel, options);
  }, one_by_one));
  report.Add(last);
  return report;
}

}  // namespace walrig
