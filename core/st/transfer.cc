#include "core/st/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "core/base/exception_status.h"
#include "core/base/random.h"
#include "core/base/threads.h"
#include "core/catalog/archive_marker.h"
#include "core/layout/paths.h"
#include "core/pipeline/download.h"
#include "core/st/target_state.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

constexpr uint64_t kObjectMemoryMin = 1u << 20;

constexpr size_t kFailuresTold = 100;
constexpr size_t kThreadsMax = 256;

// Whether the target has it. A storage that shows new objects late is asked again.
Status AwaitObject(const Context& ctx, Storage& target, const ObjectInfo& object, const TransferOptions& options) {
  for (uint32_t check = 0;; ++check) {
    const Result<ObjectInfo> seen = target.Stat(ctx, object.key);
    if (seen.ok() && seen->size_bytes == object.size_bytes) return OkStatus();
    if (!seen.ok() && seen.status().code() != Code::kNotFound) return seen.status();
    if (check + 1 >= std::max(options.appearance_checks, 1u)) {
      return Corruption(seen.ok() ? fmt::format("the target has {} bytes, not {}", seen->size_bytes, object.size_bytes)
                                  : std::string("it did not appear in the target"));
    }
    ctx.clock->SleepNs(static_cast<uint64_t>(std::max<int64_t>(options.appearance_interval_ns, 0)), ctx.stop.fd());
    WALRIG_TRY(ctx.Poll());
  }
}

TransferReport Skipped(uint64_t objects) {
  TransferReport report;
  report.skipped = objects;
  return report;
}

// Brings one object over where it is missing. AlreadyExists("") for what the target has with the same bytes (its etag cannot
// tell: each storage makes its own). `compare`: the bytes are read for that; else an equal size is enough.
Status Bring(const Context& ctx, Storage& source, Storage& target, const ObjectInfo& object, const TransferOptions& options,
             bool compare) {
  const Result<ObjectInfo> there = target.Stat(ctx, object.key);
  if (!there.ok() && there.status().code() != Code::kNotFound) return there.status();
  if (there.ok()) {
    bool same = there->size_bytes == object.size_bytes;
    if (same && (compare || options.overwrite)) {
      WALRIG_ASSIGN(same, SameObject(ctx, source, target, object));
    }
    if (same) return AlreadyExists("");
    if (!options.overwrite) return Conflict("the target has another object of this name").Hint("--overwrite replaces it");
  }
  WALRIG_TRY(CopyObject(ctx, source, target, object, MemoryOfOne(options)));
  return AwaitObject(ctx, target, object, options);
}

// The sentinel first: what is left without it is no backup, here; at the target it is one.
Status DeleteBackup(const Context& ctx, Storage& source, const std::string& name, const std::vector<ObjectInfo>& parts) {
  WALRIG_TRY(DeleteAll(ctx, source, {SentinelKey(name)}));
  std::vector<std::string> keys;
  for (const ObjectInfo& part : parts) keys.push_back(part.key);
  return DeleteAll(ctx, source, keys);
}

// The target has a sentinel of this name. Nothing when the backup has to be moved over it, whose sentinel is gone then: what
// lies below a sentinel is never replaced.
Result<std::optional<TransferReport>> MeetBackup(const Context& ctx, Storage& source, Storage& target, const std::string& name,
                                                 const ObjectInfo& sentinel, const std::vector<ObjectInfo>& parts,
                                                 const TransferOptions& options) {
  WALRIG_ASSIGN(bool same, SameObject(ctx, source, target, sentinel));
  // A run before this one may have put the sentinel and not have come to deleting.
  if (same && (!options.preserve || options.overwrite)) {
    WALRIG_ASSIGN(same, SameObjects(ctx, source, target, parts, options));
  }
  if (same) {
    if (!options.preserve) WALRIG_TRY(DeleteBackup(ctx, source, name, parts));
    return std::optional<TransferReport>(Skipped(parts.size() + 1));
  }
  if (!options.overwrite) return Conflict("the target has another backup of this name").Hint("--overwrite replaces it");
  WALRIG_TRY(DeleteAll(ctx, target, {sentinel.key}));
  return std::optional<TransferReport>();
}

