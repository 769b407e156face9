// SliceWorkers::Impl: the threads, encoders and chunks behind OrderedCompressor. Internal to this room.
//
// OWNS: threads, encoders, chunks. Borrows the codec's machines' makers. THREADS: any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/pipeline/ordered_compressor.h"
#include "walrig/bytes.h"

namespace walrig {

class SliceWorkers::Impl {
 public:
  explicit Impl(const Codec& codec);
  ~Impl();

  // One encoder now, so that what is wrong with the compressor is known before an object is opened; then the threads.
  Status Start(size_t workers);

  const Codec& codec() const { return codec_; }
  // Whether a slice is encoded where it is made; otherwise plain bytes are handed on in order.
  bool encodes_slices() const { return encodes_slices_; }
  bool has_threads() const { return !threads_.empty(); }
  size_t workers() const { return threads_.empty() ? 1 : threads_.size(); }

  // Runs the tasks first in, first out. REQUIRES: has_threads().
  void Push(std::function<void()> task);

  // An encoder at the beginning of a stream, to be given back when its stream is complete, else destroyed.
  Result<std::unique_ptr<Transform>> TakeEncoder();
  void GiveEncoder(std::unique_ptr<Transform> encoder);
  // Chunks of kIoBufferBytes. They are kept, so that a slice meets warm pages instead of fresh ones to be faulted in.
  Buffer TakeChunk();
  void GiveChunk(Buffer chunk);

 private:
  void Run();

  const Codec codec_;
  const bool encodes_slices_;
  std::mutex mutex_;
  std::condition_variable task_or_end_;
  std::deque<std::function<void()>> tasks_;           // guarded by mutex_
  std::vector<std::unique_ptr<Transform>> encoders_;  // guarded by mutex_
  std::vector<Buffer> chunks_;                        // guarded by mutex_
  bool ending_ = false;                               // guarded by mutex_
  std::vector<std::jthread> threads_;                 // last: joined before the rest goes
};

}  // namespace walrig
