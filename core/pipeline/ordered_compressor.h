// OrderedCompressor: writes one stored object from slices that are made in parallel and stored in order.
//
//   Submit(slice) -> worker: slice emits plain bytes -> encoder -> chunks --in order--> sealer -> XXH128, count -> sink
//
// With a concatenable compressor each slice becomes a stream (a zstd frame) of its own, made by any worker; the worker
// whose slice is the next in line writes while it compresses, the others keep their output in chunks of 128 KiB until it is
// their turn. Without a compressor, or with one that is not concatenable, the slices still run in parallel but keep plain
// bytes, and one encoder follows in order. Sealer, hash and count always see the stored stream in order. No lock
// is held while anything is read, compressed or written.
//
// SliceWorkers holds what several objects can share one after another or at once: threads, encoders, chunks.
//
// Memory: per worker one encoder; chunks up to pending_max * min(slice, slice_bytes_max). A slice whose output is
// larger waits for its turn and then streams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/pipeline/codec.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/stream.h"

namespace walrig {

// Takes plain bytes of the slice; they are used up when it returns. An error means that the slice shall return it.
using Emit = std::function<Status(ByteSpan plain)>;
// Makes the plain bytes of a slice (about 4 MiB) by calling emit any number of times, 128 KiB at a time for the best speed.
// Runs in any worker's thread, at the same time as other slices.
using Slice = std::function<Status(const Context& ctx, const Emit& emit)>;

struct ObjectStats {
  uint64_t plain_bytes = 0;
  uint64_t stored_bytes = 0;
  uint64_t slices = 0;
  std::string xxh128;  // of the stored bytes, 32 hex digits; empty before Finish
};

// OWNS: threads, encoders and chunks. Borrows the codec's compressor and cipher. Must outlive the OrderedCompressors that
// use it. THREADS: any number of OrderedCompressors, from any threads, may use it at once.
class SliceWorkers {
 public:
  // With workers <= 1 there is no thread: Submit runs the slice itself. FAILS WITH: kNotSupported (a compressor that only
  // reads), whatever the first encoder fails with, kUnavailable (no thread).
  static Result<std::unique_ptr<SliceWorkers>> New(const Codec& codec, size_t workers);
  ~SliceWorkers();
  size_t workers() const;

 private:
  friend class OrderedCompressor;
  class Impl;
  explicit SliceWorkers(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct OrderedCompressorOptions {
  size_t workers = 1;               // only for New without SliceWorkers
  size_t pending_max = 0;           // slices submitted but not yet written; 0: twice the workers
  size_t slice_bytes_max = 5u << 20;  // output kept of one slice before its turn
};

// THREADS: Submit and Finish one thread at a time; they may be different threads (a job may finish one object in a
// helper while it submits to the next). Abort, any.
class OrderedCompressor {
 public:
  // With threads of its own.
  static Result<std::unique_ptr<OrderedCompressor>> New(const Codec& codec, std::unique_ptr<Sink> object,
                                                        const OrderedCompressorOptions& options);
  // With shared threads; `workers` must outlive it.
  static Result<std::unique_ptr<OrderedCompressor>> New(SliceWorkers& workers, std::unique_ptr<Sink> object,
                                                        const OrderedCompressorOptions& options);
  // Aborts what was not finished, and waits until no slice of it runs.
  ~OrderedCompressor();

  // Gives a slice; blocks while pending_max are unwritten. What `ctx` points at must live until Finish, Abort or the
  // destructor returned. FAILS WITH: the first error of any slice, encoder, sealer or the sink; kCancelled, kTimeout by ctx.
  Status Submit(const Context& ctx, Slice slice);
  // Waits for all slices, ends the stored stream and commits the sink. An object without plain bytes becomes an empty
  // stream of the compressor. On failure the sink is aborted, unless the Commit's outcome is unknown. At most once.
  Status Finish(const Context& ctx);
  // Stops slices at their next emit, waits for them, aborts the sink; a Finish that already commits is waited for and stands.
  // Harmless at any time, also after Finish. REQUIRES: not called from a slice.
  void Abort();

  // What was stored; complete after Finish returned OK.
  ObjectStats stats() const;

 private:
  class Impl;
  explicit OrderedCompressor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace walrig