Result<TransferReport> MoveBackup(const Context& ctx, Storage& source, Storage& target, const std::string& name,
                                  const TransferOptions& options) {
  WALRIG_ASSIGN(const ObjectInfo sentinel, source.Stat(ctx, SentinelKey(name)));
  WALRIG_ASSIGN(const std::vector<ObjectInfo> parts, ListAll(ctx, source, BackupFolder(name)));
  WALRIG_ASSIGN(const bool there, Exists(ctx, target, sentinel.key));
  if (there) {
    WALRIG_ASSIGN(const std::optional<TransferReport> met, MeetBackup(ctx, source, target, name, sentinel, parts, options));
    if (met.has_value()) return *met;
  }
  WALRIG_TRY(ClearStrangers(ctx, target, name, parts, options.overwrite));
  WALRIG_ASSIGN(TransferReport report, ForObjects(ctx, parts, [&](const Context& inner, const ObjectInfo& object) {
    return Bring(inner, source, target, object, options, true);
  }, options));
  if (report.failed > 0) return report;
  WALRIG_TRY(CopyObject(ctx, source, target, sentinel, MemoryOfOne(options)).With(sentinel.key));
  WALRIG_TRY(AwaitObject(ctx, target, sentinel, options).With(sentinel.key));
  report.moved++;
  report.bytes += sentinel.size_bytes;
  if (!options.preserve) WALRIG_TRY(DeleteBackup(ctx, source, name, parts));
  return report;
}

// A run before this one had put the sentinel at the target and deleted it here, and did not come to the parts.
Result<TransferReport> FinishMove(const Context& ctx, Storage& source, Storage& target, const std::string& name,
                                  const TransferOptions& options) {
  WALRIG_ASSIGN(const std::vector<ObjectInfo> parts, ListAll(ctx, source, BackupFolder(name)));
  WALRIG_ASSIGN(const bool same, SameObjects(ctx, source, target, parts, options));
  if (!same) return Conflict("the source has parts without a sentinel, and the target another backup of this name");
  WALRIG_TRY(DeleteBackup(ctx, source, name, parts));
  return Skipped(parts.size());
}

using Backup = std::pair<int64_t, std::string>;  // the time of its sentinel, its name
// Instead of a time, of what was moved but for its parts here. Before all that are to be moved.
constexpr int64_t kMovedBefore = INT64_MIN + 1;
static_assert(kMovedBefore != kUnknownTime);

// One after another, oldest first.
Result<TransferReport> MoveBackups(const Context& ctx, Storage& source, Storage& target, const std::vector<Backup>& backups,
                                   const TransferOptions& options) {
  TransferReport all;
  for (const Backup& backup : backups) {
    const bool listed = backup.first != kMovedBefore;
    Result<TransferReport> one = listed ? MoveBackup(ctx, source, target, backup.second, options)
                                        : FinishMove(ctx, source, target, backup.second, options);
    if (one.ok()) {
      all.Add(*one);
      continue;
    }
    if (options.fail_fast || one.status().code() == Code::kCancelled) return std::move(one).status().With(backup.second);
    TransferReport failed;
    failed.failed = 1;
    failed.failures = {backup.second + ": " + one.status().ToString()};
    all.Add(failed);
  }
  return all;
}

// Takes the backups that are whole among `objects`, all those below `prefix`, out of them. What is over objects_max goes too.
std::vector<Backup> TakeBackups(std::vector<ObjectInfo>* objects, const std::string& prefix, uint64_t objects_max) {
  std::map<std::string, uint64_t> sizes;  // in objects
  std::vector<Backup> backups;
  for (const ObjectInfo& object : *objects) {
    const std::optional<std::string> name = BackupOfSentinelKey(object.key);
    if (!name.has_value() || !BackupFolder(*name).starts_with(prefix)) continue;
    sizes.emplace(*name, 0);
    backups.emplace_back(object.mtime_ns, *name);
  }
  std::erase_if(*objects, [&](const ObjectInfo& object) {
    const auto backup = sizes.find(BackupOfKey(object.key).value_or(std::string()));
    if (backup == sizes.end()) return false;
    backup->second++;
    return true;
  });
  if (objects->size() > objects_max) objects->resize(static_cast<size_t>(objects_max));
  uint64_t left = objects_max - objects->size();
  std::sort(backups.begin(), backups.end());
  const auto cut = std::find_if(backups.begin(), backups.end(), [&](const Backup& backup) {
    const uint64_t size = sizes[backup.second];
    if (size > left) return true;
    left -= size;
    return false;
  });
  backups.erase(cut, backups.end());
  return backups;
}

