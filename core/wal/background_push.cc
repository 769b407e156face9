#include "core/wal/background_push.h"

#include <algorithm>

#include "core/postgres/archive_status.h"
#include "core/postgres/wal_name.h"
#include "core/wal/upload.h"

namespace walrig {
namespace {

constexpr uint64_t kWaitMinNs = 10'000'000'000;
constexpr uint64_t kLookNs = 100'000'000;  // how soon a stop of the whole command is seen

std::vector<std::string> Waiting(const Context& ctx, const std::string& wal_directory, const std::string& asked_for,
                                 const WalPushOptions& options) {
  if (options.background_workers == 0 || options.background_files_max == 0) return {};
  // One more than the limit, since the asked-for file is usually among them.
  auto ready = ScanReady(wal_directory + "/archive_status", options.background_files_max + 1);
  if (!ready.ok()) {
    if (ready.status().code() != Code::kNotFound) {
      ctx.log->Write(LogLevel::kWarning, "wal", "other files are not pushed: " + ready.status().ToString());
    }
    return {};
  }
  std::vector<std::string> names = std::move(ready).value();
  std::erase(names, asked_for);
  // A history is compared with all storages before it is archived, in a call of its own.
  std::erase_if(names, [](const std::string& name) { return ClassifyWalFile(name).kind == WalFileKind::kHistory; });
  if (names.size() > options.background_files_max) names.resize(options.background_files_max);
  return names;
}

}  // namespace

std::unique_ptr<BackgroundPush> BackgroundPush::Start(const Context& ctx, const std::string& wal_directory,
                                                      const std::string& asked_for, const WalPushOptions& options,
                                                      const WalPushDeps& deps) {
  const std::vector<std::string> names = Waiting(ctx, wal_directory, asked_for, options);
  std::unique_ptr<BackgroundPush> push(
      new BackgroundPush(ctx, wal_directory, options, deps, std::min(names.size(), options.background_workers)));
  if (options.rename_ready) push->markers_.RemoveStale(wal_directory + "/archive_status");
  const Status begun = push->Begin(names);
  if (!begun.ok()) ctx.log->Write(LogLevel::kWarning, "wal", "other files are not pushed: " + begun.ToString());
  return push;
}

// The queue holds all names: Start must not wait for uploads.
BackgroundPush::BackgroundPush(const Context& ctx, const std::string& wal_directory, const WalPushOptions& options,
                               const WalPushDeps& deps, size_t workers)
    : ctx_(ctx),
      options_(options),
      deps_(deps),
      wal_directory_(wal_directory),
      markers_(wal_directory),
      begin_ns_(ctx.clock->MonotonicNs()),
      pool_(workers, 1 << 20) {}

BackgroundPush::~BackgroundPush() { Stop(); }

Status BackgroundPush::Begin(const std::vector<std::string>& names) {
  if (names.empty()) return OkStatus();
  WALRIG_ASSIGN(cut_, StopSource::New());
  WALRIG_ASSIGN(ended_, StopSource::New());
  left_ = names.size();
  for (const std::string& name : names) {
    pool_.Submit([this, name] {
      PushOne(name);
      if (--left_ == 0) ended_->RequestStop();
      return OkStatus();  // a file that cannot be pushed does not keep the others from it
    });
  }
  return OkStatus();
}

size_t BackgroundPush::Stop() {
  stopping_ = true;
  AwaitEnd();
  pool_.Wait().Ignore("tasks log their own errors and return OK");
  return archived_;
}

void BackgroundPush::AwaitEnd() {
  if (left_ == 0) return;
  const uint64_t now_ns = ctx_.clock->MonotonicNs();
  const uint64_t end_ns = now_ns + std::max(kWaitMinNs, now_ns - begin_ns_);
  while (!ended_->requested() && !ctx_.stop.requested() && ctx_.clock->MonotonicNs() < end_ns) {
    ctx_.clock->SleepNs(kLookNs, ended_->token().fd());
  }
  cut_->RequestStop();
}

void BackgroundPush::PushOne(const std::string& name) {
  if (stopping_ || ctx_.stop.requested() || markers_.Exists(name)) return;
  const Result<bool> archived = Push(name);
  const Status& status = archived.status();
  if (archived.ok()) {
    if (*archived) ++archived_;
  } else if (status.code() == Code::kCancelled) {
    ctx_.log->Write(LogLevel::kInfo, "wal", "background push of " + name + ": stopped, it took longer than the asked-for file");
  } else if (status.code() != Code::kNotFound) {  // PostgreSQL may have recycled it meanwhile
    ctx_.log->Write(LogLevel::kWarning, "wal", "background push of " + name + ": " + status.ToString());
  }
}

Result<bool> BackgroundPush::Push(const std::string& name) {
  WALRIG_ASSIGN(const LocalWalFile file, OpenLocalWalFile(wal_directory_ + "/" + name, options_.segment_bytes));
  const auto marker = markers_.Prepare(ctx_, file);
  if (!marker.ok()) {
    stopping_ = true;  // the others would fare alike, and one warning is enough
    if (warned_.exchange(true)) return false;
    return Status(marker.status()).With("files wait for their turn, since what is uploaded could not be marked");
  }
  Context upload_ctx = ctx_;
  upload_ctx.stop = cut_->token();
  WALRIG_ASSIGN([[maybe_unused]] const WalUpload upload, UploadWalFile(upload_ctx, file, 1, options_, deps_));
  WALRIG_TRY(MarkArchived(name, **marker));
  return true;
}

// The object is durable: what lets PostgreSQL, or a later wal-push, skip the work.
Status BackgroundPush::MarkArchived(const std::string& name, Sink& marker) {
  if (!options_.rename_ready) return marker.Commit(ctx_);
  const Status renamed = MarkDone(wal_directory_ + "/archive_status", name);
  // Nobody will ask for it, and nobody would ever remove the marker.
  if (renamed.ok()) return OkStatus();
  WALRIG_TRY(marker.Commit(ctx_));
  return renamed;
}

}  // namespace walrig
