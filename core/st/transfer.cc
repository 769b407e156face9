#include "core/st/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "core/base/exception_status.h"
#include "core/base/random.h"
#include "core/layout/paths.h"
#include "core/pipeline/download.h"
#include "core/pipeline/threads.h"
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

TransferReport Skipped() {
  TransferReport report;
  report.skipped = 1;
  return report;
}

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

Result<bool> SameBytes(const Context& ctx, Storage& source, Storage& target, const ObjectInfo& object) {
  WALRIG_ASSIGN(const std::unique_ptr<Source> here, source.Get(ctx, object.key, {}));
  WALRIG_ASSIGN(const std::unique_ptr<Source> there, target.Get(ctx, object.key, {}));
  Buffer mine(kIoBufferBytes), other(kIoBufferBytes);
  for (;;) {
    WALRIG_ASSIGN(const size_t got, Fill(ctx, *here, mine.span()));
    WALRIG_ASSIGN(const size_t other_got, Fill(ctx, *there, other.span()));
    if (got != other_got || !std::ranges::equal(mine.first(got), other.first(got))) return false;
    if (got == 0) return true;
  }
}

// AlreadyExists("") for what the target has. Its etag cannot tell: each storage makes its own.
Status CheckThere(const Context& ctx, Storage& source, Storage& target, const ObjectInfo& object, const ObjectInfo& there,
                  bool compare) {
  bool same = there.size_bytes == object.size_bytes;
  if (same && compare) {
    WALRIG_ASSIGN(same, SameBytes(ctx, source, target, object));
  }
  if (same) return AlreadyExists("");
  return Conflict("the target has another object of this name").Hint("--overwrite replaces it");
}

// `compare`: an object of the same size at the target is read before it counts as moved.
Result<TransferReport> Copy(const Context& ctx, Storage& source, Storage& target,
                            const std::vector<ObjectInfo>& objects, const TransferOptions& options, bool compare) {
  return ForObjects(ctx, objects, [&](const Context& inner, const ObjectInfo& object) -> Status {
    if (!options.overwrite) {
      const Result<ObjectInfo> there = target.Stat(inner, object.key);
      if (there.ok()) return CheckThere(inner, source, target, object, *there, compare);
      if (there.status().code() != Code::kNotFound) return there.status();
    }
    WALRIG_TRY(CopyObject(inner, source, target, object, MemoryOfOne(options)));
    return AwaitObject(inner, target, object, options);
  }, options);
}

// With overwrite an object would be put onto itself and then deleted, were both names of one place.
Status CheckBeforeReplacing(const Context& ctx, Storage& source, Storage& target, const TransferOptions& options) {
  return options.overwrite && !options.preserve ? CheckTwoPlaces(ctx, source, target) : OkStatus();
}

Result<TransferReport> MoveBackup(const Context& ctx, Storage& source, Storage& target, const std::string& name,
                                  const TransferOptions& options) {
  WALRIG_ASSIGN(ObjectInfo sentinel, source.Stat(ctx, SentinelKey(name)));
  if (!options.overwrite) {
    WALRIG_ASSIGN(const bool there, Exists(ctx, target, sentinel.key));
    if (there) return Skipped();
  }
  WALRIG_ASSIGN(const std::vector<ObjectInfo> parts, ListAll(ctx, source, BackupFolder(name)));
  WALRIG_ASSIGN(TransferReport report, Copy(ctx, source, target, parts, options, true));
  if (report.failed > 0) return report;
  WALRIG_TRY(CopyObject(ctx, source, target, sentinel, MemoryOfOne(options)).With(sentinel.key));
  WALRIG_TRY(AwaitObject(ctx, target, sentinel, options).With(sentinel.key));
  report.moved++;
  report.bytes += sentinel.size_bytes;
  if (options.preserve) return report;
  WALRIG_TRY(DeleteAll(ctx, source, {sentinel.key}));
  std::vector<std::string> keys;
  for (const ObjectInfo& part : parts) keys.push_back(part.key);
  WALRIG_TRY(DeleteAll(ctx, source, keys));
  return report;
}

using Backup = std::pair<int64_t, std::string>;  // the time of its sentinel, its name

// One after another, oldest first.
Result<TransferReport> MoveBackups(const Context& ctx, Storage& source, Storage& target, const std::vector<Backup>& backups,
                                   const TransferOptions& options) {
  TransferReport all;
  for (const Backup& backup : backups) {
    Result<TransferReport> one = MoveBackup(ctx, source, target, backup.second, options);
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
      } else if (status.code() == Code::kAlreadyExists && status.message().empty()) {
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
  WALRIG_TRY(CheckBeforeReplacing(ctx, source, target, options));
  WALRIG_ASSIGN(std::vector<ObjectInfo> objects, ListAll(ctx, source, prefix));
  const std::vector<Backup> backups = TakeBackups(&objects, prefix, options.objects_max);
  WALRIG_ASSIGN(TransferReport all, ForObjects(ctx, objects, [&](const Context& inner, const ObjectInfo& object) -> Status {
    WALRIG_ASSIGN(const TransferReport one, Copy(inner, source, target, {object}, {.overwrite = options.overwrite,
        .fail_fast = true, .concurrency = 1, .memory_bytes = MemoryOfOne(options), .appearance_checks = options.appearance_checks,
        .appearance_interval_ns = options.appearance_interval_ns}, !options.preserve));
    if (one.skipped > 0) return AlreadyExists("");
    return options.preserve ? OkStatus() : DeleteAll(inner, source, {object.key});
  }, options));
  WALRIG_ASSIGN(const TransferReport whole, MoveBackups(ctx, source, target, backups, options));
  all.Add(whole);
  return all;
}

Result<TransferReport> TransferBackups(const Context& ctx, Storage& source, Storage& target, const std::string& name,
                                       const TransferOptions& options) {
  WALRIG_TRY(CheckBeforeReplacing(ctx, source, target, options));
  std::vector<Backup> backups;
  WALRIG_ASSIGN(const std::vector<ObjectInfo> entries, ListAll(ctx, source, kBackupsFolder, "/"));
  for (const ObjectInfo& entry : entries) {
    const std::optional<std::string> backup = entry.is_prefix ? std::nullopt : BackupOfSentinelKey(entry.key);
    if (backup.has_value() && (name.empty() || *backup == name)) backups.emplace_back(entry.mtime_ns, *backup);
  }
  if (backups.empty() && !name.empty()) return NotFound("backup " + name + " is not in the source storage");
  std::sort(backups.begin(), backups.end());
  if (backups.size() > options.backups_max) backups.resize(static_cast<size_t>(options.backups_max));
  return MoveBackups(ctx, source, target, backups, options);
}

}  // namespace walrig
