// GuardedMemory: memory for libbrotlienc, which calls exit() when an allocation fails.
//
// The library (1.0.9 and 1.1.0 as they are built by default) takes an allocator, but no null from it. So when there is
// no memory the allocator does not return at all: it leaves the library by longjmp, back to the call that went in, and
// everything that the library had is freed. The library is C without locks and without state outside of this memory,
// so nothing of it is left behind.
//
// OWNS: all that was allocated. THREADS: one at a time.
#pragma once

#include <csetjmp>
#include <cstddef>

namespace walrig::brotli {

class GuardedMemory {
 public:
  GuardedMemory() = default;
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  ~GuardedMemory() { FreeAll(); }

  // Runs `call`, which goes into the library; false when memory ran out in it. Then all memory has been freed, and no
  // object of the library may be used any more. REQUIRES: nothing within `call` needs a destructor.
  template <typename Call>
  bool Run(Call&& call) {
    if (setjmp(way_out_) != 0) {
      inside_ = false;
      FreeAll();
      return false;
    }
    inside_ = true;
    call();
    inside_ = false;
    return true;
  }
  // Of objects of the library too, which then need not be destroyed.
  void FreeAll();

  // For the library; `memory` is a GuardedMemory. Outside of Run it answers null.
  static void* Allocate(void* memory, size_t size_bytes);
  static void Free(void* memory, void* address);

 private:
  // Stands before each piece, so that all of them can be found.
  struct alignas(std::max_align_t) Piece {
    Piece* next = nullptr;
    Piece* previous = nullptr;
  };

  Piece* first_ = nullptr;
  std::jmp_buf way_out_;
  bool inside_ = false;
};

}  // namespace walrig::brotli
