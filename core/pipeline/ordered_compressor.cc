#include "core/pipeline/ordered_compressor.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "core/base/exception_status.h"
#include "core/pipeline/pump.h"
#include "core/pipeline/slice_workers.h"
#include "core/pipeline/stored_stream.h"

namespace walrig {

namespace {

// How soon a waiting thread sees a stop or a deadline; a condition variable cannot wait for the stop's descriptor too.
constexpr std::chrono::milliseconds kPollPeriod(50);

// The encoded bytes of a slice that waits for its turn.
struct Kept {
  struct Piece {
    Buffer chunk;
    size_t bytes = 0;
  };
  std::vector<Piece> pieces;
  size_t total_bytes = 0;
};

}  // namespace

class OrderedCompressor::Impl {
 public:
  Impl(SliceWorkers::Impl& workers, std::unique_ptr<SliceWorkers> owned, std::unique_ptr<StoredStream> stream,
       const OrderedCompressorOptions& options)
      : owned_workers_(std::move(owned)),
        workers_(workers),
        stream_(std::move(stream)),
        pending_max_(options.pending_max != 0 ? options.pending_max : 2 * workers.workers()),
        slice_bytes_max_(options.slice_bytes_max) {}

  Status Submit(const Context& ctx, Slice slice);
  Status Finish(const Context& ctx);
  void Abort();
  ObjectStats stats() const;

 private:
  class Run;

  void RunSlice(const Context& ctx, uint64_t index, Slice slice);
  void Complete(const Context& ctx, uint64_t index, Status status, Kept kept, uint64_t plain_bytes);
  Status WriteKept(const Context& ctx, Kept& kept);
  Status End(const Context& ctx);
  Status Commit(const Context& ctx);
  // All slices were written or given up, and nobody but the caller touches the stream.
  bool Drained() const { return turn_.load(std::memory_order_relaxed) == submitted_; }
  void Fail(Status status);       // REQUIRES: mutex_ is not held
  void FailLocked(Status status);  // REQUIRES: mutex_ is held
  Status WaitForTurn(const Context& ctx, uint64_t index);

  const std::unique_ptr<SliceWorkers> owned_workers_;  // null when they are shared
  SliceWorkers::Impl& workers_;
  const std::unique_ptr<StoredStream> stream_;  // belongs to the thread that runs slice turn_
  const size_t pending_max_;
  const size_t slice_bytes_max_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // The slice that may write. Moved under mutex_, and read without it by the slice that hopes to be the next.
  std::atomic<uint64_t> turn_{0};
  std::atomic<bool> failed_{false};   // set under mutex_, together with first_error_
  Status first_error_;                // guarded by mutex_
  Status out_of_memory_ = OutOfMemory("compression");  // guarded by mutex_; made while there is memory
  uint64_t submitted_ = 0;            // guarded by mutex_
  std::map<uint64_t, Kept> waiting_;  // guarded by mutex_; complete slices whose turn has not come
  uint64_t plain_bytes_ = 0;          // guarded by mutex_
  bool finishing_ = false;            // guarded by mutex_; a Finish or an Abort is at work on the stream
  bool finish_called_ = false;        // guarded by mutex_
  bool ended_ = false;                // guarded by mutex_; the sink was committed or aborted
  std::string xxh128_;                // guarded by mutex_
};

// One slice on its way through a worker.
class OrderedCompressor::Impl::Run {
 public:
  Run(Impl& object, const Context& ctx, uint64_t index) : object_(object), ctx_(ctx), index_(index) {}

  Status Emit(ByteSpan plain) {
    if (object_.failed_.load(std::memory_order_relaxed)) return Cancelled("another part of the object failed");
    WALRIG_TRY(ctx_.Poll());
    if (plain.empty()) return OkStatus();
    plain_bytes_ += plain.size();
    return object_.workers_.encodes_slices() ? Encode(plain, Directive::kRun) : Pass(plain);
  }

