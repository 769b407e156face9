#include "plugins/cipher/openpgp/library_thread.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

namespace walrig::openpgp {
LibraryThread::LibraryThread(Work work, size_t out_max_bytes) : work_(std::move(work)), out_max_bytes_(out_max_bytes) {}

LibraryThread::~LibraryThread() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    going_away_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

size_t LibraryThread::Give(ByteSpan bytes) {
  if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
  const size_t n = std::min(bytes.size(), room());
  if (n == 0) return 0;
  if (n > kInBytes - in_end_) {
    std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  std::memcpy(in_.data() + in_end_, bytes.data(), n);
  in_end_ += n;
  return n;
}

size_t LibraryThread::Take(MutableByteSpan out) {
  const size_t n = std::min(out.size(), waiting());
  if (n == 0) return 0;
  std::memcpy(out.data(), out_.data() + out_begin_, n);
  out_begin_ += n;
  if (out_begin_ == out_.size()) {
    out_.clear();
    out_begin_ = 0;
  }
  return n;
}

Status LibraryThread::Start() {
  // A signal for the process belongs to the program's own threads.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  Status status;
  try {
    thread_ = std::thread([this] { Main(); });
  } catch (const std::system_error& error) {
    status = Unavailable(std::string("openpgp: no thread can be started: ") + error.what())
                 .Hint("check ulimit -u, the cgroup's pids.max and, for its stack, ulimit -v");
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return status;
}

Result<LibraryThread::Turn> LibraryThread::Run(bool last) {
  std::unique_lock lock(mutex_);
  if (turn_ == Turn::kEnded) return turn_;
  last_ = last;
  thread_runs_ = true;
  if (thread_.joinable()) {
    changed_.notify_all();
  } else {
    WALRIG_TRY(Start());
  }
  changed_.wait(lock, [this] { return !thread_runs_; });
  return turn_;
}

void LibraryThread::Main() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return thread_runs_ || going_away_; });
  }
  Status outcome;
  try {
    outcome = work_(*this);
    if (write_failed_) outcome = std::move(out_of_memory_);
  } catch (const std::bad_alloc&) {
    outcome = std::move(out_of_memory_);
  } catch (const std::exception& error) {
    try {
      outcome = Internal(std::string("openpgp: ") + error.what());
    } catch (...) {
      outcome = std::move(out_of_memory_);
    }
  }
  const std::lock_guard lock(mutex_);
  outcome_ = std::move(outcome);
  turn_ = Turn::kEnded;
  thread_runs_ = false;
  changed_.notify_all();
}

bool LibraryThread::Yield(Turn why) {
  std::unique_lock lock(mutex_);
  if (going_away_) return false;
  turn_ = why;
  thread_runs_ = false;
  changed_.notify_all();
  changed_.wait(lock, [this] { return thread_runs_ || going_away_; });
  return !going_away_;
}

bool LibraryThread::Read(void* to, size_t size_bytes, size_t* got) {
  *got = 0;
  while (*got < size_bytes) {
    if (in_begin_ == in_end_) {
      if (last_) break;
      if (!Yield(Turn::kWantsInput)) return false;
      continue;
    }
    const size_t n = std::min(size_bytes - *got, in_end_ - in_begin_);
    std::memcpy(static_cast<uint8_t*>(to) + *got, in_.data() + in_begin_, n);
    in_begin_ += n;
    *got += n;
  }
  return true;
}

bool LibraryThread::Write(const void* from, size_t size_bytes) {
  const auto* bytes = static_cast<const uint8_t*>(from);
  try {
    while (size_bytes > 0) {
      if (out_.size() >= out_max_bytes_) {
        if (!Yield(Turn::kHasOutput)) return false;
        continue;
      }
      const size_t n = std::min(size_bytes, out_max_bytes_ - out_.size());
      out_.insert(out_.end(), bytes, bytes + n);
      bytes += n;
      size_bytes -= n;
    }
  } catch (const std::bad_alloc&) {
    write_failed_ = true;
    return false;
  }
  return true;
}

}  // namespace walrig::openpgp
