#include "core/pipeline/worker_pool.h"

#include <utility>

#include "core/base/exception_status.h"
#include "core/base/threads.h"

namespace walrig {

namespace {

Status RunGuarded(const std::function<Status()>& task) { return Guarded("a task", task); }

}  // namespace

WorkerPool::WorkerPool(size_t threads, size_t queue_max) : queue_max_(queue_max != 0 ? queue_max : 2 * threads) {
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; i++) {
    Result<std::jthread> thread = StartThread([this] { Run(); });
    if (!thread.ok()) break;  // fewer threads do the same work
    threads_.push_back(std::move(*thread));
  }
}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    queue_.clear();
    task_or_end_.notify_all();
  }
  threads_.clear();
}

void WorkerPool::Submit(std::function<Status()> task) {
  if (threads_.empty()) {
    if (!failed()) Finish(RunGuarded(task));
    return;
  }
  std::unique_lock lock(mutex_);
  room_or_idle_.wait(lock, [&] { return queue_.size() < queue_max_ || !first_error_.ok(); });
  if (!first_error_.ok()) return;
  queue_.push_back(std::move(task));
  task_or_end_.notify_one();
}

Status WorkerPool::Wait() {
  std::unique_lock lock(mutex_);
  room_or_idle_.wait(lock, [&] { return queue_.empty() && running_ == 0; });
  return first_error_;
}

bool WorkerPool::failed() const {
  std::lock_guard lock(mutex_);
  return !first_error_.ok();
}

// The first error drops what has not begun.
void WorkerPool::Finish(Status status) {
  if (status.ok()) return;
  std::lock_guard lock(mutex_);
  if (!first_error_.ok()) return;
  first_error_ = std::move(status);
  queue_.clear();
}

void WorkerPool::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    task_or_end_.wait(lock, [&] { return !queue_.empty() || ending_; });
    if (queue_.empty()) return;
    std::function<Status()> task = std::move(queue_.front());
    queue_.pop_front();
    running_++;
    room_or_idle_.notify_all();
    lock.unlock();
    Status status = RunGuarded(task);
    task = nullptr;  // what it holds must be gone before Wait returns
    Finish(std::move(status));
    lock.lock();
    running_--;
    room_or_idle_.notify_all();
  }
}

}  // namespace walrig
