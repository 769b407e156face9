// WorkerPool: some threads that run tasks; the first error stops the siblings and is the one reported.
//
// OWNS: its threads; the destructor drops tasks that have not begun and joins. All signals are blocked in the threads.
// THREADS: Submit and Wait belong to one thread, not to a task of the pool; failed() to any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "walrig/status.h"

namespace walrig {

class WorkerPool {
 public:
  // At most `queue_max` tasks wait (0: twice the threads). Without a single thread, because none was asked for or the
  // system gave none, Submit runs the task itself.
  explicit WorkerPool(size_t threads, size_t queue_max = 0);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Blocks while the queue is full. After an error the task is dropped: Wait tells the error.
  void Submit(std::function<Status()> task);
  // Waits until all tasks have ended, and returns the first error, or OK. The pool may be used again after OK; after an
  // error it stays failed.
  Status Wait();
  // A task of long breath asks this, to end early once a sibling has failed.
  bool failed() const;

 private:
  void Run();
  void Finish(Status status);

  mutable std::mutex mutex_;
  std::condition_variable task_or_end_;   // for the threads
  std::condition_variable room_or_idle_;  // for Submit and Wait
  std::deque<std::function<Status()>> queue_;  // guarded by mutex_
  size_t running_ = 0;                         // guarded by mutex_
  Status first_error_;                         // guarded by mutex_
  bool ending_ = false;                        // guarded by mutex_
  size_t queue_max_;
  std::vector<std::jthread> threads_;
};

}  // namespace walrig
