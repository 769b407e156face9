#include "core/pipeline/slice_workers.h"

#include <utility>

#include "core/base/threads.h"

namespace walrig {

SliceWorkers::Impl::Impl(const Codec& codec)
    : codec_(codec), encodes_slices_(codec.compressor != nullptr && codec.compressor->traits().concatenable) {}

SliceWorkers::Impl::~Impl() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    task_or_end_.notify_all();
  }
  threads_.clear();
}

Status SliceWorkers::Impl::Start(size_t workers) {
  if (codec_.compressor != nullptr && !codec_.compressor->traits().encode) {
    return NotSupported("the compressor " + codec_.compressor->traits().name + " can only read");
  }
  if (encodes_slices_) {
    WALRIG_ASSIGN(std::unique_ptr<Transform> encoder, TakeEncoder());
    GiveEncoder(std::move(encoder));
  }
  if (workers <= 1) return OkStatus();
  threads_.reserve(workers);
  for (size_t i = 0; i < workers; i++) {
    Result<std::jthread> thread = StartThread([this] { Run(); });
    if (!thread.ok() && i == 0) return std::move(thread).status();
    if (!thread.ok()) break;  // fewer threads do the same work
    threads_.push_back(std::move(*thread));
  }
  return OkStatus();
}

void SliceWorkers::Impl::Push(std::function<void()> task) {
  std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  task_or_end_.notify_one();
}

void SliceWorkers::Impl::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    task_or_end_.wait(lock, [&] { return !tasks_.empty() || ending_; });
    if (tasks_.empty()) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

Result<std::unique_ptr<Transform>> SliceWorkers::Impl::TakeEncoder() {
  std::unique_ptr<Transform> encoder;
  {
    std::lock_guard lock(mutex_);
    if (!encoders_.empty()) {
      encoder = std::move(encoders_.back());
      encoders_.pop_back();
    }
  }
  if (encoder == nullptr) return codec_.compressor->NewEncoder();
  WALRIG_TRY(encoder->Reset());
  return encoder;
}

void SliceWorkers::Impl::GiveEncoder(std::unique_ptr<Transform> encoder) {
  std::lock_guard lock(mutex_);
  encoders_.push_back(std::move(encoder));
}

Buffer SliceWorkers::Impl::TakeChunk() {
  {
    std::lock_guard lock(mutex_);
    if (!chunks_.empty()) {
      Buffer chunk = std::move(chunks_.back());
      chunks_.pop_back();
      return chunk;
    }
  }
  return Buffer(kIoBufferBytes);
}

void SliceWorkers::Impl::GiveChunk(Buffer chunk) {
  std::lock_guard lock(mutex_);
  chunks_.push_back(std::move(chunk));
}

Result<std::unique_ptr<SliceWorkers>> SliceWorkers::New(const Codec& codec, size_t workers) {
  auto impl = std::make_unique<Impl>(codec);
  WALRIG_TRY(impl->Start(workers));
  return std::unique_ptr<SliceWorkers>(new SliceWorkers(std::move(impl)));
}

SliceWorkers::SliceWorkers(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SliceWorkers::~SliceWorkers() = default;
size_t SliceWorkers::workers() const { return impl_->workers(); }

}  // namespace walrig