// Of objects that are moved one by one: the backups they belong to that have a sentinel, mostly at the target; at the source
// only when it came since the list. FAILS WITH: kInvalidArgument when `prefix` takes only a part of a backup.
Result<std::set<std::string>> BackupsOfPieces(const Context& ctx, Storage& source, Storage& target, const std::string& prefix,
                                              const std::vector<ObjectInfo>& objects) {
  std::set<std::string> names, living;
  for (const ObjectInfo& object : objects) {
    if (std::optional<std::string> name = BackupOfKey(object.key)) names.insert(*std::move(name));
  }
  for (const std::string& name : names) {
    WALRIG_ASSIGN(const bool whole_here, Exists(ctx, source, SentinelKey(name)));
    if (whole_here && !(BackupFolder(name).starts_with(prefix) && SentinelKey(name).starts_with(prefix))) {
      return InvalidArgument("only a part of backup " + name + " lies below this prefix").Hint("move it whole: walrig st transfer backups " + name);
    }
    WALRIG_ASSIGN(const bool lives, Exists(ctx, target, SentinelKey(name)));
    if (lives || whole_here) living.insert(name);
  }
  return living;
}

}  // namespace

Status CheckTwoPlaces(const Context& ctx, Storage& source, Storage& target) {
  const std::string key = fmt::format("walrig_storage_check_{:016x}", SeedFromSystem());
  WALRIG_TRY(WriteObject(ctx, target, key, "written by walrig st\n"));
  const Result<bool> shows = Exists(ctx, source, key);
  WALRIG_TRY(DeleteAll(ctx, target, {key}));
  WALRIG_TRY(shows.status());
  if (!*shows) return OkStatus();
  return ConfigError("source and target are the same place: what is written to one shows in the other");
}

bool IsSkipped(const Status& status) { return status.code() == Code::kAlreadyExists && status.message().empty(); }

void TransferReport::Add(const TransferReport& part) {
  moved += part.moved;
  skipped += part.skipped;
  failed += part.failed;
  bytes += part.bytes;
  for (const std::string& failure : part.failures) {
    if (failures.size() < kFailuresTold) failures.push_back(failure);
  }
}

uint64_t MemoryOfOne(const TransferOptions& options) {
  const uint64_t share = options.memory_bytes / std::max<size_t>(options.concurrency, 1);
  return std::clamp(share, kObjectMemoryMin, PutOptions{}.memory_budget_bytes);
}

Status CopyObject(const Context& ctx, Storage& source, Storage& target, const ObjectInfo& object, uint64_t memory_bytes) {
  WALRIG_ASSIGN(const std::unique_ptr<Source> from, source.Get(ctx, object.key, {}));
  PutOptions put;
  put.size_bytes = object.size_bytes;
  put.memory_budget_bytes = memory_bytes;
  WALRIG_ASSIGN(const std::unique_ptr<Sink> to, target.Put(ctx, object.key, put));
  WALRIG_ASSIGN(const uint64_t bytes, CopyAll(ctx, *from, *to, object.size_bytes));
  if (bytes != object.size_bytes) return Truncated(fmt::format("{} of {} bytes came", bytes, object.size_bytes));
  return to->Commit(ctx);
}

