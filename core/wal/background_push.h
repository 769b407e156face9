// BackgroundPush: archives other files that wait, while the one that PostgreSQL asked for is on its way.
//
// PostgreSQL 13 and later ask for one file at a time and wait for it; a server that writes faster than one upload takes
// falls behind. So while the asked-for file is uploaded, files with a .ready are uploaded too and marked, and
// when their turn comes wal-push finds the marker. Without a marker the upload would be in vain and be done again by each
// later call: where none can be written (a full or read-only disk, another user's directory), nothing is uploaded.
//
// OWNS: its threads. THREADS: Start and Stop by one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/stop.h"
#include "core/pipeline/worker_pool.h"
#include "core/wal/markers.h"
#include "core/wal/push.h"

namespace walrig {

class BackgroundPush {
 public:
  // Begins with the .ready files of `wal_directory` but for `asked_for`. With nothing to do no thread is started.
  // `ctx`, `options` and `deps` must live until Stop returned.
  static std::unique_ptr<BackgroundPush> Start(const Context& ctx, const std::string& wal_directory,
                                               const std::string& asked_for, const WalPushOptions& options,
                                               const WalPushDeps& deps);
  ~BackgroundPush();

  // Begins no other file and waits for those on their way, at most as long as the asked-for file took (ten seconds when
  // that was less), then stops them: PostgreSQL waits, and their retries may go on for minutes. Answers how many were
  // archived.
  size_t Stop();

 private:
  BackgroundPush(const Context& ctx, const std::string& wal_directory, const WalPushOptions& options,
                 const WalPushDeps& deps, size_t workers);
  // Gives one task for each of `names`. FAILS WITH: kUnavailable when the process has no descriptors left.
  Status Begin(const std::vector<std::string>& names);
  void PushOne(const std::string& name);
  // Whether it was archived. False: it was left for its turn.
  Result<bool> Push(const std::string& name);
  Status MarkArchived(const std::string& name, Sink& marker);
  void AwaitEnd();

  const Context& ctx_;
  const WalPushOptions& options_;
  const WalPushDeps& deps_;
  const std::string wal_directory_;
  const UploadMarkers markers_;
  const uint64_t begin_ns_;
  std::unique_ptr<StopSource> cut_;    // stops the uploads
  std::unique_ptr<StopSource> ended_;  // set by the last task
  std::atomic<size_t> left_{0};        // tasks that have not ended
  std::atomic<bool> stopping_{false};  // no other file is begun
  std::atomic<bool> warned_{false};    // that no marker can be written
  std::atomic<size_t> archived_{0};
  WorkerPool pool_;
};

}  // namespace walrig
