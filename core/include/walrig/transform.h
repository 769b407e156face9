// Transform: a push machine that turns bytes into other bytes; the shape of compressors and ciphers alike.
//
// No input or output, no threads, no knowledge of where bytes come from; right with one-byte buffers.
#pragma once

#include <cstdint>

#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig {

enum class Directive : int32_t {
  kRun = 0,     // more input will come
  kFlush = 1,   // write out all that can be decoded so far
  kFinish = 2,  // this input is the last; give the same directive until kEnd
};

enum class Progress : int32_t {
  kEnd = 1,         // the stream is complete; only after kFinish
  kNeedInput = 2,   // all input taken, all output given (for kFlush: flushed)
  kNeedOutput = 3,  // the output buffer is full; call again with room, input may be unread
};

struct TransformIo {
  ByteSpan in;
  MutableByteSpan out;
  size_t in_used = 0;   // set by Process: how much of `in` was taken
  size_t out_used = 0;  // set by Process: how much of `out` was filled
};

class Transform {
 public:
  virtual ~Transform() = default;

  // Takes some of io.in, writes some of io.out. Progress is certain: with a byte of input (or kFinish) and a byte of
  // room, repeated calls consume everything and come to an end.
  // A decoder accepts several complete streams one after another where its format does.
  // FAILS WITH: kCorruption (not a stream of this format, a checksum or tag that does not hold, bytes after the end),
  // kTruncated (kFinish in the middle of a stream, or without any byte where the format has no empty form),
  // kTooLarge (a stream that would need more memory than the machine was made for).
  // Output given together with an error must not be used. After an error: Reset or destroy.
  virtual Result<Progress> Process(TransformIo& io, Directive directive) = 0;

  // Back to the state of a new machine, keeping its memory.
  virtual Status Reset() = 0;
};

}  // namespace walrig
