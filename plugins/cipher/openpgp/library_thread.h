// LibraryThread: lets a library that reads and writes by callbacks serve as a push machine.
//
// librnp pulls its input and pushes its output from within one call that lasts as long as the message. That call runs
// on a thread of its own, in lockstep: either the machine's caller runs or the thread does, never both, so this adds no
// concurrency, only a second stack. (A second stack without a thread, by ucontext, would be switched inside of a
// library that throws exceptions and keeps thread-local state, and blind sanitizers.)
//
// Bounds: one thread for each machine, from its first input to its end, Reset or destruction, which join it; kInBytes
// of input and `out_max_bytes` of output. All signals are blocked on the thread.
//
// OWNS: thread and buffers. THREADS: Give, Run, Take by the machine's caller; Read, Write by the work.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig::openpgp {

class LibraryThread {
 public:
  static constexpr size_t kInBytes = 64 * 1024;
  // What runs on the thread. It ends soon after Read or Write has answered false.
  using Work = std::function<Status(LibraryThread&)>;
  enum class Turn { kWantsInput, kHasOutput, kEnded };

  LibraryThread(Work work, size_t out_max_bytes);
  ~LibraryThread();
  LibraryThread(const LibraryThread&) = delete;
  LibraryThread& operator=(const LibraryThread&) = delete;

  // Takes over as much as there is room for.
  size_t Give(ByteSpan bytes);
  size_t room() const { return kInBytes - (in_end_ - in_begin_); }
  // Lets the work go on until it wants input that is not there, has filled the output, or has ended. With `last` the
  // input ends after what was given. REQUIRES: waiting() == 0 when the turn before was kHasOutput. FAILS WITH:
  // kUnavailable when no thread can be started.
  Result<Turn> Run(bool last);
  // Output that waits, and the taking of it.
  size_t waiting() const { return out_.size() - out_begin_; }
  size_t Take(MutableByteSpan out);
  // What the work ended with. REQUIRES: Run has answered kEnded.
  const Status& outcome() const { return outcome_; }

  // For the work: fills all of `to` unless the input ends before; false when the machine goes away.
  bool Read(void* to, size_t size_bytes, size_t* got);
  bool Write(const void* from, size_t size_bytes);

 private:
  Status Start();
  void Main();
  // Ends the thread's turn; false when the machine goes away.
  bool Yield(Turn why);

  const Work work_;
  const size_t out_max_bytes_;
  Buffer in_{kInBytes};
  size_t in_begin_ = 0, in_end_ = 0;
  bool last_ = false;
  std::vector<uint8_t> out_;
  size_t out_begin_ = 0;
  Status outcome_;
  // Made while there is memory: on the thread there is nobody to throw to.
  Status out_of_memory_ = OutOfMemory("openpgp");
  bool write_failed_ = false;  // for want of memory

  // Hands the fields above from one side to the other.
  std::mutex mutex_;
  std::condition_variable changed_;
  bool thread_runs_ = false;  // guarded by mutex_, as those below
  bool going_away_ = false;
  Turn turn_ = Turn::kWantsInput;
  std::thread thread_;
};

}  // namespace walrig::openpgp