  // Ends the slice's own stream.
  Status End() {
    if (encoder_ == nullptr) return OkStatus();
    WALRIG_TRY(Encode({}, Directive::kFinish));
    object_.workers_.GiveEncoder(std::move(encoder_));
    return OkStatus();
  }

  uint64_t plain_bytes() const { return plain_bytes_; }
  Kept TakeKept() {
    if (chunk_bytes_ > 0) KeepChunk();
    if (chunk_.size() > 0) object_.workers_.GiveChunk(std::move(chunk_));
    return std::move(kept_);
  }

 private:
  bool MyTurn() const { return object_.turn_.load(std::memory_order_acquire) == index_; }

  MutableByteSpan Room() {
    if (chunk_.size() == 0) chunk_ = object_.workers_.TakeChunk();
    return chunk_.span().subspan(chunk_bytes_);
  }

  void KeepChunk() {
    kept_.total_bytes += chunk_bytes_;
    kept_.pieces.push_back({std::exchange(chunk_, Buffer()), std::exchange(chunk_bytes_, 0)});
  }

  Status Filled(size_t bytes) {
    chunk_bytes_ += bytes;
    if (chunk_bytes_ < chunk_.size()) return OkStatus();
    if (!MyTurn() && kept_.total_bytes + chunk_bytes_ < object_.slice_bytes_max_) {
      KeepChunk();
      return OkStatus();
    }
    if (!MyTurn()) WALRIG_TRY(object_.WaitForTurn(ctx_, index_));
    return WriteOut();
  }

  // REQUIRES: MyTurn(). The chunk stays ours, still warm for the next bytes.
  Status WriteOut() {
    WALRIG_TRY(object_.WriteKept(ctx_, kept_));
    const size_t bytes = std::exchange(chunk_bytes_, 0);
    return bytes == 0 ? OkStatus() : object_.stream_->Write(ctx_, chunk_.first(bytes));
  }

  Status Encode(ByteSpan plain, Directive directive) {
    if (encoder_ == nullptr) {
      WALRIG_ASSIGN(encoder_, object_.workers_.TakeEncoder());
    }
    return Pump(*encoder_, plain, directive, [&] { return Room(); }, [&](size_t bytes) { return Filled(bytes); });
  }

  // Plain bytes: straight to the stream in our turn, otherwise copied, since the caller will use its buffer again.
  Status Pass(ByteSpan plain) {
    while (!plain.empty()) {
      if (MyTurn()) {
        WALRIG_TRY(WriteOut());
        return object_.stream_->Write(ctx_, plain);
      }
      const MutableByteSpan room = Room();
      const size_t count = std::min(room.size(), plain.size());
      std::copy_n(plain.begin(), count, room.begin());
      plain = plain.subspan(count);
      WALRIG_TRY(Filled(count));
    }
    return OkStatus();
  }

