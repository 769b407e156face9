// ProgressCounters: what a job has done so far, for the CLI's progress line.
//
// The job adds, the CLI reads now and then; the numbers are not tied to each other, hence relaxed. THREADS: any.
#pragma once

#include <atomic>
#include <cstdint>

namespace walrig {

class ProgressCounters {
 public:
  void AddBytes(uint64_t bytes) { bytes_done_.fetch_add(bytes, std::memory_order_relaxed); }
  void AddFiles(uint64_t files) { files_done_.fetch_add(files, std::memory_order_relaxed); }
  void AddStored(uint64_t bytes) { stored_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  // 0 while the total is not known.
  void SetTotal(uint64_t bytes, uint64_t files) {
    bytes_total_.store(bytes, std::memory_order_relaxed);
    files_total_.store(files, std::memory_order_relaxed);
  }

  uint64_t bytes_done() const { return bytes_done_.load(std::memory_order_relaxed); }
  uint64_t bytes_total() const { return bytes_total_.load(std::memory_order_relaxed); }
  uint64_t files_done() const { return files_done_.load(std::memory_order_relaxed); }
  uint64_t files_total() const { return files_total_.load(std::memory_order_relaxed); }
  uint64_t stored_bytes() const { return stored_bytes_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> bytes_done_{0}, bytes_total_{0}, files_done_{0}, files_total_{0}, stored_bytes_{0};
};

}  // namespace walrig
