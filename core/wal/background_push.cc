#include "core/wal/background_push.h"

#include <algorithm>

#include "core/postgres/archive_status.h"
#include "core/postgres/wal_name.h"
#include "core/wal/upload.h"

namespace walrig {

std::unique_ptr<BackgroundPush> BackgroundPush::Start(const Context& ctx, const std::string& wal_directory,
                                                      const std::string& asked_for, const WalPushOptions& options,
                                                      const WalPushDeps& deps) {
  std::vector<std::string> names;
  if (options.background_workers > 0 && options.background_files_max > 0) {
    // One more than the limit, since the asked-for file is usually among them.
    auto ready = ScanReady(wal_directory + "/archive_status", options.background_files_max + 1);
    if (ready.ok()) {
      names = std::move(ready).value();
    } else if (ready.status().code() != Code::kNotFound) {
      ctx.log->Write(LogLevel::kWarning, "wal", "other files are not pushed: " + ready.status().ToString());
    }
  }
  std::erase(names, asked_for);
  // A history is compared with all storages before it is archived, in a call of its own.
  std::erase_if(names, [](const std::string& name) { return ClassifyWalFile(name).kind == WalFileKind::kHistory; });
  if (names.size() > options.background_files_max) names.resize(options.background_files_max);
  std::unique_ptr<BackgroundPush> push(
      new BackgroundPush(wal_directory, std::min(names.size(), options.background_workers)));
  if (options.rename_ready) push->markers_.RemoveStale(wal_directory + "/archive_status");
  if (names.empty()) return push;
  for (const std::string& name : names) {
    push->pool_.Submit([&ctx, &options, &deps, self = push.get(), name] {
      self->PushOne(ctx, name, options, deps);
      return OkStatus();  // a file that cannot be pushed does not keep the others from it
    });
  }
  return push;
}

// The queue holds all names: Start must not wait for uploads.
BackgroundPush::BackgroundPush(const std::string& wal_directory, size_t workers)
    : wal_directory_(wal_directory), markers_(wal_directory), pool_(workers, 1 << 20) {}

BackgroundPush::~BackgroundPush() { Stop(); }

size_t BackgroundPush::Stop() {
  stopping_ = true;
  pool_.Wait().Ignore("tasks log their own errors and return OK");
  return archived_;
}

void BackgroundPush::PushOne(const Context& ctx, const std::string& name, const WalPushOptions& options,
                             const WalPushDeps& deps) {
  if (stopping_ || ctx.stop.requested() || markers_.Exists(name)) return;
  const auto push = [&]() -> Status {
    WALRIG_ASSIGN(const LocalWalFile file, OpenLocalWalFile(wal_directory_ + "/" + name, options.segment_bytes));
    WALRIG_ASSIGN([[maybe_unused]] const WalUpload upload, UploadWalFile(ctx, file, 1, options, deps));
    // Only after the object is durable: the marker is what lets a later wal-push skip the work.
    WALRIG_TRY(markers_.Add(ctx, file));
    if (!options.rename_ready) return OkStatus();
    WALRIG_TRY(MarkDone(wal_directory_ + "/archive_status", name));
    // PostgreSQL will not ask for it any more, so nobody would take the marker away.
    markers_.Remove(name);
    return OkStatus();
  };
  const Status status = push();
  if (status.ok()) {
    ++archived_;
  } else if (status.code() != Code::kNotFound) {  // PostgreSQL may have recycled it meanwhile
    ctx.log->Write(LogLevel::kWarning, "wal", "background push of " + name + ": " + status.ToString());
  }
}

}  // namespace walrig
