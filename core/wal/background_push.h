// BackgroundPush: archives other files that wait, while the one that PostgreSQL asked for is on its way.
//
// PostgreSQL 13 and later ask for one file at a time and wait for it; a server that writes faster than one upload takes
// falls behind. So while the asked-for file is uploaded, files with a .ready are uploaded too and marked, and
// when their turn comes wal-push finds the marker.
//
// OWNS: its threads. THREADS: Start and Stop by one thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>

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

  // Begins no other file and waits for those on their way. Answers how many were archived.
  size_t Stop();

 private:
  BackgroundPush(const std::string& wal_directory, size_t workers);
  void PushOne(const Context& ctx, const std::string& name, const WalPushOptions& options, const WalPushDeps& deps);

  const std::string wal_directory_;
  const UploadMarkers markers_;
  std::atomic<bool> stopping_{false};
  std::atomic<size_t> archived_{0};
  WorkerPool pool_;
};

}  // namespace walrig
