// Source and Sink: bytes that come, bytes that go. Everything that moves data in walrig is one of the two.
//
// OWNS: whatever the implementation says. THREADS: one thread at a time; an object may move between threads.
#pragma once

#include "walrig/bytes.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

class Source {
 public:
  virtual ~Source() = default;
  // Reads at most buffer.size() bytes and returns how many; a short read is no end. 0 means the end of the data, and
  // only a source that knows its data to be whole may say so: a connection that broke is kUnavailable or kTruncated.
  // REQUIRES: buffer is not empty. After an error the source may only be destroyed.
  virtual Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) = 0;
};

class Sink {
 public:
  // A sink that was not committed is aborted: nothing of it stays visible. No destructor completes anything.
  virtual ~Sink() = default;
  // Takes all of `bytes`. After an error the sink may only be aborted or destroyed; but after one that is resumable()
  // the same call (Write with the same bytes, or Commit) may be made again: the sink still holds what it could not
  // pass on, tries that again, once, and takes no byte twice.
  virtual Status Write(const Context& ctx, ByteSpan bytes) = 0;
  // Makes what was written visible and durable, as far as the implementation promises. May fail, even with
  // outcome_unknown. At most once, unless it failed resumably; then the sink may only be destroyed.
  virtual Status Commit(const Context& ctx) = 0;
  // Drops what was written. Never blocks long, never fails. Harmless after Commit or a second time.
  virtual void Abort() noexcept = 0;
};

}  // namespace walrig