  Impl& object_;
  const Context& ctx_;
  const uint64_t index_;
  std::unique_ptr<Transform> encoder_;
  Buffer chunk_;
  size_t chunk_bytes_ = 0;
  Kept kept_;
  uint64_t plain_bytes_ = 0;
};

void OrderedCompressor::Impl::FailLocked(Status status) {
  if (!first_error_.ok()) return;
  first_error_ = std::move(status);
  failed_.store(true, std::memory_order_relaxed);
  changed_.notify_all();
}

void OrderedCompressor::Impl::Fail(Status status) {
  std::lock_guard lock(mutex_);
  FailLocked(std::move(status));
}

Status OrderedCompressor::Impl::WaitForTurn(const Context& ctx, uint64_t index) {
  std::unique_lock lock(mutex_);
  while (turn_.load(std::memory_order_relaxed) != index) {
    if (!first_error_.ok()) return Cancelled("another part of the object failed");
    WALRIG_TRY(ctx.Poll());
    changed_.wait_for(lock, kPollPeriod);
  }
  return OkStatus();
}

Status OrderedCompressor::Impl::WriteKept(const Context& ctx, Kept& kept) {
  Status status;
  for (Kept::Piece& piece : kept.pieces) {
    if (status.ok()) status = stream_->Write(ctx, piece.chunk.first(piece.bytes));
    workers_.GiveChunk(std::move(piece.chunk));
  }
  kept.pieces.clear();
  kept.total_bytes = 0;
  return status;
}

void OrderedCompressor::Impl::RunSlice(const Context& ctx, uint64_t index, Slice slice) {
  Run run(*this, ctx, index);
  Status status;
  Kept kept;
  if (!failed_.load(std::memory_order_relaxed)) {
    status = Guarded("compression", [&]() -> Status {
      WALRIG_TRY(slice(ctx, [&run](ByteSpan plain) { return run.Emit(plain); }));
      WALRIG_TRY(run.End());
      kept = run.TakeKept();
      return OkStatus();
    });
  }
  slice = nullptr;  // what it holds may be gone as soon as the slice counts as complete
  const uint64_t plain_bytes = run.plain_bytes();
  Complete(ctx, index, std::move(status), std::move(kept), plain_bytes);
}

// Hands the slice's bytes over; in its turn also those of the slices behind it that are complete.
void OrderedCompressor::Impl::Complete(const Context& ctx, uint64_t index, Status status, Kept kept,
                                       uint64_t plain_bytes) {
  std::unique_lock lock(mutex_);
  plain_bytes_ += plain_bytes;
  if (!status.ok()) FailLocked(std::move(status));
  if (turn_.load(std::memory_order_relaxed) != index) {
    try {
      waiting_.emplace(index, std::move(kept));
      return;
    } catch (const std::bad_alloc&) {
      // The turn must be passed on all the same; the slices before this one are on other threads, or done.
      FailLocked(std::move(out_of_memory_));
    }
    changed_.wait(lock, [&] { return turn_.load(std::memory_order_relaxed) == index; });
  }
  while (true) {
    const bool write = first_error_.ok();
    lock.unlock();
    Status written;
    if (write) written = Guarded("storing", [&] { return WriteKept(ctx, kept); });
    kept = Kept();
    lock.lock();
    if (!written.ok()) FailLocked(std::move(written));
    const uint64_t next = turn_.load(std::memory_order_relaxed) + 1;
    turn_.store(next, std::memory_order_release);
    changed_.notify_all();
    const auto found = waiting_.find(next);
    if (found == waiting_.end()) return;
    kept = std::move(found->second);
    waiting_.erase(found);
  }
}

Status OrderedCompressor::Impl::Submit(const Context& ctx, Slice slice) {
  std::unique_lock lock(mutex_);
  if (finish_called_) return Internal("a slice was submitted to an object that is finished");
  while (first_error_.ok() && submitted_ - turn_.load(std::memory_order_relaxed) >= pending_max_) {
    WALRIG_TRY(ctx.Poll());
    changed_.wait_for(lock, kPollPeriod);
  }
  if (!first_error_.ok()) return first_error_;
  const uint64_t index = submitted_++;
  lock.unlock();
  if (workers_.has_threads()) {
    workers_.Push([this, ctx, index, slice = std::move(slice)]() mutable { RunSlice(ctx, index, std::move(slice)); });
    return OkStatus();
  }
  RunSlice(ctx, index, std::move(slice));
  lock.lock();
  return first_error_;
}

// The end of the stored stream. An object without a slice's stream in it gets one, since no bytes are no valid stream.
Status OrderedCompressor::Impl::End(const Context& ctx) {
  if (workers_.encodes_slices() && stream_->stored_bytes() == 0 && plain_bytes_ == 0) {
    WALRIG_ASSIGN(std::unique_ptr<Transform> encoder, workers_.TakeEncoder());
    Buffer chunk = workers_.TakeChunk();
    WALRIG_TRY(Pump(
        *encoder, {}, Directive::kFinish, [&] { return chunk.span(); },
        [&](size_t bytes) { return stream_->Write(ctx, chunk.first(bytes)); }));
    workers_.GiveChunk(std::move(chunk));
    workers_.GiveEncoder(std::move(encoder));
  }
  return stream_->End(ctx);
}

Status OrderedCompressor::Impl::Commit(const Context& ctx) {
  bool answered = false;
  Status status = Guarded("storing", [&] {
    Status answer = stream_->Commit(ctx);
    answered = true;
    return answer;
  });
  return answered ? std::move(status) : std::move(status).OutcomeUnknown();
}

Status OrderedCompressor::Impl::Finish(const Context& ctx) {
  std::unique_lock lock(mutex_);
  if (std::exchange(finish_called_, true)) return Internal("an object was finished twice");
  if (ended_) return first_error_;  // Abort was quicker
  finishing_ = true;
  while (!Drained()) {
    if (Status status = ctx.Poll(); !status.ok()) FailLocked(std::move(status));
    changed_.wait_for(lock, kPollPeriod);
  }
  const bool whole = first_error_.ok();
  lock.unlock();
  Status status;
  if (whole) status = Guarded("compression", [&] { return End(ctx); });
  const bool commit = whole && status.ok();
  if (commit) status = Commit(ctx);
  if (!status.ok()) Fail(status);
  // What may have become visible is not taken back: the caller must look.
  if (!commit || (!status.ok() && !status.outcome_unknown())) stream_->Abort();
  lock.lock();
  ended_ = true;
  if (first_error_.ok()) xxh128_ = stream_->xxh128();
  finishing_ = false;
  changed_.notify_all();
  return first_error_;
}

void OrderedCompressor::Impl::Abort() {
  std::unique_lock lock(mutex_);
  const bool committing = finishing_ && Drained();
  if (!ended_ && !committing) FailLocked(Cancelled("the object was given up"));
  changed_.wait(lock, [&] { return Drained() && !finishing_; });
  if (ended_) return;
  ended_ = finishing_ = true;
  lock.unlock();
  stream_->Abort();
  lock.lock();
  finishing_ = false;
  changed_.notify_all();
}

ObjectStats OrderedCompressor::Impl::stats() const {
  std::lock_guard lock(mutex_);
  return {.plain_bytes = plain_bytes_, .stored_bytes = stream_->stored_bytes(), .slices = submitted_,
          .xxh128 = xxh128_};
}

OrderedCompressor::OrderedCompressor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OrderedCompressor::~OrderedCompressor() { impl_->Abort(); }

Result<std::unique_ptr<OrderedCompressor>> OrderedCompressor::New(SliceWorkers& workers, std::unique_ptr<Sink> object,
                                                                  const OrderedCompressorOptions& options) {
  SliceWorkers::Impl& impl = *workers.impl_;
  WALRIG_ASSIGN(auto stream, StoredStream::New(impl.codec(), !impl.encodes_slices(), std::move(object)));
  return std::unique_ptr<OrderedCompressor>(
      new OrderedCompressor(std::make_unique<Impl>(impl, nullptr, std::move(stream), options)));
}

Result<std::unique_ptr<OrderedCompressor>> OrderedCompressor::New(const Codec& codec, std::unique_ptr<Sink> object,
                                                                  const OrderedCompressorOptions& options) {
  WALRIG_ASSIGN(std::unique_ptr<SliceWorkers> workers, SliceWorkers::New(codec, options.workers));
  SliceWorkers::Impl& impl = *workers->impl_;
  WALRIG_ASSIGN(auto stream, StoredStream::New(codec, !impl.encodes_slices(), std::move(object)));
  return std::unique_ptr<OrderedCompressor>(
      new OrderedCompressor(std::make_unique<Impl>(impl, std::move(workers), std::move(stream), options)));
}

Status OrderedCompressor::Submit(const Context& ctx, Slice slice) { return impl_->Submit(ctx, std::move(slice)); }
Status OrderedCompressor::Finish(const Context& ctx) { return impl_->Finish(ctx); }
void OrderedCompressor::Abort() { impl_->Abort(); }
ObjectStats OrderedCompressor::stats() const { return impl_->stats(); }

}  // namespace walrig