Result<TransferReport> ForObjects(const Context& ctx, const std::vector<ObjectInfo>& objects, const MoveObject& move,
                                  const TransferOptions& options) {
  TransferReport report;
  Status fatal;
  std::mutex mutex;  // guards report and fatal
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < objects.size(); i = next++) {
      Status status = ctx.Poll();
      const bool stopped = !status.ok();
      if (!stopped) status = Guarded("moving", [&] { return move(ctx, objects[i]); });
      const std::lock_guard lock(mutex);
      if (status.ok()) {
        report.moved++;
        report.bytes += objects[i].size_bytes;
      } else if (IsSkipped(status)) {
        report.skipped++;
      } else {
        report.failed++;
        if (report.failures.size() < kFailuresTold) {
          report.failures.push_back(objects[i].key + ": " + status.ToString());
        }
        if (stopped || options.fail_fast || status.code() == Code::kCancelled) {
          if (fatal.ok()) fatal = std::move(status).With(objects[i].key);
          next = objects.size();
        }
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    const size_t count = std::min({options.concurrency, objects.size(), kThreadsMax});
    for (size_t i = 1; i < count; ++i) {
      Result<std::jthread> thread = StartThread(work);
      if (!thread.ok()) break;  // fewer do it too
      threads.push_back(std::move(*thread));
    }
    work();
  }
  if (!fatal.ok()) return fatal;
  return report;
}

Result<TransferReport> TransferObjects(const Context& ctx, Storage& source, Storage& target, const std::string& prefix,
                                       const TransferOptions& options) {
  if (!options.preserve) WALRIG_TRY(CheckTwoPlaces(ctx, source, target));
  WALRIG_ASSIGN(std::vector<ObjectInfo> objects, ListAll(ctx, source, prefix));
  const std::vector<Backup> backups = TakeBackups(&objects, prefix, options.objects_max);
  WALRIG_ASSIGN(const std::set<std::string> living, BackupsOfPieces(ctx, source, target, prefix, objects));
  WALRIG_ASSIGN(TransferReport all, ForObjects(ctx, objects, [&](const Context& inner, const ObjectInfo& object) -> Status {
    // The target is an archive too from now on, and the source stays one.
    if (object.key == kArchiveMarkerKey) return EnsureArchiveMarker(inner, target);
    Status status;
    if (living.contains(BackupOfKey(object.key).value_or(std::string()))) {
      // Below a living sentinel nothing is replaced and nothing added.
      WALRIG_ASSIGN(const bool same, SameObject(inner, source, target, object));
      status = same ? AlreadyExists("") : Conflict("it is of a backup that the target has with other bytes, or that was finished just now");
    } else {
      status = Bring(inner, source, target, object, options, !options.preserve);
    }
    const bool there = status.ok() || IsSkipped(status);
    if (there && !options.preserve) WALRIG_TRY(DeleteAll(inner, source, {object.key}));
    return status;
  }, options));
  WALRIG_ASSIGN(const TransferReport whole, MoveBackups(ctx, source, target, backups, options));
  all.Add(whole);
  return all;
}

Result<TransferReport> TransferBackups(const Context& ctx, Storage& source, Storage& target, const std::string& name,
                                       const TransferOptions& options) {
  if (!options.preserve) WALRIG_TRY(CheckTwoPlaces(ctx, source, target));
  std::map<std::string, int64_t> found;
  WALRIG_ASSIGN(const std::vector<ObjectInfo> entries, ListAll(ctx, source, kBackupsFolder, "/"));
  for (const ObjectInfo& entry : entries) {
    const std::optional<std::string> backup = BackupOfKey(entry.key);
    if (!backup.has_value() || (!name.empty() && *backup != name)) continue;
    if (!entry.is_prefix) {
      found[*backup] = entry.mtime_ns;
    } else if (!options.preserve) {
      found.emplace(*backup, kMovedBefore);  // the sentinel, if there is one, comes after the folder in the list
    }
  }
  std::vector<Backup> backups;
  for (const auto& [backup, time] : found) {
    // Parts without a sentinel are of a backup that is being taken, unless the target has it.
    WALRIG_ASSIGN(const bool ours, time == kMovedBefore ? Exists(ctx, target, SentinelKey(backup)) : Result<bool>(true));
    if (ours) backups.emplace_back(time, backup);
  }
  if (backups.empty() && !name.empty()) {
    WALRIG_ASSIGN(const bool moved, Exists(ctx, target, SentinelKey(name)));
    if (moved) return Skipped(0);
    return NotFound("backup " + name + " is not in the source storage");
  }
  std::sort(backups.begin(), backups.end());
  if (backups.size() > options.backups_max) backups.resize(static_cast<size_t>(options.backups_max));
  return MoveBackups(ctx, source, target, backups, options);
}

}  // namespace walrig
